# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What is there for every scenario, and has to be there after it: tcmu-runner,
# targetcli, and a backstore "bystander" with a disk of its own, which no scenario
# touches. What scenarios do to backstores of theirs, and how all that is undone.
#
# The backstores are of tcmu-runner's qcow handler, since Debian's has none for plain
# files. It needs its images on a real file system and one request at a time.

disk_mib=64
luns=$config/loopback/$wwn/tpgt_1/lun
# Scenarios work through targetcli, or, as it takes seconds for what configfs does at
# once, and more of them on a debug kernel, with configfs itself.
own_hba=$config/core/user_900
daemon_since=''
# How long a delete may take, in s; scenarios have limits of their own.
delete_limit=$((15 * slow))
# What no request of the bystander's may take, in s.
stall_limit=$((10 * slow))

fail()
{
	[ "$BASH_SUBSHELL" -gt 0 ] || bail_out "$*"
	echo "$*" >reason
	echo "FAILED: $*" >&2
	exit 1
}

skip()
{
	echo "$*" >reason
	exit 4
}

# What is worth knowing of a scenario that passed, too.
note()
{
	echo "$*" >>notes
}

# ---- backstores and their disks

make_image()
{
	cp "$empty" "$1.qcow2"
}

backstore_dir()
{
	local dir

	for dir in "$config/core"/user_*/"$1"; do
		[ ! -d "$dir" ] || echo "$dir"
	done
}

backstore_is_gone()
{
	[ -z "$(backstore_dir "$1")" ]
}

