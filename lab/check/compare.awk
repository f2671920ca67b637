# SPDX-License-Identifier: GPL-2.0
# Reads the rows, and then records of found.awk with the column in front. Prints
# the comparison as a table that is Markdown as well.
#
# "names" has the columns, one a line. A cell is "ok" and the number of tests, or
# what happened in how many of them. A column of which nothing was run is left out.

function regex(glob)
{
	gsub(/\./, "\\.", glob)
	gsub(/\*/, ".*", glob)
	return "^" glob "$"
}

function count(row, column, result, what,   key)
{
	key = row SUBSEP column
	seen[column] = 1
	all[key]++
	if (result == "pass")
		return
	bad[key]++
	if (what == "")
		what = "fails"
	gsub(/\|/, "or", what)
	if (length(what) > 42)
		what = substr(what, 1, 40) ".."
	if (!((key, what) in times))
		kinds[key] = kinds[key] (kinds[key] == "" ? "" : "\t") what
	times[key, what]++
}

# The most frequent first; two say enough.
function cell(row, column,   key, n, i, j, part, text)
{
	key = row SUBSEP column
	if (!all[key])
		return "-"
	if (!bad[key])
		return "ok (" all[key] ")"
	n = split(kinds[key], part, "\t")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && times[key, part[j]] > times[key, part[j - 1]]; j--) {
			text = part[j]
			part[j] = part[j - 1]
			part[j - 1] = text
		}
	text = part[1]
	if (n == 2)
		text = text ", " part[2]
	else if (n > 2)
		text = text ", " n - 1 " other"
	return text " (" bad[key] " of " all[key] ")"
}

function line(first, cells,   i)
{
	printf "| %-*s |", widths[0], first
	for (i = 1; i <= nr_columns; i++)
		printf " %-*s |", widths[i], cells[i]
	printf "\n"
}

function widen(i, text)
{
	if (length(text) > widths[i])
		widths[i] = length(text)
}

BEGIN {
	nr_columns = split(names, columns, "\n")
}

NR == FNR {
	if (/^(#|$)/)
		next
	if (/^\t/) {
		rule[++rules] = $0
		sub(/^\t/, "", rule[rules])
		rule_row[rules] = rows
	} else {
		title[++rows] = $0
	}
	next
}

FNR == 1 {
	FS = "\t"
	$0 = $0
	for (i = 1; i <= rules; i++) {
		split(rule[i], part, " ")
		rule_program[i] = regex(part[1])
		rule_test[i] = regex(part[2])
	}
}

# column, program, test, outcome, result, what
$2 == "" || $5 == "skip" { next }

{
	delete done
	for (i = 1; i <= rules; i++)
		if (!(rule_row[i] in done) && $2 ~ rule_program[i] && $3 ~ rule_test[i]) {
			count(rule_row[i], $1, $5, $6)
			done[rule_row[i]] = 1
		}
}

END {
	for (c = 1; c <= nr_columns; c++)
		if (columns[c] in seen)
			columns[++n] = columns[c]
	nr_columns = n
	for (r = 1; r <= rows; r++) {
		sub(/^= /, "", title[r]) ? heading[r] = 1 : 0
		widen(0, title[r])
		for (c = 1; c <= nr_columns; c++)
			widen(c, heading[r] ? "" : table[r, c] = cell(r, columns[c]))
	}
	for (c = 1; c <= nr_columns; c++)
		widen(c, cells[c] = columns[c])
	line("", cells)
	printf "|"
	for (c = 0; c <= nr_columns; c++) {
		rulings = sprintf("%*s", widths[c] + 2, "")
		gsub(/ /, "-", rulings)
		printf "%s|", rulings
	}
	printf "\n"
	for (r = 1; r <= rows; r++) {
		for (c = 1; c <= nr_columns; c++)
			cells[c] = heading[r] ? "" : table[r, c]
		line(heading[r] ? "**" title[r] "**" : title[r], cells)
	}
}
