# SPDX-License-Identifier: GPL-2.0
# Reads the names of tests, the page with the table of deviations, mainline's facts and
# ours, in this order, with what=tests, table, mainline, ours before each. Prints KTAP,
# and writes all differences to the file "diff", with the row of the table that has it.
#
# A test is the name of a group of facts, or "table": that each row of it is of use. A
# row of the table on the page is
#
#	   * - ``FACTS`` ``FACTS``...
#	     - ``VALUES``
#	     - ``VALUES``
#	     - why
#
# with patterns of facts, of mainline's values and of ours, in which * is anything. A fact
# that there is on one side only is "absent" on the other. A row may be for one kernel
# only: then "(KERNEL)" is after its FACTS.

function regex(glob)
{
	gsub(/[].+?(){}|^$\\[]/, "\\\\&", glob)
	gsub(/\*/, ".*", glob)
	return "^" glob "$"
}

# The next pattern between double backquotes in text; takes it away.
function pattern(   found)
{
	if (!match(text, /``[^`]+``/))
		return ""
	found = substr(text, RSTART + 2, RLENGTH - 4)
	text = substr(text, RSTART + RLENGTH)
	return found
}

# A row's cells are complete.
function end_row(   glob, name)
{
	if (cells && cells != 4)
		incomplete = incomplete "# a row of " cells " cells, not 4: " cell[1] "\n"
	if (cells == 4 && cell[1] ~ /``/) {
		name = ++rows
		title[name] = cell[1]
		gsub(/``/, "", title[name])
		only[name] = ""
		if (match(cell[1], /\([0-9.]+\)/))
			only[name] = substr(cell[1], RSTART + 1, RLENGTH - 2)
		text = cell[1]
		while ((glob = pattern()) != "")
			facts[name, ++globs[name]] = regex(glob)
		text = cell[2]
		theirs[name] = regex(pattern())
		text = cell[3]
		mine[name] = regex(pattern())
		reason[name] = cell[4]
	}
	cells = 0
}

# Which row allows that difference, or 0.
function row_of(name, a, b,   row, i)
{
	for (row = 1; row <= rows; row++) {
		if (only[row] != "" && index(kernel, only[row]) != 1)
			continue
		for (i = 1; i <= globs[row]; i++)
			if (name ~ facts[row, i] && a ~ theirs[row] && b ~ mine[row])
				return row
	}
	return 0
}

function value(side, name)
{
	return (side, name) in fact ? fact[side, name] : "absent"
}

# Take a difference to the file, and to what the group's test says if no row has it.
function differs(group, name, a, b,   row)
{
	row = row_of(name, a, b)
	printf "%s\n\tmainline\t%s\n\tours\t\t%s\n\tallowed\t\t%s\n", name, a, b,
		row ? title[row] : "no" >diff
	if (row) {
		used[row]++
		return
	}
	if (++unexplained[group] <= 10)
		notes[group] = notes[group] sprintf("# %s: mainline %s, ours %s\n", name, a, b)
}

function result(name, why)
{
	number++
	if (why == "")
		printf "ok %d %s\n", number, name
	else
		printf "# %s\nnot ok %d %s\n", why, number, name
	failed += why != ""
}

function test_group(group,   why)
{
	printf "%s", notes[group]
	if (!((group "/ended") in known))
		why = "the probe has no such group, or died before it"
	else if (value("mainline", group "/ended") != "status 0" ||
		 value("ours", group "/ended") != "status 0")
		why = "the probe ended: on mainline " value("mainline", group "/ended") \
			", on ours " value("ours", group "/ended")
	else if (unexplained[group])
		why = unexplained[group] " of " facts_in[group] \
			" facts differ and are not in the table, or are there twice: see " shown
	result(group, why)
}

function test_table(   row, why)
{
	printf "%s", incomplete
	if (incomplete != "")
		why = "rows that can't be read"
	for (row = 1; row <= rows; row++) {
		if (only[row] != "" && index(kernel, only[row]) != 1)
			continue
		if (!used[row]) {
			printf "# no difference is as this row of the table has it: %s\n", title[row]
			why = "rows of no use"
		}
		if (reason[row] !~ /[a-z]/) {
			printf "# no reason is given for %s\n", title[row]
			why = "rows without a reason"
		}
	}
	if (!rows)
		why = "there is no table"
	result("table", why)
}

what == "tests" {
	test[++tests] = $0
	next
}

what == "table" {
	if (/^   \* - /) {
		end_row()
		cells = 1
		cell[1] = substr($0, 8)
	} else if (cells && /^     -/)
		cell[++cells] = substr($0, 8)
	else if (cells && /^       /)
		cell[cells] = cell[cells] " " substr($0, 8)
	else
		end_row()
	next
}

{
	end_row()
	at = index($0, " = ")
	name = substr($0, 1, at - 1)
	group = substr(name, 1, index(name, "/") - 1)
	if (!at || (what, name) in fact) {
		unexplained[group]++
		notes[group] = notes[group] "# " what " has two facts of this name: " $0 "\n"
		next
	}
	fact[what, name] = substr($0, at + 3)
	if (!(name in known)) {
		known[name] = 1
		order[++names] = name
		facts_in[group]++
	}
}

END {
	printf "" >diff
	for (i = 1; i <= names; i++) {
		name = order[i]
		if (value("mainline", name) "" != value("ours", name) "")
			differs(substr(name, 1, index(name, "/") - 1), name,
				value("mainline", name), value("ours", name))
	}
	for (i = 1; i <= tests; i++) {
		if (test[i] == "table")
			test_table()
		else
			test_group(test[i])
	}
	exit failed > 0
}
