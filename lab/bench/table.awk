# SPDX-License-Identifier: GPL-2.0
# table.awk SUMMARY: the table that is shown.

BEGIN {
	FS = "\t"
	what["count"] = "Instructions, one CPU"
	what["holders"] = "The same, of a device that is in use"
	what["rate"] = "Throughput, two CPUs"
	what["ring"] = "A ring of TCMU, instructions, one CPU"
	what["tcmu"] = "TCMU, I/O per 10^9 instructions, one CPU"
	what["fio"] = "TCMU, throughput, two CPUs"
	what["memory"] = "Kernel memory, bytes"
	word["yes"] = "met"
	word["no"] = "missed"
	word["unclear"] = "unclear"
	form = "%-38s %9s %9s %9s  %-13s %-13s %6s  %s\n"
	printf form, "", "mainline", "ours", "floor", "to mainline", "to floor",
		"spread", ""
}

# Four digits are enough to look at.
function short(x)
{
	if (x == "-" || x < 100000)
		return x
	if (x < 10000000)
		return sprintf("%.1f k", x / 1000)
	return sprintf("%.1f M", x / 1000000)
}

# What is aimed at: a ratio, a difference, or a figure of ours.
function aim(ratio, target)
{
	if (target ~ /^ours/)
		return sprintf("%.2f (%s)", $8, substr(target, 5))
	if (target ~ /^[+]/)
		return sprintf("%+d (<=%s)", $8 - $7, target)
	if (ratio == "-")
		return ""
	return sprintf("%.3f", ratio) (target == "-" ? "" : " (" target ")")
}

$2 != last {
	last = $2
	print what[$2]
}

{
	printf form, "  " $6, short($7), short($8), short($10), aim($11, $4),
		aim($12, $5), sprintf("%.1f %%", $13 * 100),
		word[$14]
	if ($14 == "yes")
		met++
	if ($14 != "-")
		aims++
	if ($9 != "-" && $9 != $8 && ($9 / $8 > 1.01 || $9 / $8 < 0.99))
		printf form, "    with a context", "", short($9), "", "", "", "", ""
}

END {
	if (aims)
		printf "%d of %d targets are met.\n", met, aims
}
