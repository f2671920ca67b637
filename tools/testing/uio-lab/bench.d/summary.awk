# SPDX-License-Identifier: GPL-2.0
# summary.awk CASES SAMPLES: what the samples come to. Prints a line with TABs for
# each case that was measured: name, kind, unit, target, target to the floor, title,
# medians of mainline, ours, ours-context and floor, ratio, ratio to the floor,
# spread, met (yes, no, or - without a target). What there is not is "-".
#
# The spread is the largest of any form's: difference of the quartiles over the
# median. A quartile between two samples is interpolated.

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

# Is RATIO as the target wants it?
function fits(ratio, want,    limit)
{
	if (want == "-" || ratio == "-")
		return "-"
	limit = substr(want, 3) + 0
	if (want ~ /^<=/)
		return ratio <= limit ? "yes" : "no"
	return ratio >= limit ? "yes" : "no"
}

function number(x)
{
	return x == int(x) ? sprintf("%d", x) : sprintf("%.1f", x)
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
	return a == "-" && b == "-" ? "-" : "yes"
}

END {
	for (i = 1; i <= nr_cases; i++) {
		c = name[i]
		for (f = 1; f <= nr_forms; f++)
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
			both(fits(ratio, target[c]), fits(to_floor, target_floor[c]))
	}
}
