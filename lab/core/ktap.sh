# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# KTAP for the tests that a verb runs, and their outcomes: see check/expectations.

number=0 passed=0 failed=0 skipped=0

# A verb can set tap to a file, which then also gets all lines.
tap=/dev/null

ktap_line()
{
	printf '%s\n' "$*" | tee -a "$tap"
}

# Print the lines of stdin as comments.
ktap_comments()
{
	sed 's/^/# /' | tee -a "$tap"
}

ktap_plan()
{
	ktap_line "KTAP version 1"
	ktap_line "1..$1"
}

# ktap_result ok|'not ok' NAME [WORDS]: if WORDS begin with SKIP, the test is skipped.
ktap_result()
{
	number=$((number + 1))
	case "$1 ${3-}" in
	'ok SKIP'*) skipped=$((skipped + 1)) ;;
	ok*) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
	ktap_line "$1 $number $2${3:+ # $3}"
}

# Print the total, and fail if a test has failed.
ktap_end()
{
	ktap_line "# $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}

# Run CMD, set status to its status, and write its output to $work/output. The lab's messages
# on set-up go to stderr. CMD is a process group of its own, so that all of it ends with us.
capture()
{
	status=0
	set -m
	{
		"$@" 2>&1 </dev/null |
			sed -u -e '/^lab: /{w /dev/stderr' -e 'd}' >"$work/output"
	} &
	set +m
	children=("-$!")
	wait "$!" || status=$?
	children=()
}

# Run tests: CMD NAME passes if it returns 0, and is skipped if it returns 4. Its output says
# why. If must_be_silent is set, a test that prints anything fails.
ktap_run()
{
	local name status cmd=$1

	shift
	ktap_plan "$#"
	for name in "$@"; do
		capture "$cmd" "$name"
		if [ "$status" -eq 0 ] && [ -n "${must_be_silent-}" ] && [ -s "$work/output" ]; then
			status=1
		fi
		case $status in
		0) ktap_result ok "$name" ;;
		4) ktap_result ok "$name" "SKIP $(tail -n 1 "$work/output")" ;;
		*)
			[ -s "$work/output" ] || echo "it failed, status $status" >"$work/output"
			ktap_comments <"$work/output"
			ktap_result 'not ok' "$name" ;;
		esac
	done
	ktap_end
}

# The expectations, in the order in which they count. With the fixes, mainline does what it did,
# but for the tests that the patches name. Where a test shows nothing, it does not run there either.
expectations_of()
{
	if [ "$1" = fixes ]; then
		grep '^\* ' "$lab/check/expectations"
		awk '/^Turns: / { print "fixes", $4 ? $4 : "*", "pass", $2, $3 }' \
			"$top"/postings/*-fixes/*.patch
		sed 's/^mainline /fixes /' "$lab/check/expectations"
	else
		cat "$lab/check/expectations"
	fi
}

# Read tests, one "PROGRAM TEST" in each line. Print each with its outcome.
outcomes_of()
{
	awk -v modules="$1" -v kernel="$2" -f "$lab/check/outcome.awk" \
		<(expectations_of "$1") -
}
