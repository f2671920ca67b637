# SPDX-License-Identifier: GPL-2.0
# For each side, after side=NAME, reads what the tests of a part have to do, as "clients
# PART.TEST pass|fail", and their results, as "ok TEST" or "not ok TEST". Prints comments on
# tests that did something else, and "VERDICT MAINLINE OURS PART.TEST WORDS", separated by
# tabs. If there is only one side, it is compared with itself.

function judge(test,	theirs, ours)
{
	theirs = outcome[first, test]
	ours = outcome[side, test]
	words = said[side, test]
	if (theirs == "skipped" || ours == "skipped") {
		verdict = "skipped"
		if (ours != verdict)
			words = said[first, test]
	} else if (ours != wanted[side, test])
		verdict = theirs == "ok" ? "WORSE" : "fails"
	else if (theirs != wanted[first, test])
		verdict = "not as expected"
	else
		verdict = theirs == ours ? "same" : "better"
	if (verdict ~ /WORSE|fails|expected/) {
		printf "%s%s", said[first, test], first == side ? "" : words
		words = ""
	}
	if (verdict == "same" && ours == "FAILS")
		words = "it has to fail here"
	if (verdict != "skipped" && theirs != ours)
		words = "mainline " theirs ", late release " ours
	print verdict, theirs, ours, test, words
}

BEGIN {
	OFS = "\t"
}

/^clients / {
	if (!first)
		first = side
	if (side == first)
		tests[++n] = $2
	part = $2
	sub(/\..*/, ".", part)
	wanted[side, $2] = $3 == "fail" ? "FAILS" : "ok"
	outcome[side, $2] = "FAILS"
}

/^# / {
	text = text "# " side ": " substr($0, 3) "\n"
}

# if a test has two results, the first one counts
/^(not )?ok / {
	test = part ($1 == "not" ? $3 : $2)
	if ((side, test) in said)
		next
	outcome[side, test] = / # SKIP / ? "skipped" : $1 == "not" ? "FAILS" : "ok"
	if (outcome[side, test] != "FAILS" && match($0, / # (SKIP )?/))
		text = substr($0, RSTART + RLENGTH)
	said[side, test] = text
	text = ""
}

END {
	for (i = 1; i <= n; i++)
		judge(tests[i])
}
