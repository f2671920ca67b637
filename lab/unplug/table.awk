# SPDX-License-Identifier: GPL-2.0
# Reads the KTAP of runs of the unplug suite, in files KERNEL-MODULES/unplug.tap.
# Prints a table of what became of the scenarios, with the longest delete of each,
# how long all took, and below it why some failed.

FNR == 1 {
	side = FILENAME
	sub(/\/.*/, "", side)
	sides[++ns] = side
}

sub(/^# FAILED: /, "") {
	reason = $0
	next
}

sub(/^Bail out! /, "") {
	why[++nw] = side ": " $0
	next
}

/^# took [0-9]+ s/ {
	seconds[side] += $3
	next
}

/^# delete took [0-9]+ ms/ {
	if (!took || $4 + 0 > longest)
		longest = $4 + 0
	took = 1
}

/^(not )?ok / {
	failing = $1 == "not"
	name = failing ? $4 : $3
	if (!(name in known)) {
		known[name] = 1
		names[++nn] = name
	}
	if (failing) {
		cell[name, side] = "FAILS"
		why[++nw] = name ", " side ": " reason
	} else if (/# SKIP/) {
		cell[name, side] = "skipped"
	} else {
		cell[name, side] = took ? "ok, " longest " ms" : "ok"
	}
	took = longest = 0
}

END {
	printf "%-28s", "scenario"
	for (i = 1; i <= ns; i++)
		printf " | %-18s", sides[i]
	print ""
	for (n = 1; n <= nn; n++) {
		printf "%-28s", names[n]
		for (i = 1; i <= ns; i++) {
			what = cell[names[n], sides[i]]
			printf " | %-18s", what == "" ? "-" : what
		}
		print ""
	}
	printf "%-28s", "all of them"
	for (i = 1; i <= ns; i++)
		printf " | %-18s", seconds[sides[i]] " s"
	print ""
	if (nw)
		print ""
	for (i = 1; i <= nw; i++)
		print why[i]
}
