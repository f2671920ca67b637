# SPDX-License-Identifier: GPL-2.0
# json.awk SUMMARY: the same for machines, a case a line.

BEGIN {
	FS = "\t"
	print "{"
}

function value(x)
{
	return x == "-" ? "null" : x
}

function text(x)
{
	return x == "-" ? "null" : "\"" x "\""
}

{
	if (NR > 1)
		print line ","
	line = sprintf("  \"%s\": {\"mainline\": %s, \"ours\": %s, \"floor\": %s, " \
		"\"ratio\": %s, \"to_floor\": %s, \"unit\": \"%s\", \"spread\": %s, " \
		"\"target\": %s, \"target_floor\": %s, \"met\": %s",
		$1, value($7), value($8), value($10), value($11), value($12), $3, $13,
		text($4), text($5),
		$14 == "yes" ? "true" : $14 == "no" ? "false" : "null")
	if ($9 != "-" && $9 != $8)
		line = line sprintf(", \"ours-context\": %s", $9)
	line = line "}"
}

END {
	if (NR)
		print line
	print "}"
}
