# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The set-up, or "world", that each scenario finds and has to leave: tcmu-runner,
# targetcli, and the backstore "bystander" with its disk, which no scenario touches. Also
# what scenarios can do with their own backstores, and how all that is undone.
#
# The backstores use tcmu-runner's qcow handler, because Debian's tcmu-runner has none for
# plain files. It needs images on a real file system, and one request at a time.

disk_mib=64
luns=$config/loopback/$wwn/tpgt_1/lun
# A scenario uses targetcli, or configfs directly. For a step that configfs does at once,
# targetcli takes seconds, and more on a debug kernel.
own_hba=$config/core/user_900
daemon_since=''
# How long a delete may take, in s. Each scenario also has a limit.
delete_limit=$((15 * slow))
# How long a request of the bystander may take, in s.
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

# Print a comment with the result, even if the scenario passes.
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

# Configure a backstore, with more OPTIONS, such as "NAME=VALUE,...".
prepare()
{
	mkdir -p "$own_hba/$1"
	[ -e "$1.qcow2" ] || make_image "$1"
	echo "dev_config=qcow/$PWD/$1.qcow2,dev_size=$((disk_mib << 20)),hw_block_size=512,${2-}" \
		>"$own_hba/$1/control"
}

# Configure many backstores with small rings.
prepare_many()
{
	local nr

	many=()
	for ((nr = 1; nr <= $1; nr++)); do
		many+=("many$nr")
		prepare "many$nr" cmd_ring_size_mb=1,max_data_area_mb=1
	done
}

# The kernel now asks the daemon.
enable()
{
	echo 1 >"$own_hba/$1/enable"
}

# Set lun to the number of a backstore's LUN.
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

# Set disk to the name of a backstore's disk.
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

# Remove a disk whose daemon does not answer. The kernel tries one last command four times.
# Each try takes the 6 s of bound_all, unless the kernel has given up the daemon.
take_down()
{
	local patience=18

	unexport "$1"
}

# The limit is for the delete itself. targetcli's own time does not count.
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

# Run a command within a number of seconds. Set status.
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

# Keep only the note on the longest delete.
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
		# blktests limits the time
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

# Make the kernel's waits for the daemon short. A disk uses the values at its export.
bound_all()
{
	bound "$1" cmd_time_out 6
	bound "$1" daemon_time_out 6
	bound "$1" nl_reply_time_out 2
}

# ---- acknowledged writes: fio saves a list of them when it ends

write_acknowledged()
{
	(fio_on acknowledged "$1" --rw=write --size=16M --rate_iops=$((100 / slow)) \
		--do_verify=0 --verify_state_save=1)
}

# If the handler is killed, it may lose changes to the image's tables, unless it was told
# to flush them. So this allocates all blocks before.
fill()
{
	(fio_on fill "$1" --rw=write --bs=256k --size="$2" --do_verify=0 --end_fsync=1) ||
		fail "the disk takes no writes"
}

verify_acknowledged()
{
	local nr

	(fio_on acknowledged "$1" --rw=write --size=16M --verify_only --verify_state_load=1 \
		--minimal) || fail "an acknowledged write is lost"
	nr=$(awk -F ';' '/^3;/ { print int($6 / 16) }' fio-acknowledged.log)
	note "acknowledged writes: ${nr:-0}"
	[ "${nr:-0}" -ge 10 ] || fail "only ${nr:-0} acknowledged writes: the scenario needs 10"
}

# ---- acknowledged writes of many cycles: dd writes a file of random blocks, in each cycle from
# another block on, and says how many were written

block=4096
# more than are written before the disk goes
blocks=8000

write_blocks()
{
	LC_ALL=C dd if=random of="/dev/$1" bs=$block skip="$2" count=$blocks oflag=direct 2>dd.log
}

# Set lost to the number of blocks that are not on the disk, of those that were written.
verify_blocks()
{
	local skip=$2 written=$3

	dd if="/dev/$1" of=back bs=$block count="$written" iflag=direct status=none ||
		fail "the disk can't be read"
	lost=$({ cmp -l -n $((written * block)) -i 0:$((skip * block)) back random || :; } |
		awk -v size=$block '!seen[int(($1 - 1) / size)]++ { n++ } END { print n + 0 }')
}

