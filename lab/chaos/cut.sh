# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Make a failure smaller: leave out tasks, devices and operations, as long as the run fails in
# the same way. Operations of other tasks stay the same: see random.c of the program.

# Groups of operations that often are not needed.
groups_of_tcmu()
{
	printf '%s\n' 'without write,read,big-read,ready' 'without limit,show' \
		'without block,unblock,reset,reset-own' 'without size,config,cache,time-outs' \
		'without answer,mute,renew,babble,reset-netlink' 'without kill,exit' \
		'without hold' 'without misuse,free-kept,rest,drop'
}

groups_of_core()
{
	printf '%s\n' 'without direct-write,direct-read,splice,ring-pin,ring-write,ring-poll' \
		'without vm-read,vm-write,mem-read,mem-write,vm-other' \
		'without fork,fork-kill,send,receive,exit,kill' \
		'without read,poll,select,epoll,fasync,close-asleep,write,ioctl,sysfs' \
		'without munmap-part,mprotect,move,dontunmap,shrink,madvise,mlock,mincore' \
		'without stall,resume,act,errno,irq,interrupt,notify' \
		'without revoke-file' 'without revoke,drain' 'without unmap,register-again' \
		'without dup,open-by-name' 'without walk,store'
}

# Print "OPTION VALUE" of what to try, in this order. A value of --without is added to those
# that have been left out.
what_to_try()
{
	[ "$program" = tcmu_chaos ] || printf '%s\n' 'contexts none' 'contexts all'
	printf '%s\n' 'processes 1' 'threads 1' 'threads 2' 'drivers 1' 'devices 1' 'devices 2'
	if [ "$program" = tcmu_chaos ]; then groups_of_tcmu; else groups_of_core; fi
	"$programs/$program" --list | awk '
		$1 == "memory" { print "memory", $2; next }
		{ print "without", $2 }'
}

# Print the words with "--OPTION VALUE" in them. Values of --without add up.
with_option()
{
	local option=$1 value=$2 found=''

	shift 2
	while [ $# -gt 0 ]; do
		if [ "$1" = "--$option" ]; then
			found=1
			[ "$option" != without ] || value=$2,$value
			printf '%s\n' "$1" "$value"
			shift 2
		else
			printf '%s\n' "$1"
			shift
		fi
	done
	[ -n "$found" ] || printf '%s\n' "--$option" "$value"
}

# What has been left out already need not be tried again.
is_done_already()
{
	local option=$1 value=$2 arg previous='' name

	shift 2
	for arg; do
		if [ "$previous" = "--$option" ] && [ "$option" != without ]; then
			return 0
		elif [ "$previous" = "--$option" ]; then
			for name in ${value//,/ }; do
				is_in "$name" "${arg//,/ }" || return 1
			done
			return 0
		fi
		previous=$arg
	done
	return 1
}

# The operations that these options leave.
needed()
{
	local arg previous='' out=''

	for arg; do
		[ "$previous" != --without ] || out=$arg
		previous=$arg
	done
	"$programs/$program" --list | awk '$1 != "memory" { print $2 }' |
		grep -vxF "$(tr , '\n' <<<"$out")" | paste -sd ' '
}

# Two failures are the same if they differ in numbers only.
same_failure()
{
	[ "$(sed 's/(.*//; s/0x[0-9a-f]*//g; s/[0-9]//g' <<<"$1")" = \
		"$(sed 's/(.*//; s/0x[0-9a-f]*//g; s/[0-9]//g' <<<"$2")" ]
}

# Does a run with these options fail in the same way? Rare failures get a second try.
fails_again()
{
	local try

	for try in 1 2; do
		[ "$SECONDS" -lt "$cut_end" ] || return 1
		attempts=$((attempts + 1))
		run_guest "$cut_dir/$attempts" "$@"
		progress "cut: attempt $attempts, try $try: ${why:-passed}"
		[ "$status" -eq 0 ] || ! same_failure "$why" "$cut_why" || return 0
	done
	return 1
}

# Print how long an attempt should last: some times as long as it took to fail.
attempt_seconds()
{
	figures_in "$1" | awk -v all="$seconds" '
		{ n = int(4 * $4) + 5 }
		END { print n && n < all ? n : all }'
}

# Look for the fewest options that fail, for $cut seconds.
cut_down()
{
	local cut_dir=$1/cut cut_why=$why cut_end=$((SECONDS + cut)) attempts=0
	local option value
	local -a small next tries

	shift
	mapfile -t small < <(with_option seconds "$(attempt_seconds "${cut_dir%/cut}")" "$@")
	if ! fails_again "${small[@]}"; then
		ktap_line "# it did not fail again in $attempts tries: the timing matters"
		return
	fi
	mapfile -t tries < <(what_to_try)
	while read -r option value; do
		! is_done_already "$option" "$value" "${small[@]}" || continue
		mapfile -t next < <(with_option "$option" "$value" "${small[@]}")
		if fails_again "${next[@]}"; then
			small=("${next[@]}")
		fi
		[ "$SECONDS" -lt "$cut_end" ] || break
	done < <(printf '%s\n' "${tries[@]}")
	ktap_line "# it needs: $(needed "${small[@]}")"
	ktap_line "# smallest of $attempts tries: $again ${small[*]}"
}
