# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The part of in-guest for TCMU devices. It measures the kernel's own target_core_user on its
# own uio, and ours on ours. The consumer of the ring does no work.

target=/sys/kernel/config/target
store=$target/core/user_0/bench
loop=$target/loopback/naa.5001405000000001
bytes=$((1 << 30))

await()
{
	local last=$((SECONDS + 60))

	until "$@"; do
		[ "$SECONDS" -lt "$last" ] || {
			echo "in-guest: no success within 60 s: $*" >&2
			exit 1
		}
		sleep 0.05
	done
}

# The disk's name appears before its queue is final. The disk can be opened only when the
# kernel has finished all of it.
disk_is_ready()
{
	local dir

	for dir in /sys/bus/scsi/devices/*/block/sd*; do
		disk=/dev/${dir##*/}
	done
	(echo none >"$dir/queue/scheduler" && : <"$disk") 2>/dev/null
}

disk_is_gone()
{
	! compgen -G '/sys/bus/scsi/devices/*/block/sd*' >/dev/null
}

# Make a disk that the consumer serves, in MODE.
start()
{
	local whose=$1 mode=$2

	load "$whose" uio target_core_user
	mkdir -p "$store"
	echo "dev_config=bench/x,dev_size=$bytes,nl_reply_supported=-1,max_data_area_mb=80" \
		>"$store/control"
	echo 1 >"$store/enable"
	await test -c /dev/uio0
	./uio_bench_tcmu "$mode" /dev/uio0 "$bytes" >tcmu.out &
	consumer=$!
	mkdir -p "$loop/tpgt_1/lun/lun_0"
	echo naa.5001405000000002 >"$loop/tpgt_1/nexus"
	ln -s "$store" "$loop/tpgt_1/lun/lun_0/bench"
	await disk_is_ready
}

end()
{
	rm "$loop/tpgt_1/lun/lun_0/bench"
	await disk_is_gone
	rmdir "$loop/tpgt_1/lun/lun_0" "$loop/tpgt_1" "$loop"
	rmdir "$store" "${store%/*}"
	wait "$consumer"
	rmmod target_core_user uio
}

run_fio()
{
	timeout 240 fio --name=bench --filename="$disk" --direct=1 --ioengine=libaio --thread \
		--minimal "$@"
}

# Print operations per second of a case.
fio_rate()
{
	local options

	case $1 in
	*-randread) options=(--rw=randread --bs=4k) ;;
	*-randwrite) options=(--rw=randwrite --bs=4k) ;;
	*-seqread) options=(--rw=read --bs=128k) ;;
	esac
	run_fio --iodepth=16 --norandommap --randrepeat=1 --time_based --runtime="${what#*-}" \
		"${options[@]}" | awk -F ';' '{ print $8 + $49 }'
}

measure_fio()
{
	local form=$1 name rate

	start "$form" consume
	# the first use of the data area allocates its pages
	fio_rate any-seqread >/dev/null
	for name in "${cases[@]}"; do
		rate=$(fio_rate "$name")
		echo "$form $round $name $rate"
	done
	end
}

round_of_fio()
{
	measure mainline
	measure ours
}

# The consumer waits for writes of 64 MiB, and touches them then.
measure_ring()
{
	start "$1" touch
	run_fio --iodepth=256 --rw=write --bs=256k --size=64m >/dev/null
	sed "s/^/$1 $round /" tcmu.out
	end
}

round_of_ring()
{
	measure mainline
	measure ours
	# the floor has no ring: touch the same number of pages of a UIO device
	./uio_bench floor touch64-none | sed "s/^touch64-none/floor $round tcmu-touch64/"
}

modprobe -a tcm_loop sd_mod
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
