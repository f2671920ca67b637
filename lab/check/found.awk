# SPDX-License-Identifier: GPL-2.0
# Reads the list of tests that were to run, and what they printed. Prints a record
# for each, with tabs between
#
#	PROGRAM TEST OUTCOME RESULT WHAT
#
# OUTCOME is what it has to do, RESULT is pass, fail, skip or none: it did not end.
# WHAT says why, in the words of the test. Lines that begin with a tab are its
# messages.

function words(note)
{
	sub(/^# [^:]*:[0-9]+:[^:]*:/, "", note)
	return note
}

NR == FNR {
	outcome[$1 " " $2] = $3
	order[FNR] = $1 " " $2
	next
}

/^== end/ {
	program = ""
	next
}

/^== / {
	program = $2
	next
}

/^(not )?ok [0-9]+ / {
	failing = $1 == "not"
	name = failing ? $4 : $3
	key = program " " name
	if (!(key in outcome))
		next
	result = failing ? "fail" : "pass"
	if (match($0, /# SKIP .*/)) {
		result = "skip"
		what = substr($0, RSTART + 7)
	}
	if (what == "")
		what = expected
	printf "%s\t%s\t%s\t%s\t%s\n", program, name, outcome[key], result, what
	if (failing)
		printf "%s", notes
	delete outcome[key]
	notes = what = expected = ""
	next
}

/^# +(RUN|OK|FAIL)/ {
	if ($2 == "RUN")
		notes = what = expected = ""
	next
}

/^# FAILED: / {
	notes = notes "\t" $0 "\n"
	what = substr($0, 11)
	next
}

/^# / {
	notes = notes "\t" $0 "\n"
	text = words($0)
	if (text ~ /[Tt]est terminated by timeout/)
		what = "hangs"
	else if (text ~ /^Expected /)
		expected = expected == "" ? text : expected
	else if (what == "" && text !~ /^#/)
		what = text
}

# The first of them is where it stopped.
END {
	for (i = 1; i in order; i++) {
		if (!(order[i] in outcome))
			continue
		split(order[i], part, " ")
		printf "%s\t%s\t%s\tnone\tdid not run to its end\n", part[1], part[2], outcome[order[i]]
	}
}
