# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The jobs of check, and the tests of each job. A job is a line
#
#	NAME KIND KERNEL MODULES GROUP
#
# KIND is one of
#
#	guest	the programs of GROUP, in one guest
#	alone	tests that each need a guest of their own, one after the other
#	host	the verb GROUP of the lab, which may start guests of its own
#	verb	the same, but the whole verb counts as one test

# a slot for hot-plug
drivers_options=(--device 'pcie-root-port,id=slot0')

# All is tested on "all_kernels", and less on the others. On these, make check runs one job.
usual_others=(7.3 6.12-arm64 6.12-armmp)

# The slowest come first. The lab compiles some kernels only for whoever names them.
kernels_to_test()
{
	local k

	for k in $(known_kernels | tr , '\n' | tac); do
		! is_compiled "$k" || is_in "$k" "${all_kernels[@]}" ||
			[[ " ${words[*]}" = *" $k"* ]] || continue
		echo "$k"
	done
}

# Without --all and without names.
usual_jobs()
{
	local k

	for k in $(kernels_to_test); do
		if is_in "$k" "${all_kernels[@]}"; then
			jobs_of "$k"
		elif is_in "$k" "${usual_others[@]}"; then
			jobs_of "$k" | grep '/ours '
		fi
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

# Kernels that also run programs of 32 bits, as group "core-32".
kernels_with_32=(6.12 6.12-arm64)

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

jobs_of_32()
{
	! is_in "$1" "${kernels_with_32[@]}" || echo "$1/ours-32 guest $1 ours core-32"
}

# Jobs of a kernel on which not all is tested. Most are on other machines.
jobs_of_other()
{
	local k=$1

	echo "$k/ours guest $k ours core"
	echo "$k/ours-tcmu guest $k ours tcmu"
	jobs_of_32 "$k"
	[ "$k" != 6.12-arm64 ] || echo "$k/ours-unplug host $k ours unplug"
}

# The longest jobs come first, so that jobs side by side end at about the same time.
jobs_of()
{
	local k=$1

	is_in "$k" "${all_kernels[@]}" || {
		jobs_of_other "$k"
		return
	}
	echo "$k/ours guest $k ours core"
	echo "$k/mainline guest $k mainline core"
	echo "$k/mainline-alone alone $k mainline -"
	echo "$k/ours-tcmu guest $k ours tcmu"
	echo "$k/mainline-tcmu guest $k mainline tcmu"
	echo "$k/ours-unplug host $k ours unplug"
	echo "$k/mainline-unplug host $k mainline unplug"
	echo "$k/ours-chaos host $k ours chaos"
	echo "$k/ours-drivers guest $k ours drivers"
	echo "$k/mainline-drivers guest $k mainline drivers"
	jobs_of_32 "$k"
	echo "$k/ours-alone alone $k ours -"
	echo "$k/ours-races guest $k ours races"
	[ "$k" != 6.12 ] || echo "$k/ours-plug host $k ours plug"
	[[ $k != *-debug ]] || echo "$k/ours-nth guest $k ours nth"
	[[ $k != *-debug ]] || echo "$k/kunit guest $k ours kunit"
	echo "$k/same host $k - same"
	echo "$k/tree host $k - tree"
	[ "$k" != 6.12 ] || echo "$k/bench-test host $k - bench-test"
	[ "$k" != 6.12 ] || echo "$k/deb-test host $k - deb-test"
	[ "$k" != 6.12 ] || echo "$k/model host $k - model"
	[ "$k" != 6.12 ] || echo "$k/clients verb $k - clients"
	[ "$k" != 6.12 ] || echo "$k/deb-check verb $k - deb-check"
	echo "$k/lint host $k - lint"
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
			[[ $name != build-* && $1 = "${all_kernels[0]}" ]]; then
			echo "$name"
		fi
	done
}

host_tests()
{
	local kernel=$1 group=$2

	case $group in
	lint) lint_tests "$kernel" ;;
	tree | same | chaos) "$lab/lab" "$group" --kernel "$kernel" --list ;;
	bench-test | deb-test | model) "$lab/lab" "$group" --list ;;
	# the unplug suite has a shorter form of the other one
	plug) "$lab/lab" plug --list | grep -vx writes ;;
	unplug) "$selftests/unplug/unplug" --list | cut -d ' ' -f 1 ;;
	esac | sed "s/^/$group /"
}

tests_of()
{
	"$lab/check/list-tests" "$selftests/$1.c" | sed "s/^/$1 /"
}

all_programs()
{
	(cd "$selftests" && printf '%s\n' *_test.c | sed 's/\.c$//')
}

programs_in()
{
	local kind=$1 group=$2 program

	if [ "$group" = races ]; then
		printf '%s\n' "${races[@]}"
		return
	fi
	for program in $(all_programs); do
		[ "$kind" != alone ] && [ "$(group_of "$program")" != "${group%-32}" ] ||
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
