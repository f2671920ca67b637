# SPDX-License-Identifier: GPL-2.0
# Reads what check-guest printed, and the list of tests that were to run. Writes
# KTAP, nested, to the file "full"; and to stdout what did not go as it should.
# expect=fail: a test has to fail. The counts go to the file "counts".

function result(good, name, why)
{
	seen++
	if (why) {
		skipped++
		body = body sprintf("    ok %d %s # SKIP %s\n", seen, name, why)
	} else if (good) {
		passed++
		body = body sprintf("    ok %d %s\n", seen, name)
	} else {
		failed++
		body = body sprintf("    not ok %d %s\n%s", seen, name, notes)
		bad = bad sprintf("    not ok %d %s\n%s", seen, name, notes)
	}
}

NR == FNR {
	todo[$1 " " $2] = 1
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
	why = ""
	if (match($0, /# SKIP .*/))
		why = substr($0, RSTART + 7)
	if (!((program " " name) in todo))
		next
	delete todo[program " " name]
	if (expect == "fail") {
		if (!failing)
			notes = "    # it passed, or was skipped, where it has to fail\n"
		result(failing, program " " name, "")
	} else {
		result(!failing, program " " name, why)
	}
	notes = ""
	next
}

/^# +(RUN|OK|FAIL)/ {
	notes = ""
	next
}

/^# / {
	notes = notes "    " $0 "\n"
}

END {
	notes = ""
	for (name in todo) {
		notes = "    # it did not run to its end\n"
		result(0, name, "")
	}
	printf "    KTAP version 1\n    1..%d\n%s", seen, body >full
	printf "%s", bad
	printf "%d %d %d\n", passed, failed, skipped >counts
}
