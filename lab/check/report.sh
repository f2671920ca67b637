# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Print the results of jobs, and add them to $tap and to the totals.

# shellcheck source=../core/ktap.sh
. "$lab/core/ktap.sh"

failed_jobs=()

report_job()
{
	local name=$1 kind=$2 modules=$4 dir=$results/$1 p f s

	number=$((number + 1))
	"$lab/lab" exec -- python3 "$lab/check/report.py" \
		job "$dir" "$name" "$kind" "$modules" "$number" "$(tests_in "$@" | wc -l)"
	cat "$dir/full" >>"$tap"
	read -r p f s <"$dir/counts"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ "$f" -eq 0 ] || failed_jobs+=("$name")
}

report_table()
{
	"$lab/lab" exec -- python3 "$lab/check/report.py" jobs "$results"
}