# Set uio to the name of a backstore's UIO device.
find_uio()
{
	local dir name

	for dir in /sys/class/uio/uio*; do
		{ read -r name <"$dir/name"; } 2>/dev/null || continue
		if [[ $name = tcm-user/*/"$1"/* ]]; then
			uio=${dir##*/}
			return 0
		fi
	done
	return 1
}

create()
{
	if [ "$by" = targetcli ]; then
		[ -e "$1.qcow2" ] || make_image "$1"
		targetcli "/backstores/user:qcow create $1 ${disk_mib}M $PWD/$1.qcow2" find_uio "$1"
	else
		prepare "$1"
		enable "$1"
		find_uio "$1" || fail "$1 has no device"
	fi
}

# With OPTIONS besides, as "NAME=VALUE,...".
prepare()
{
	mkdir -p "$own_hba/$1"
	[ -e "$1.qcow2" ] || make_image "$1"
	echo "dev_config=qcow/$PWD/$1.qcow2,dev_size=$((disk_mib << 20)),hw_block_size=512,${2-}" \
		>"$own_hba/$1/control"
}

# Many of them, whose memory does not matter.
prepare_many()
{
	local nr

	many=()
	for ((nr = 1; nr <= $1; nr++)); do
		many+=("many$nr")
		prepare "many$nr" cmd_ring_size_mb=1,max_data_area_mb=1
	done
}

# This is what asks the daemon.
enable()
{
	echo 1 >"$own_hba/$1/enable"
}

# Set lun to the number that a backstore is exported as.
find_lun()
{
	local link

	for link in "$luns"/lun_*/*; do
		if [ -L "$link" ] && [ "$link" -ef "$(backstore_dir "$1")" ]; then
			lun=${link%/*}
			lun=${lun##*lun_}
			return 0
		fi
	done
	return 1
}

# Set disk to that of a backstore.
find_disk()
{
	find_lun "$1" && disk_at "1:$lun"
}

export_disk()
{
	if [ "$by" = targetcli ]; then
		targetcli "/loopback/$wwn/luns create /backstores/user:qcow/$1" find_disk "$1"
	else
		free_lun
		mkdir "$luns/lun_$lun"
		ln -s "$(backstore_dir "$1")" "$luns/lun_$lun/$1"
		await find_disk "$1" || fail "$1 has no disk"
	fi
}

free_lun()
{
	for ((lun = 0; lun < 100; lun++)); do
		[ -d "$luns/lun_$lun" ] || break
	done
}

is_not_exported()
{
	! find_lun "$1"
}

unexport()
{
	find_lun "$1" || fail "$1 is not exported"
	if [ "$by" = targetcli ]; then
		targetcli "/loopback/$wwn/luns delete lun$lun" is_not_exported "$1"
	else
		bounded "$patience" remove_lun
		[ "$status" -eq 0 ] || fail "the disk of $1 can't be taken down"
	fi
}

remove_lun()
{
	: >targetcli.stale
	find "$luns/lun_$lun" -type l -delete && rmdir "$luns/lun_$lun"
}

# Take down a disk whose daemon does not answer. The kernel sends it one last command,
# four times, and each takes the 6 s of bound_all, unless it knows that nobody is there.
take_down()
{
	local patience=18

	unexport "$1"
}

# The delete itself has to end within its limit; targetcli takes its time besides.
delete()
{
	local status

	if [ "$by" = targetcli ]; then
		targetcli "/backstores/user:qcow delete $1" backstore_is_gone "$1"
		note_delete "$(rmdir_of "$1")"
	else
		: >targetcli.stale
		bounded "$delete_limit" timed_rmdir "$(backstore_dir "$1")"
		[ "$status" -eq 0 ] || fail "$1 can't be deleted"
	fi
}

timed_rmdir()
{
	local took TIMEFORMAT=%3R

	took=$( { time rmdir "$1"; } 2>&1) || return
	note "delete took $((10#${took/./})) ms of $delete_limit s"
}

note_delete()
{
	local ms

	[[ $1 =~ ^t=([0-9]+)\ end=([0-9]+)\ got=(.*)$ ]] || fail "no time for the delete"
	[ "${BASH_REMATCH[3]}" = ok ] || fail "the delete gives error ${BASH_REMATCH[3]}"
	ms=$(((BASH_REMATCH[2] - BASH_REMATCH[1]) / 1000000))
	note "delete took $ms ms of $delete_limit s"
	[ "$ms" -le $((delete_limit * 1000)) ] || fail "the delete takes $ms ms"
}

# Have something done in that time. Sets status.
bounded()
{
	local seconds=$1 pid

	shift
	status=0
	"$@" &
	pid=$!
	await_for "$seconds" is_gone "$pid" || fail_hanging "it hangs: $*"
	wait "$pid" || status=$?
}

# Of so many deletes, the one that took the longest.
keep_longest_delete()
{
	{
		sed '/^delete took /d' notes
		sed -n '/^delete took /p' notes | sort -k 3,3 -n | tail -n 1
	} >notes.new
	mv notes.new notes
}

cycles()
{
	local nr

	for ((nr = 0; nr < $1; nr++)); do
		# where somebody else has set a limit
		[ -z "${TIMEOUT-}" ] || [ "$SECONDS" -lt "$TIMEOUT" ] || break
		create cycle
		export_disk cycle
		dd if=/dev/urandom of="/dev/$disk" bs=16k count=1 oflag=direct status=none ||
			fail "cycle $nr: the disk takes no write"
		unexport cycle
		delete cycle
	done
	keep_longest_delete
	note "cycles: $nr"
}

# Set an attribute of a backstore, if this kernel has it.
bound()
{
	local file

	file=$(backstore_dir "$1")/attrib/$2
	[ ! -e "$file" ] || echo "$3" >"$file" || fail "$2 can't be set"
}

# Have the kernel wait for the daemon not as long as it would. A disk keeps what it has.
bound_all()
{
	bound "$1" cmd_time_out 6
	bound "$1" daemon_time_out 6
	bound "$1" nl_reply_time_out 2
}

# ---- writes that were acknowledged: fio keeps account of them as it ends

write_acknowledged()
{
	(fio_on acknowledged "$1" --rw=write --size=16M --rate_iops=$((100 / slow)) \
		--do_verify=0 --verify_state_save=1)
}

# The handler may lose what it has not been told to flush, if it is killed: which part
# of the image is whose, as long as that changes. So it is settled before.
fill()
{
	(fio_on fill "$1" --rw=write --bs=256k --size="$2" --do_verify=0 --end_fsync=1) ||
		fail "the disk takes no writes"
}

verify_acknowledged()
{
	local nr

	(fio_on acknowledged "$1" --rw=write --size=16M --verify_only --verify_state_load=1 \
		--minimal) || fail "a write was acknowledged, and is not there"
	nr=$(awk -F ';' '/^3;/ { print int($6 / 16) }' fio-acknowledged.log)
	note "writes that were acknowledged: ${nr:-0}"
	[ "${nr:-0}" -ge 10 ] || fail "too few writes were acknowledged to tell"
}

# ---- holders

# Hold the backstore that was created last, in the way of WHAT.
hold()
{
	holder_start "$daemon" "$uio" "$1"
}

# What the holder got from an operation has to be this.
expect()
{
	local got

	got=$(sed -n "s/^event $1 .*got=\([^ ]*\).*/\1/p" "$scenario.log" | tail -n 1)
	[ "$got" = "$2" ] || fail "$1 by the holder gives ${got:-nothing}, not $2"
}

# What everybody has of a device that is gone.
expect_gone()
{
	if [ "$1" != mapping ]; then
		expect blocked_read EIO
		expect blocked_poll '0x18|ERR|HUP'
		expect read EIO
		expect poll '0x18|ERR|HUP'
		expect write EIO
		expect mmap EIO
	fi
	expect open ENODEV
	if [ "$1" != descriptor ]; then
		expect present data
		grep -q '^event present .*content=same' "$scenario.log" ||
			fail "a page that was present has changed"
		expect absent SIGBUS
	fi
}

# Delete a backstore that is held as WHAT, and see what becomes of it.
delete_held()
{
	local kib

	create held
	kib=$(driver_kib)
	hold "$1"
	delete held
	rings_are $((kib - ring_kib)) || fail "a deleted device keeps its ring"
	holder_do probe probed
	expect_gone "$1"
	holder_do release close
	wait "$holder_pid" || fail "the holder: status $?"
}

rings_are()
{
	[ "$(driver_kib)" = "$1" ]
}

# ---- the daemon

daemon_stop()
{
	kill -STOP "$daemon"
	await daemon_state_is T
}

daemon_state_is()
{
	[[ $(sed 's/.*) //' "/proc/$daemon/stat") = $1* ]]
}

daemon_kill()
{
	kill -KILL "$daemon"
	await is_gone "$daemon" || fail "the daemon can't be killed"
}

daemon_start()
{
	tcmu-start
	daemon=$(pidof tcmu-runner)
	[ "$daemon_since" = "$(started_at "$daemon")" ] || : >targetcli.stale
	daemon_since=$(started_at "$daemon")
}

# How many devices the daemon has open.
daemon_has()
{
	[ "$(find "/proc/$daemon/fd" -lname '/dev/uio*' 2>/dev/null | wc -l)" = "$1" ]
}

# A second one that listens, see there.
consumer_start()
{
	consumer "$1" >consumer.log 2>&1 &
	consumer=$!
	await grep -q ready consumer.log || fail "the second consumer does not start"
}

# Does PID wait for the daemon's answer?
waits_for_daemon()
{
	grep -q tcmu_ "/proc/$1/stack"
}

netlink_reset()
{
	local parameters=/sys/module/target_core_user/parameters

	echo 1 >"$parameters/block_netlink"
	echo 1 >"$parameters/reset_netlink"
	echo 0 >"$parameters/block_netlink"
}

# ---- the world as every scenario finds it

world_up()
{
	local by=configfs fault

	daemon_start || return 1
	# the worst that a daemon can have, whatever this machine has chosen
	fault=/sys/module/target_core_user/parameters/revoked_fault
	[ ! -e "$fault" ] || echo sigbus >"$fault"
	# addresses in vmallocinfo, for who looks for rings
	echo 1 >/proc/sys/kernel/kptr_restrict
	if [ ! -d "$luns" ]; then
		mkdir -p "$luns"
		echo "${wwn%1}2" >"${luns%/lun}/nexus"
	fi
	ring_kib=$(driver_kib)
	create bystander
	ring_kib=$(($(driver_kib) - ring_kib))
	# it waits while a daemon is stopped
	echo 120 >"$(backstore_dir bystander)/attrib/cmd_time_out"
	export_disk bystander
	bystander=$disk
	echo 120 >"/sys/block/$bystander/device/timeout"
}

world_is_up()
{
	find_disk bystander
}

# At full rate that would be most of what an emulated guest gets done.
bystander_start()
{
	local rate=$((slow > 1 ? 3 : 40))

	fio --name=bystander --filename="/dev/$bystander" --rw=randwrite --bs=16k \
		--size=8M --direct=1 --ioengine=psync --verify=crc32c --verify_backlog=8 \
		--rate_iops="$rate" --time_based --runtime=3600 --eta=never --minimal \
		--output=bystander.fio >bystander.out 2>&1 &
	bystander_fio=$!
	serves "$bystander" 8 || fail "the bystander serves nothing at the beginning"
}

bystander_end()
{
	bystander_status=0
	kill -INT "$bystander_fio" 2>/dev/null || :
	if await is_gone "$bystander_fio"; then
		wait "$bystander_fio" || bystander_status=$?
	else
		say "$(show_process "$bystander_fio" 2>&1)"
		bystander_status=hangs
	fi
}

# How the bystander fared while all that was going on.
bystander_is_well()
{
	local how=$1 error kib longest

	case $bystander_status in
	0 | 128) ;;
	hangs) fail "the bystander's requests hang" ;;
	*) fail "the bystander's fio: status $bystander_status" ;;
	esac
	read -r error kib longest < <(awk -F ';' '/^3;/ {
		longest = $39 > $80 ? $39 : $80
		print $5, $6 + $47, longest / 1000 }' bystander.fio)
	[ "$error" = 0 ] || fail "the bystander has errors: $error"
	[ "$kib" -gt 0 ] || fail "the bystander serves nothing"
	note "bystander: $((kib / 16)) requests, the longest took ${longest%.*} ms"
	if [ "$how" = serves ] && [ "${longest%.*}" -gt $((stall_limit * 1000)) ]; then
		fail "the bystander had to wait ${longest%.*} ms"
	fi
}

