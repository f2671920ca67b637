# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The jobs of check, which are in the file "jobs", and the tests of each job. Here, a job is a line
#
#	NAME KIND KERNEL MODULES GROUP

# a slot for hot-plug
drivers_options=(--device 'pcie-root-port,id=slot0')

# The kernels of check without --all and without names.
usual_kernels=(7.3-debug 7.3 6.12-armmp 6.12-arm64 6.12)

# Can a test on that kernel have one of the names? If a name begins with a kernel, only on that one.
can_be_named()
{
	local word

	[ "${#words[@]}" -gt 0 ] || return 0
	for word in "${words[@]}"; do
		[[ $word = "$1"/* ]] || [[ $word != */* ]] || ! is_known "${word%%/*}" || continue
		return 0
	done
	return 1
}

# The slowest come first. The lab compiles some kernels only for whoever names them.
kernels_to_test()
{
	local k

	[ -n "$all" ] || [ "${#words[@]}" -gt 0 ] || {
		printf '%s\n' "${usual_kernels[@]}"
		return
	}
	for k in $(known_kernels | tr , '\n' | tac); do
		! is_compiled "$k" || is_in "$k" "${usual_kernels[@]}" ||
			[[ " ${words[*]}" = *" $k"* ]] || continue
		! can_be_named "$k" || echo "$k"
	done
}

# The patterns of tests that check leaves out.
read_left_out()
{
	mapfile -t left_out < <(grep -Ev '^(#|$)' "$lab/check/left-out")
}

is_left_out()
{
	local pattern

	for pattern in "${left_out[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# The programs that "ours-races" runs many times.
races=(uio_race_test uio_wake_test uio_drain_test uio_revoke_test uio_turns_test)

# The group of a program. Programs with the same needs share a guest.
group_of()
{
	case $1 in
	*_nth_test) echo nth ;;
	tcmu_*) echo tcmu ;;
	uio_drivers_test) echo drivers ;;
	*) echo core ;;
	esac
}

# Options of lab run that only this group needs.
group_options()
{
	case $1 in
	drivers) printf '%s\n' "${drivers_options[@]}" ;;
	esac
}

jobs_of()
{
	local kernel=$1 job kind modules group kernels

	while read -r job kind modules group kernels; do
		# shellcheck disable=SC2053 # a pattern
		[[ $kernel != $kernels ]] || echo "$kernel/$job $kind $kernel $modules $group"
	done < <(grep -Ev '^(#|$)' "$lab/check/jobs")
}

# The program of KUnit tests is the script that runs them. In the source, the name of a
# suite comes after its cases.
kunit_tests()
{
	awk '
		sub(/^\tKUNIT_CASE[A-Z_]*\(/, "") {
			sub(/[^a-z0-9_].*/, "")
			test[++n] = $0
		}
		sub(/^\t\.name[ \t]*= "uio_lifetime/, "uio_lifetime") {
			sub(/".*/, "")
			for (i = 1; i <= n; i++)
				print "uio_kunit.sh", $0 "." test[i]
			n = 0
		}
		END { print "uio_kunit.sh uio_lifetime.modules_unload" }' \
		"$top"/drivers/uio/tests/*_kunit.c
}

# Only builds depend on the kernel. The other checks run with the first kernel.
lint_tests()
{
	"$lab/lab" lint --list | while read -r name; do
		if [ "$name" = "build-$1" ] ||
			[[ $name != build-* && $1 = "${kernels[0]}" ]]; then
			echo "$name"
		fi
	done
}

host_tests()
{
	local kernel=$1 group=$2

	case $group in
	lint) lint_tests "$kernel" ;;
	tree | same | chaos | series-check) "$lab/lab" "$group" --kernel "$kernel" --list ;;
	bench-test | deb-test | driver-test | model) "$lab/lab" "$group" --list ;;
	# the unplug suite has a shorter form of the other one
	plug) "$lab/lab" plug --list | grep -vx writes ;;
	unplug) "$selftests/unplug/unplug" --list | cut -d ' ' -f 1 ;;
	esac | sed "s/^/$group /"
}

all_programs()
{
	(cd "$selftests" && printf '%s\n' *_test.c | sed 's/\.c$//')
}

# Read the tests of all programs once, because all kernels run them.
declare -A tests_in_program=() group_of_program=()
read_programs()
{
	local program

	for program in $(all_programs); do
		tests_in_program[$program]=$("$lab/check/list-tests" "$selftests/$program.c" |
			sed "s/^/$program /")
		group_of_program[$program]=$(group_of "$program")
	done
}

# Print "PROGRAM TEST" for the tests of a program.
tests_of()
{
	printf '%s\n' "${tests_in_program[$1]}"
}

programs_in()
{
	local kind=$1 group=$2 program

	if [ "$group" = races ]; then
		printf '%s\n' "${races[@]}"
		return
	fi
	for program in $(all_programs); do
		[ "$kind" != alone ] && [ "${group_of_program[$program]}" != "${group%-32}" ] ||
			echo "$program"
	done
}

# Print "PROGRAM TEST OUTCOME" for the tests of a job.
tests_in()
{
	local kind=$2 kernel=$3 modules=$4 group=$5 program outcomes='pass|fail'

	[ "$kind" != alone ] || outcomes='alone|report'
	if [ "$kind" = host ]; then
		host_tests "$kernel" "$group"
	elif [ "$kind" = verb ]; then
		echo "$group everything"
	elif [ "$group" = kunit ]; then
		kunit_tests
	else
		for program in $(programs_in "$kind" "$group"); do
			tests_of "$program"
		done
	fi | outcomes_of "$modules" "$kernel" | sed -nE "/ ($outcomes)\$/p"
}
