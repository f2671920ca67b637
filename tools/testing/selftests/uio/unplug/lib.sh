# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Functions to drive targetcli, fio and the holder, and to look at /proc and /sys. The
# caller has a function fail, which ends it. Files go to the working directory.

config=/sys/kernel/config/target
wwn=naa.5001405000000001

# Roughly how many times slower a debug kernel is.
slow=1
[ ! -e /sys/kernel/debug/kmemleak ] || slow=4
# How long an event that must happen may take, in s.
patience=$((120 * slow))

# Nothing ever comes from this pipe. A read with a time-out is a sleep that starts no
# process, which would take long on an emulated CPU.
exec {never}<> <(:)

# Try a command or function until it succeeds, for at most so many seconds.
await_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		read -r -t 0.1 -u "$never" || :
	done
}

await()
{
	await_for "$patience" "$@"
}

# Has this process ended? A zombie counts as ended: bash may miss the end of a child, and
# then collects its status only when the next one ends.
is_gone()
{
	local stat

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ ${stat##*) } = [ZX]* ]]
}

uptime_ms()
{
	local up

	read -r up _ </proc/uptime
	echo "${up/./}0"
}

# ---- targetcli: one process for all commands, because each start takes two seconds. It
# reads commands from a pipe, and prints a prompt after each.

targetcli_start()
{
	rm -f targetcli.in targetcli.stale
	mkfifo targetcli.in
	timed-targetcli rmdir.log <targetcli.in >targetcli.log 2>&1 &
	targetcli_pid=$!
	exec {to_targetcli}>targetcli.in
	: >targetcli.sent
	# otherwise it would overwrite the machine's saved configuration when it ends
	targetcli_send "set global auto_save_on_exit=false"
}

# targetcli asks for tcmu-runner's handlers only once, and fails if something it knows has
# been removed. After such a change, the file targetcli.stale asks for a new targetcli.
targetcli_is_fresh()
{
	[ -n "${targetcli_pid-}" ] && [ ! -e targetcli.stale ] && ! is_gone "$targetcli_pid"
}

targetcli_end()
{
	[ -n "${targetcli_pid-}" ] || return 0
	kill "$targetcli_pid" 2>/dev/null || :
	exec {to_targetcli}>&-
	await is_gone "$targetcli_pid" || fail "targetcli can't be ended"
	targetcli_pid=''
}

# The count is in a file, because the sender may be a child process.
targetcli_send()
{
	echo "$1" | tee -a targetcli.sent >&"$to_targetcli"
}

targetcli_is_done()
{
	local log rest sent

	log=$(<targetcli.log)
	rest=${log//'/> '/}
	mapfile -t sent <targetcli.sent
	[ $(((${#log} - ${#rest}) / 3)) -gt "${#sent[@]}" ] || is_gone "$targetcli_pid"
}

# Make targetcli run COMMAND. It has worked when CHECK succeeds.
targetcli()
{
	local command=$1

	shift
	targetcli_is_fresh || { targetcli_end; targetcli_start; }
	targetcli_send "$command"
	await targetcli_is_done || {
		tail -n 5 targetcli.log >&2
		cat "/proc/$targetcli_pid/stack" >&2 || :
		fail_hanging "targetcli hangs in: $command"
	}
	await_for $((30 * slow)) "$@" || {
		tail -n 5 targetcli.log >&2
		fail "targetcli did not do: $command"
	}
}

# The time of a backstore's rmdir(): "t=BEGIN end=END got=ok", in ns.
rmdir_of()
{
	sed -n "s|^.*/user_[0-9]*/$1 ||p" rmdir.log | tail -n 1
}

# ---- disks

# The disk's directory and its node exist before the disk can be opened.
disk_opens()
{
	(: <"/dev/$disk") 2>/dev/null
}

# Set disk to the name of the disk with this TARGET:LUN.
disk_at()
{
	local dir

	for dir in /sys/bus/scsi/devices/*:"$1"/block/*; do
		# other SCSI hosts can have the same numbers
		[[ $(realpath -q "$dir") = */tcm_loop_* ]] || continue
		disk=${dir##*/}
		! disk_opens || return 0
	done
	return 1
}

# Write to a disk and verify what was written. Replaces the process.
fio_on()
{
	local name=$1 disk=$2

	shift 2
	exec fio --name="$name" --filename="/dev/$disk" --rw=randwrite --bs=16k \
		--direct=1 --ioengine=psync --verify=crc32c --eta=never \
		--output="fio-$name.log" "$@"
}

# "verified=BLOCKS error=ERRNO" of a fio that has ended.
fio_result()
{
	sed -n 's/.*err= *\([0-9]*\):.*/error=\1/p
		s/.*issued rwts: total=\([0-9]*\),.*/verified=\1/p' "fio-$1.log" | paste -sd ' '
}

# Requests that a disk has served so far.
served()
{
	local reads writes

	read -r reads _ _ _ writes _ <"/sys/block/$1/stat"
	echo $((reads + writes))
}

served_at_least()
{
	[ "$(served "$1")" -ge "$2" ]
}

# Does the disk serve requests? Waits for 20 more, or for a given number.
serves()
{
	await served_at_least "$1" $(($(served "$1") + ${2-20}))
}

# ---- the holder

holder_start()
{
	local pipe=holder.$BASHPID.$SRANDOM

	mkfifo "$pipe.in" "$pipe.out"
	holder "$@" <"$pipe.in" >"$pipe.out" &
	holder_pid=$!
	exec {to_holder}>"$pipe.in" {from_holder}<"$pipe.out"
	rm "$pipe.in" "$pipe.out"
	holder_until ready
}

# Tell the holder to run COMMAND, and wait for its last event, NAME.
holder_do()
{
	echo "$1" >&"$to_holder"
	holder_until "$2"
}

holder_until()
{
	local line

	while read -r -t "$patience" -u "$from_holder" line; do
		echo "$line"
		[[ $line != "event $1 "* ]] || return 0
	done
	fail "no '$1' from the holder"
}

# ---- what /proc and /sys say

# Print the stacks of all tasks in uninterruptible sleep, and fail.
fail_hanging()
{
	local dir

	for dir in /proc/[0-9]*; do
		grep -qs '^State:[[:space:]]*D' "$dir/status" || continue
		cat "$dir/comm" "$dir/stack" >&2 || :
	done
	fail "$*"
}

# Print where a process and its children are, and what they have open.
show_process()
{
	local pid

	ps -o pid,stat,etimes,wchan:24,args --pid "$1" --ppid "$1" || return 0
	for pid in $(ps -o pid= --pid "$1" --ppid "$1"); do
		cat "/proc/$pid/stack" || :
		ls -l "/proc/$pid/fd" || :
	done
}

# Wait for a process to end. If it does not, fail with this message.
await_end()
{
	await is_gone "$1" || {
		show_process "$1" >&2
		fail_hanging "$2"
	}
}

# When the process started. Together with the PID, this identifies it.
started_at()
{
	sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20
}

# Use count of a module.
uses()
{
	cat "/sys/module/$1/refcnt"
}

# Who has /dev/UIO open or mapped: NAME[PID]:FD+FD...:MAPPINGS:RSS_KIB,...
users_of()
{
	local pid fd counts all=''
	local -A fds=() maps=()

	while IFS=/ read -r _ _ pid _ fd; do
		fds[$pid]+=${fds[$pid]:++}$fd
	done < <(find /proc/[0-9]*/fd \( -lname "/dev/$1" -o -lname "/dev/$1 *" \) 2>/dev/null)
	while read -r pid counts; do
		maps[$pid]=$counts
	done < <(grep -sHE '^([0-9a-f]+-|Rss:)' /proc/[0-9]*/smaps | awk -v "path=/dev/$1" '
		{ split($1, part, "/"); pid = part[3]; sub(/^[^:]*:/, "") }
		/^[0-9a-f]+-/ { ours = $6 == path; if (ours) n[pid]++ }
		/^Rss:/ && ours { rss[pid] += $2 }
		END { for (pid in n) print pid, n[pid] ":" rss[pid] }')
	for pid in $(printf '%s\n' "${!fds[@]}" "${!maps[@]}" | sort -nu); do
		all+="${all:+,}$(cat "/proc/$pid/comm")[$pid]:${fds[$pid]--}:${maps[$pid]-0:0}"
	done
	echo "${all:-nobody}"
}

# KiB of vmalloc memory that the driver has. Nearly all of it is rings.
driver_kib()
{
	awk '/\[target_core_user\]/ { sub(/.* pages=/, ""); n += $1 }
		END { print n * 4 }' /proc/vmallocinfo
}