others()
{
	local dir

	for dir in "$config/core"/user_*/*/; do
		[[ $dir = */bystander/ ]] || [ ! -e "${dir}enable" ] || echo "${dir%/}"
	done
}

# With a daemon that hears what follows.
wake_daemon()
{
	if is_gone "$daemon"; then
		netlink_reset
	else
		kill -CONT "$daemon"
	fi
	# a scenario may have started another
	daemon_start
}

# Whatever a scenario has left, in the order in which it can go.
remove_others()
{
	local dir

	# somebody was killed in the middle of it
	for dir in "$luns"/lun_*/; do
		[ -n "$(find "$dir" -type l)" ] || rmdir "$dir"
	done
	for dir in $(others); do
		! find_lun "${dir##*/}" || remove_lun
		: >targetcli.stale
		rmdir "$dir"
	done
	# those that are empty
	rmdir "$config/core"/user_* 2>/dev/null || :
}

no_others()
{
	[ -z "$(others)" ]
}

# Undo what a scenario did. Sets stuck to what can't be undone: a reason to give up.
world_restore()
{
	local mount

	stuck=''
	for mount in "$PWD"/mnt*/; do
		mountpoint -q "$mount" && umount -l "$mount"
	done
	# all of it is to be made anew
	[ -d /sys/module/target_core_user ] || return 0
	wake_daemon || stuck="tcmu-runner does not start"
	remove_others >&2 &
	await is_gone "$!" && no_others || stuck="$(others | xargs) can't be removed"
	[ -z "$stuck" ]
}
