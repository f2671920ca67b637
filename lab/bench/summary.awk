# SPDX-License-Identifier: GPL-2.0
# summary.awk CASES SAMPLES: what the samples come to. Prints a line with TABs for
# each case that was measured: name, kind, unit, target, target to the floor, title,
# medians of mainline, ours, ours-context and floor, ratio, ratio to the floor,
# spread, met (yes, no, unclear, or - without a target). What there is not is "-".
#
# The spread is the largest of any form's: difference of the quartiles over the
# median. A quartile between two samples is interpolated.

# What differs for no reason.
BEGIN {
	least["tcmu"] = 0.005
}

BEGIN {
	OFS = "\t"
	nr_forms = split("mainline ours ours-context floor", forms, " ")
}

/^#/ || NF == 0 { next }

FNR == NR {
	name[++nr_cases] = $1
	kind[$1] = $2
	unit[$1] = $3
	target[$1] = $4
	target_floor[$1] = $5
	title[$1] = $6
	for (i = 7; i <= NF; i++)
		title[$1] = title[$1] " " $i
	next
}

{
	samples[$3, $1] = samples[$3, $1] " " $4
}

function sort(v, n,    i, j, x)
{
	for (i = 2; i <= n; i++) {
		x = v[i]
		for (j = i - 1; j > 0 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
}

function quantile(v, n, q,    at, low)
{
	at = 1 + (n - 1) * q
	low = int(at)
	return low >= n ? v[n] : v[low] + (at - low) * (v[low + 1] - v[low])
}

function summarise(c, form,    v, n, i, s)
{
	n = split(samples[c, form], v, " ")
	if (!n)
		return
	for (i = 1; i <= n; i++)
		v[i] += 0
	sort(v, n)
	median[c, form] = quantile(v, n, 0.5)
	if (median[c, form] > 0)
		s = (quantile(v, n, 0.75) - quantile(v, n, 0.25)) / median[c, form]
	if (s > spread[c])
		spread[c] = s
}

# Is it as the target WANTs? That is about X, the ratio, OURS alone, or what ours has
# MORE. A ratio that is nearer to the limit than samples are to each other says
# nothing.
function fits(x, want, ours, more, apart,    limit, good)
{
	if (want == "-" || x == "-")
		return "-"
	# or they are compared as the strings that they are
	x += 0
	limit = want
	gsub(/[^0-9.]/, "", limit)
	limit += 0
	if (want ~ /^ours<=/)
		return ours <= limit ? "yes" : "no"
	if (want ~ /^\+/)
		return more <= limit ? "yes" : "no"
	good = want ~ /^>=/ ? x >= limit : x <= limit
	if (x > limit * (1 - apart) && x < limit * (1 + apart))
		return "unclear"
	return good ? "yes" : "no"
}

# A holder's part with 10,000 of them, over the same with 100. Below 100 instructions
# it is as good as nothing.
function growth(base, form,    few, many)
{
	if (!((base "1", form) in median) || !((base "100", form) in median) ||
	    !((base "10000", form) in median))
		return
	few = (median[base "100", form] - median[base "1", form]) / 99
	many = (median[base "10000", form] - median[base "1", form]) / 9999
	median[base "growth", form] = ((many < 0 ? 0 : many) + 100) / ((few < 0 ? 0 : few) + 100)
}

function number(x)
{
	return x == int(x) ? sprintf("%d", x) : sprintf(x < 100 ? "%.3f" : "%.1f", x)
}

function shown(c, form)
{
	return (c, form) in median ? number(median[c, form]) : "-"
}

function over(c, form, other)
{
	if (!((c, form) in median) || !((c, other) in median) || median[c, other] <= 0)
		return "-"
	return sprintf("%.3f", median[c, form] / median[c, other])
}

function both(a, b)
{
	if (a == "no" || b == "no")
		return "no"
	if (a == "unclear" || b == "unclear")
		return "unclear"
	return a == "-" && b == "-" ? "-" : "yes"
}

function verdict(c, ratio, to_floor,    apart, ours)
{
	apart = spread[c] > least[kind[c]] ? spread[c] : least[kind[c]] + 0
	ours = median[c, "ours"]
	return both(fits(ratio, target[c], ours, ours - median[c, "mainline"], apart),
		    fits(to_floor, target_floor[c], 0, 0, apart))
}

END {
	for (i = 1; i <= nr_cases; i++) {
		c = name[i]
		for (f = 1; f <= nr_forms; f++)
			if (c ~ /-growth$/)
				growth(substr(c, 1, length(c) - 6), forms[f])
			else
				summarise(c, forms[f])
		# what only a device with a context has
		if (!((c, "ours") in median) && (c, "ours-context") in median)
			median[c, "ours"] = median[c, "ours-context"]
		if (!((c, "ours") in median))
			continue
		ratio = over(c, "ours", "mainline")
		to_floor = over(c, "ours", "floor")
		print c, kind[c], unit[c], target[c], target_floor[c], title[c],
			shown(c, "mainline"), shown(c, "ours"),
			shown(c, "ours-context"), shown(c, "floor"),
			ratio, to_floor, sprintf("%.4f", spread[c]),
			verdict(c, ratio, to_floor)
	}
}
