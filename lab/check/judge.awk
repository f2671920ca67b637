# SPDX-License-Identifier: GPL-2.0
# Reads the records of found.awk. Writes KTAP, nested, to the file "full", and to
# stdout what did not go as it should; the counts of passed, failed and skipped go
# to the file "counts". A test that mainline can't do, for want of contexts, does
# not count.

BEGIN {
	FS = "\t"
	passed = failed = skipped = 0
	wrong["fail"] = "has to fail here, and did not: "
	wrong["alone"] = "has to fail or to be complained about here, and was not: "
	wrong["report"] = "has to pass with a report of lockdep's, and did not: "
}

function good()
{
	if ($3 == "fail")
		return $4 == "fail"
	if ($3 == "alone")
		return $4 == "fail" || $4 == "bad"
	if ($3 == "report")
		return $4 == "pass" && $5 ~ /^lockdep: /
	return $4 == "pass"
}

function show(line)
{
	body = body line
	if (show_it)
		bad = bad line
}

/^\t/ {
	if (show_it)
		show("    " substr($0, 2) "\n")
	next
}

{
	show_it = 0
	if ($4 == "skip" && modules == "mainline" && $5 ~ /no contexts/ &&
	    ($3 == "pass" || $2 !~ /\.d[0-9]+_/))
		next
	seen++
	if ($3 == "pass" && $4 == "skip") {
		skipped++
		show(sprintf("    ok %d %s %s # SKIP %s\n", seen, $1, $2, $5))
	} else if (good()) {
		passed++
		show(sprintf("    ok %d %s %s%s\n", seen, $1, $2, $3 == "pass" ? "" : " # " $5))
	} else {
		failed++
		show_it = !($4 == "none" && kind == "guest" && unrun++)
		show(sprintf("    not ok %d %s %s\n    # %s%s: %s\n", seen, $1, $2, wrong[$3], $4, $5))
	}
}

END {
	printf "    KTAP version 1\n    1..%d\n%s", seen, body >full
	printf "%s", bad
	if (unrun > 1)
		printf "    # and %d more that did not run\n", unrun - 1
	printf "%d %d %d\n", passed, failed, skipped >counts
}
