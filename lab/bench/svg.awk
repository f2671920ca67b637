# SPDX-License-Identifier: GPL-2.0
# svg.awk SUMMARY: a chart of what an operation costs with ours, mainline's being 1.
# Of throughput it is the reciprocal: the shorter, the better, everywhere.

BEGIN {
	FS = "\t"
	left = 300
	unit = 340	# pixels for 1.0
	most = 1.25
	row = 20
	top = 64
}

# Cases that can be compared with mainline, and have an aim.
$11 == "-" || $4 !~ /^[<>]/ || $11 <= 0 { next }

{
	n++
	is_rate = $4 ~ /^>/
	title[n] = $6
	limit = substr($4, 3)
	cost[n] = is_rate ? 1 / $11 : $11
	aim[n] = is_rate ? 1 / limit : limit
	floor[n] = $10 == "-" || $7 == "-" ? 0 : is_rate ? $7 / $10 : $10 / $7
	label[n] = is_rate ? sprintf("%.2f (%.2f times the throughput)", cost[n], $11) : sprintf("%.2f", cost[n])
	missed[n] = $14 == "no" && (is_rate ? $11 < limit : $11 > limit)
}

function escape(s)
{
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	return s
}

function x_of(value)
{
	return left + unit * (value > most ? most : value)
}

# After the bar, if that does not run into the mark of the target.
function label_at(i,    marks)
{
	marks = aim[i] > floor[i] ? aim[i] : floor[i]
	if (cost[i] > marks || x_of(cost[i]) + 6 + 7 * length(label[i]) < x_of(aim[i]))
		return x_of(cost[i]) + 6
	return x_of(marks) + 6
}

function text(x, y, class, s)
{
	printf "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, class, escape(s)
}

function line(x, y1, y2, class)
{
	printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
		x, x, y1, y2, class
}

function style()
{
	print "<style>"
	print "text { font: 12px sans-serif; fill: #1f2328 }"
	print ".head { font-weight: bold; font-size: 14px }"
	print ".right { text-anchor: end }"
	print ".mid { text-anchor: middle }"
	print ".back { fill: #ffffff }"
	print ".good { fill: #2f6fde } .bad { fill: #c9692b }"
	print ".one { stroke: #59636e } .grid { stroke: #d1d9e0 }"
	print ".aim { stroke: #1a7f37; stroke-width: 3 }"
	print ".floor { stroke: #8250df; stroke-width: 3 }"
	print "@media (prefers-color-scheme: dark) {"
	print ".back { fill: #0d1117 }"
	print "text { fill: #e6edf3 } .good { fill: #58a6ff } .bad { fill: #e8945a }"
	print ".one { stroke: #9198a1 } .grid { stroke: #30363d }"
	print ".aim { stroke: #3fb950 } .floor { stroke: #bc8cff }"
	print "}"
	print "</style>"
}

function legend(y)
{
	print "<rect x=\"10\" y=\"" y - 9 "\" width=\"20\" height=\"10\" class=\"good\"/>"
	text(36, y, "", "ours")
	print "<rect x=\"80\" y=\"" y - 9 "\" width=\"20\" height=\"10\" class=\"bad\"/>"
	text(106, y, "", "ours, target missed")
	line(250, y - 11, y + 3, "aim")
	text(258, y, "", "target, at most")
	line(370, y - 11, y + 3, "floor")
	text(378, y, "", "a bare device: no lifetime protection at all")
}

END {
	height = top + n * row + 14
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" " \
		"viewBox=\"0 0 %d %d\" role=\"img\" " \
		"aria-label=\"Cost of UIO operations next to mainline\">\n",
		960, height, 960, height
	style()
	print "<rect width=\"960\" height=\"" height "\" class=\"back\"/>"
	text(10, 18, "head", "Cost of an operation, mainline = 1.0; shorter is better")
	legend(38)
	for (v = 0; v <= most; v += 0.25) {
		line(x_of(v), top - 4, height - 10, v == 1 ? "one" : "grid")
		text(x_of(v), top - 8, "mid", sprintf("%.2f", v))
	}
	for (i = 1; i <= n; i++) {
		y = top + (i - 1) * row
		text(left - 8, y + 14, "right", title[i])
		printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"12\" class=\"%s\"/>\n",
			left, y + 4, x_of(cost[i]) - left, missed[i] ? "bad" : "good"
		if (floor[i])
			line(x_of(floor[i]), y + 2, y + 18, "floor")
		line(x_of(aim[i]), y + 2, y + 18, "aim")
		text(label_at(i), y + 14, "", label[i])
	}
	print "</svg>"
}