# Each cycle checks the writes of the one before, and makes its own.
write_cycles()
{
	local nr last=$1 writer written all=0 lost

	head -c $(((blocks + $1) * block)) /dev/urandom >random
	for ((nr = 0; nr <= last; nr++)); do
		# blktests limits the time
		[ -z "${TIMEOUT-}" ] || [ "$SECONDS" -lt "$TIMEOUT" ] || last=$nr
		create cycle
		export_disk cycle
		if [ "$nr" -gt 0 ]; then
			verify_blocks "$disk" $((nr - 1)) "$written"
			[ "$lost" -eq 0 ] || fail "unplug $nr: $lost of $written writes are lost"
		fi
		if [ "$nr" -lt "$last" ]; then
			write_blocks "$disk" "$nr" &
			writer=$!
			serves "$disk" 50 || fail "the disk takes no writes"
		fi
		unexport cycle
		delete cycle
		[ "$nr" -lt "$last" ] || break
		wait "$writer" && fail "unplug $nr: the writer got no error"
		written=$(sed -n 's/+[01] records out$//p' dd.log)
		[ "$written" -gt 0 ] || fail "unplug $nr: no write was acknowledged"
		all=$((all + written))
	done
	keep_longest_delete
	note "unplugs of a TCMU device during writes: $nr; $all acknowledged writes, 0 lost"
}

# ---- holders

# Make the holder hold the backstore that was created last. WHAT: see holder.c.
hold()
{
	holder_start "$daemon" "$uio" "$1"
}

# Check what the holder got from an operation.
expect()
{
	local got

	got=$(sed -n "s/^event $1 .*got=\([^ ]*\).*/\1/p" "$scenario.log" | tail -n 1)
	[ "$got" = "$2" ] || fail "$1 by the holder gives ${got:-nothing}, not $2"
}

# Check what the holder got from a deleted device.
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

# Delete a backstore while the holder holds it.
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
	wait "$holder_pid" || fail "the holder ended with status $?: see its output above"
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

# A second process that listens to TCMU's netlink.
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

# ---- set-up and clean-up

world_up()
{
	local by=configfs fault

	daemon_start || return 1
	# the hardest case for a daemon; the machine may have chosen another one
	fault=/sys/module/target_core_user/parameters/revoked_fault
	[ ! -e "$fault" ] || echo sigbus >"$fault"
	# the holder looks for the ring's address in vmallocinfo
	echo 1 >/proc/sys/kernel/kptr_restrict
	if [ ! -d "$luns" ]; then
		mkdir -p "$luns"
		echo "${wwn%1}2" >"${luns%/lun}/nexus"
	fi
	ring_kib=$(driver_kib)
	create bystander
	ring_kib=$(($(driver_kib) - ring_kib))
	# its commands wait while a scenario has stopped the daemon
	echo 120 >"$(backstore_dir bystander)/attrib/cmd_time_out"
	export_disk bystander
	bystander=$disk
	echo 120 >"/sys/block/$bystander/device/timeout"
}

world_is_up()
{
	find_disk bystander
}

# The rate is limited, because fio would take most of the time of an emulated CPU.
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

# Check the bystander after a scenario.
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

# The clean-up needs a daemon that answers.
wake_daemon()
{
	if is_gone "$daemon"; then
		netlink_reset
	else
		kill -CONT "$daemon"
	fi
	# the daemon may be another process now
	daemon_start
}

# Remove what a scenario has left, in the order that the kernel allows.
remove_others()
{
	local dir

	# an export or unexport may have been killed half-way
	for dir in "$luns"/lun_*/; do
		[ -n "$(find "$dir" -type l)" ] || rmdir "$dir"
	done
	for dir in $(others); do
		! find_lun "${dir##*/}" || remove_lun
		: >targetcli.stale
		rmdir "$dir"
	done
	# this removes only the empty ones
	rmdir "$config/core"/user_* 2>/dev/null || :
}

no_others()
{
	[ -z "$(others)" ]
}

# Undo what a scenario did. If that fails, set stuck to the reason: unplug then gives up.
world_restore()
{
	local mount

	stuck=''
	for mount in "$PWD"/mnt*/; do
		mountpoint -q "$mount" && umount -l "$mount"
	done
	# the module is unloaded: the next scenario makes a new set-up
	[ -d /sys/module/target_core_user ] || return 0
	wake_daemon || stuck="tcmu-runner does not start"
	remove_others >&2 &
	await is_gone "$!" && no_others || stuck="$(others | xargs) can't be removed"
	[ -z "$stuck" ]
}
