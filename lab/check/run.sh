# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Run a job. Its directory in results/check has the list "todo", and gets
#
#	output	what the tests printed
#	log	messages of the lab
#	status	the exit status of the guest, or of the command on the host
#	guest/	console log, splats
#
# A job of kind "alone" has such a directory for each of its tests.

# Options that all guests get, and a command that runs their script: see lab/coverage.
more_options=() wrapper=()

# Print a line for each program: its name and the tests to run, or just its name for all
# tests. Repeat this ROUNDS times.
guest_plan()
{
	local todo=$1 rounds=$2

	plan_once "$todo" >"$todo.once"
	while [ "$rounds" -gt 0 ]; do
		cat "$todo.once"
		rounds=$((rounds - 1))
	done
}

plan_once()
{
	local todo=$1 program args all

	while read -r program; do
		args=''
		[[ $program = *.sh ]] || all=$(tests_of "$program" | wc -l)
		if [[ $program != *.sh ]] && [ "$(grep -c "^$program " "$todo")" != "$all" ]; then
			args=$(awk -v p="$program" '$1 == p { printf " -r %s", $2 }' "$todo")
		fi
		printf '%s%s\n' "$program" "$args"
	done < <(awk '!seen[$1]++ { print $1 }' "$todo")
}

program_file()
{
	case $2 in
	*.sh) printf '%s' "$selftests/$2" ;;
	*) printf '%s' "$1/$2" ;;
	esac
}

# Print the programs that tests start, if the lab has them for this machine.
started_programs()
{
	local compiled=$1 todo=$2 language

	printf '%s\n' "$compiled"/uio{_client,_zeros,-late-release} \
		"$top/samples/uio/uio_client.py"
	for language in rust go; do
		! grep -q " client\.$language\." "$todo" ||
			ls "$programs/uio_client_$language" 2>/dev/null || :
	done
}

# The machine that the programs of GROUP are compiled for.
machine_of_programs()
{
	local kernel=$1 group=$2 machine

	machine=$(machine_of "$kernel")
	[[ $group != *-32 ]] || machine=${machine_32[$machine]}
	printf '%s' "$machine"
}

rounds_of()
{
	case $1:$2 in
	races:*-debug) echo 3 ;;
	races:*) echo 20 ;;
	*) echo 1 ;;
	esac
}

# Options for kernel and modules. deb-check has a function of its own.
boot_options()
{
	printf '%s\n' --kernel "$1" --modules "$2"
	# so that memory has addresses above 4 GB
	[[ $1 != *-lpae ]] || printf '%s\n' --mem 5120M
}

run_guest()
{
	local dir=$1 kernel=$2 modules=$3 group=$4 status=0 program compiled
	local -a options

	compiled=$(programs_of "$(machine_of_programs "$kernel" "$group")")
	guest_plan "$dir/todo" "$(rounds_of "$group" "$kernel")" >"$dir/plan"
	mapfile -t options < <(boot_options "$kernel" "$modules"; group_options "$group")
	options+=("${more_options[@]}")
	# The longest test may take 300 s. On a debug kernel all of them take 20 minutes or more.
	options+=(--timeout 2400 --silence 360 --results "$dir/guest"
		--copy "$lab/check/in-guest" --copy "$dir/plan")
	while read -r program; do
		options+=(--copy "$program")
	done < <(started_programs "$compiled" "$dir/todo")
	while read -r program _; do
		options+=(--copy "$(program_file "$compiled" "$program")")
	done < <(sort -u -k 1,1 "$dir/plan")
	[ "$group" != alone ] || options+=(--allow-splat --no-kmemleak)

	do_now "$lab/lab" run "${options[@]}" -- "${wrapper[@]}" ./in-guest \
		>"$dir/output" 2>"$dir/log" </dev/null || status=$?
	echo "$status" >"$dir/status"
}

run_alone()
{
	local dir=$1 kernel=$2 modules=$3 nr=0 line

	while read -r line; do
		nr=$((nr + 1))
		mkdir -p "$dir/$nr"
		echo "$line" >"$dir/$nr/todo"
		run_guest "$dir/$nr" "$kernel" "$modules" alone
	done <"$dir/todo"
}

# The debug kernel does a tenth of the operations.
chaos_seconds()
{
	if is_debug "$1"; then echo 60; else echo 30; fi
}

run_host()
{
	local dir=$1 kernel=$2 modules=$3 group=$4 status=0
	local -a chosen options=()

	case $group in
	tree | same | series-check) options=(--kernel "$kernel") ;;
	unplug)
		options=(--kernel "$kernel" --modules "$modules"
			--results "$dir/$kernel-$modules") ;;
	plug) options=(--kernel "$kernel" --cycles 5000 --results "$dir/guests") ;;
	chaos) options=(--kernel "$kernel" --seconds "$(chaos_seconds "$kernel")" --cut 0) ;;
	esac
	mapfile -t chosen < <(cut -d ' ' -f 2 "$dir/todo")
	{
		echo "== $group"
		do_now "$lab/lab" "$group" "${options[@]}" "${chosen[@]}" \
			2>"$dir/log" </dev/null || status=$?
		echo "== end"
	} >"$dir/output"
	echo "$status" >"$dir/status"
}

run_verb()
{
	local dir=$1 group=$2 status=0

	do_now "$lab/lab" "$group" >"$dir/verb" 2>"$dir/log" </dev/null || status=$?
	{
		echo "== $group"
		grep -B 5 '^not ok ' "$dir/verb" | grep '^# ' || :
		[ "$status" -eq 0 ] || printf 'not '
		echo "ok 1 everything"
	} >"$dir/output"
	[ "$status" -gt 1 ] || status=0
	echo "$status" >"$dir/status"
}

run_job()
{
	local name=$1 kind=$2 kernel=$3 modules=$4 group=$5 dir=$results/$1

	case $kind in
	guest) run_guest "$dir" "$kernel" "$modules" "$group" ;;
	alone) run_alone "$dir" "$kernel" "$modules" ;;
	host) run_host "$dir" "$kernel" "$modules" "$group" ;;
	verb) run_verb "$dir" "$group" ;;
	esac
}
