# SPDX-License-Identifier: GPL-2.0
# The list of the files in a stage, our drivers/uio/Makefile, the kernel's: prints the
# kernel's with what ours links to uio.o and what it builds besides, as far as it is there.

function exists(object)
{
	sub(/\.o$/, ".c", object)
	return ("drivers/uio/" object) in file
}

FILENAME == ARGV[1] {
	file[$0]
	next
}

FILENAME == ARGV[2] && /^(obj-|uio)/ && !/^obj-\$\(CONFIG_UIO\)/ {
	out = $1 " " $2
	n = 0
	for (i = 3; i <= NF; i++)
		if (/^obj-/ || exists($i)) {
			out = out " " $i
			n++
		}
	# before there are tests there is no module of them
	if (n && (!/KUNIT/ || exists("uio_kunit_fixture.o")))
		lines = lines out "\n"
	next
}

FILENAME == ARGV[2] {
	next
}

{
	print
}

/^obj-\$\(CONFIG_UIO\)/ {
	# what it is made of, where the kernel has it of one file
	printf "%s", exists("uio_main.o") ? lines : ""
}
