# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The output of each program of sg3-utils is compared with that of the other side.

description="sg3-utils on a LUN of tcmu-runner"
needs=(target_core_user tcm_loop)
tests=(starts runs_through modules_unload)
compared=1
# shellcheck source=../shared/lun.sh
. "${BASH_SOURCE[0]%/*}/../shared/lun.sh"

test_starts()
{
	disk_up
	mkdir -p "$luns"
	echo "${wwn%1}2" >"${luns%/lun}/nexus"
	echo 01234567-89ab-cdef-0123-456789abcdef >"$(backstore_dir disk)/wwn/vpd_unit_serial"
	export_disk disk
	echo "$disk" >name
}

test_runs_through()
{
	local node command

	node=/dev/$(cat name)
	while read -r -a command; do
		fact_of "${command[@]}" "$node"
	done <<-EOT
		sg_inq
		sg_inq -e -p 0x83
		sg_vpd -a
		sg_readcap -l
		sg_luns
		sg_modes -a
		sg_requests
		sg_opcodes
		sg_logs -a
		sg_rtpg -d
		sg_sync
		sg_write_same --lba=8 --num=16 --xferlen=512
		sg_unmap --force --lba=32 --num=8
		sg_verify --lba=0 --count=64
		sg_get_lba_status --lba=0
		sg_persist --in --read-keys
		sg_persist --out --register --param-sark=0xabc
		sg_persist --in --read-full-status
		sg_start --stop
		sg_start --start
		sg_prevent --allow
		sg_reset --device
		sg_turs
	EOT
	fact_of sg_dd "if=$node" of=copy count=64 bs=512 time=0
	grep '^status 0' "$facts"
}

test_modules_unload()
{
	unexport disk
	rmdir "${luns%/lun}" "$config/loopback/$wwn" "$config/loopback"
	rmmod tcm_loop
	disk_down
}
