# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scenario is made of: driving targetcli, fio and the holder, and
# looking at /proc and /sys.

phase()
{
	echo "phase $*"
}

event()
{
	echo "event $*"
}

fail()
{
	echo "scenario: $*" >&2
	tail -n 5 targetcli.log fio-*.log /var/log/tcmu-runner.log >&2 || :
	exit 1
}

# Try a command or function until it succeeds, for at most 60 s.
await()
{
	local end=$((SECONDS + 60))

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

uptime_ms()
{
	local up

	read -r up _ </proc/uptime
	echo "${up/./}0"
}

# ---- targetcli: one for all, as a new one takes two seconds. It reads commands
# from a pipe and prompts when one is done.

targetcli_start()
{
	mkfifo targetcli.in
	./timed-targetcli rmdir.log <targetcli.in >targetcli.log 2>&1 &
	targetcli_pid=$!
	exec {to_targetcli}>targetcli.in
	targetcli_commands=0
}

targetcli_prompted()
{
	[ "$(grep -o '/> ' targetcli.log | wc -l)" -gt "$targetcli_commands" ] ||
		! kill -0 "$targetcli_pid" 2>/dev/null
}

# Have COMMAND done; it has worked if CHECK comes to succeed.
targetcli()
{
	local command=$1

	shift
	echo "$command" >&"$to_targetcli"
	targetcli_commands=$((targetcli_commands + 1))
	await targetcli_prompted || fail "targetcli hangs in: $command"
	await "$@" || fail "targetcli did not do: $command"
}

# ---- disks

# Set disk to the one with this TARGET:LUN.
disk_at()
{
	local dir

	for dir in /sys/bus/scsi/devices/*:"$1"/block/*; do
		disk=${dir##*/}
		[ ! -b "/dev/$disk" ] || return 0
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

# "verified=BLOCKS error=ERRNO" of a fio that has ended or was told to.
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

# Does the disk serve requests? Waits for 20.
serves()
{
	await served_at_least "$1" $(($(served "$1") + 20))
}

# ---- the holder

holder_start()
{
	coproc holder { exec ./holder "$@"; }
	# shellcheck disable=SC2154
	exec {from_holder}<&"${holder[0]}" {to_holder}>&"${holder[1]}"
	# shellcheck disable=SC2154
	holder_pid=$holder_PID
	holder_until block
}

# Tell the holder to do COMMAND; its last event is NAME.
holder_do()
{
	echo "$1" >&"$to_holder"
	holder_until "$2"
}

holder_until()
{
	local line

	while read -r -t 30 -u "$from_holder" line; do
		echo "$line"
		[[ $line != "event $1 "* ]] || return 0
	done
	fail "no '$1' from the holder"
}

# ---- what the system knows

# When the process started: with the PID, its identity.
started_at()
{
	sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20
}

# Use count of a module.
uses()
{
	cat "/sys/module/$1/refcnt"
}

# Who has files of /dev/UIO or maps it: NAME[PID]:FD+FD...:MAPPINGS:RSS_KIB,...
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

# Memory that the driver has from vmalloc, nearly all of it rings, in KiB.
driver_kib()
{
	awk '/\[target_core_user\]/ { sub(/.* pages=/, ""); n += $1 }
		END { print n * 4 }' /proc/vmallocinfo
}

# How often the driver has logged that it released a file, a device.
releases()
{
	local files devices

	files=$(dmesg | grep -c 'tcmu_release: close') || :
	devices=$(dmesg | grep -c 'tcmu_dev_\(kref_\)\?release: dev_') || :
	echo "files=$files devices=$devices"
}
