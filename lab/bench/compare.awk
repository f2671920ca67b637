# SPDX-License-Identifier: GPL-2.0
# compare.awk OLD NEW: two files of figures as json.awk writes them. What is compared
# is ours over mainline, each measured in the same run: another machine, or another
# load, is on both sides. Exits with 1 if a case got slower by more than its spread.
# With -v ktap=1 each case is a test.

# The value of KEY in a line.
function field(key,    at, s)
{
	at = index($0, "\"" key "\": ")
	if (!at)
		return ""
	s = substr($0, at + length(key) + 4)
	sub(/[,}].*/, "", s)
	gsub(/"/, "", s)
	return s == "null" ? "" : s
}

# Of ours, where mainline has no such thing.
function figure()
{
	return field("ratio") != "" ? field("ratio") : field("ours")
}

function is_more_better(unit)
{
	return unit ~ /\/(s|Ginstr)$/
}

function tell(what)
{
	print (ktap ? "# " : "") what
}

function result(good)
{
	if (ktap)
		print (good ? "ok " : "not ok ") nr " " name
}

!/^  "/ { next }

{
	split($0, part, "\"")
	name = part[2]
	spread = field("spread") + 0
}

FNR == NR {
	old[name] = figure()
	old_spread[name] = spread
	next
}

{
	seen[name] = 1
	nr++
	if (!(name in old)) {
		tell(name ": new")
		result(1)
		next
	}
	if (figure() == "" || old[name] == "" || old[name] <= 0) {
		result(1)
		next
	}
	compared++
	# instructions are exact, but for what depends on where memory is
	allowed = spread > old_spread[name] ? spread : old_spread[name]
	if (allowed < 0.01)
		allowed = 0.01
	slower = is_more_better(field("unit")) ? old[name] / figure() - 1 : figure() / old[name] - 1
	if (slower > allowed) {
		bad++
		tell(sprintf("%s: slower by %.1f %%, allowed are %.1f %%", name, slower * 100, allowed * 100))
	} else if (slower < -allowed) {
		tell(sprintf("%s: faster by %.1f %%", name, -slower * 100))
	}
	result(slower <= allowed)
}

END {
	for (name in old)
		if (!(name in seen))
			missing++
	if (missing)
		tell(sprintf("%d cases were not measured this time", missing))
	tell(sprintf("%d cases compared, %d slower", compared, bad))
	if (ktap)
		print "1.." nr
	exit compared && !bad ? 0 : 1
}
