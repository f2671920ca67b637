# SPDX-License-Identifier: GPL-2.0
# Reads lists as lint.allow, with list=1, and then what checkpatch says. Prints what is not
# allowed and, if it is WHOLE, entries that are of no use.

list && NF && !/^#/ {
	entry[++n] = $1 " " $2
	from[n] = FILENAME
	sub(/.*\//, "", from[n])
	if (NF < 3)
		print from[n] ": no reason is given for " entry[n]
	gsub(/[.+]/, "\\\\&", $1)
	gsub(/\*/, "[^/]*", $1)
	pattern[n] = "^" $1 ":[0-9]+: [A-Z]+:" $2 ": "
}

list {
	next
}

{
	found = 0
	for (i = 1; i <= n; i++)
		if ($0 ~ pattern[i])
			used[i] = found = 1
	if (!found)
		print
}

END {
	for (i = 1; whole && i <= n; i++)
		if (!used[i])
			print from[i] ": nothing matches " entry[i]
}
