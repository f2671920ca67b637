# SPDX-License-Identifier: GPL-2.0
# Reads a guest's console log. Prints in one line what the kernel had to complain
# about first.

function tell(text)
{
	print text
	said = 1
	exit
}

function after(mark)
{
	return substr($0, index($0, mark) + length(mark))
}

# the function alone, of "name+0x12/0x34 [uio]"
function symbol(text)
{
	sub(/^.* in /, "", text)
	sub(/\+0x.*/, "", text)
	return text
}

/BUG: KASAN: / {
	text = after("KASAN: ")
	kind = text
	sub(/ in .*/, "", kind)
	tell("KASAN: " kind " in " symbol(text))
}
/refcount_t: / {
	text = after("refcount_t: ")
	sub(/[;.].*/, "", text)
	tell("refcount_t: " text)
}
/possible circular locking/	{ tell("lockdep: circular locking") }
/possible recursive locking/	{ tell("lockdep: recursive locking") }
/Bad page state/		{ tell("bad page state") }
/bad page map|Bad page map/	{ tell("bad page map") }
/Bad rss-counter/		{ tell("bad page count of a process") }
/cannot create duplicate filename/ { tell("duplicate name in sysfs") }
/BUG: kernel NULL pointer|BUG: unable to handle|general protection fault|Oops: / {
	oops = 1
}
oops && /RIP: / {
	text = $0
	sub(/.*RIP: [0-9]+:/, "", text)
	tell("oops in " symbol(text))
}
/kernel BUG at / {
	text = after("kernel BUG at ")
	sub(/!.*/, "", text)
	tell("BUG at " text)
}
/WARNING: / {
	warning = 1
}
warning && /RIP: / {
	text = $0
	sub(/.*RIP: [0-9]+:/, "", text)
	tell("WARN in " symbol(text))
}
/blocked for more than/		{ tell("hung task") }

END {
	if (!said && oops)
		print "oops"
}
