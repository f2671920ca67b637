# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What each utility of sg3-utils says to a LUN is compared with the other side's.

description="sg3-utils on a LUN of tcmu-runner's"
clients=()
guest=()
tests=(starts runs_through modules_unload)
compared=1
# shellcheck source=lun.sh
. "${BASH_SOURCE[0]%/*}/lun.sh"

lacking()
{
	lacks target_core_user tcm_loop
}

test_starts()
{
	target_up
	mkdir -p "$luns"
	echo "${wwn%1}2" >"${luns%/lun}/nexus"
	create disk
	echo 01234567-89ab-cdef-0123-456789abcdef >"$(backstore_dir disk)/wwn/vpd_unit_serial"
	export_disk disk
	echo "$disk" >name
}

fact_of_disk()
{
	fact_of "$@" "/dev/$(cat name)"
}

test_runs_through()
{
	fact_of_disk sg_inq
	fact_of_disk sg_inq -e -p 0x83
	fact_of_disk sg_vpd -a
	fact_of_disk sg_readcap -l
	fact_of_disk sg_luns
	fact_of_disk sg_modes -a
	fact_of_disk sg_requests
	fact_of_disk sg_opcodes
	fact_of_disk sg_logs -a
	fact_of_disk sg_rtpg -d
	fact_of_disk sg_sync
	fact_of_disk sg_write_same --lba=8 --num=16 --xferlen=512
	fact_of_disk sg_unmap --force --lba=32 --num=8
	fact_of_disk sg_verify --lba=0 --count=64
	fact_of_disk sg_get_lba_status --lba=0
	fact_of_disk sg_persist --in --read-keys
	fact_of_disk sg_persist --out --register --param-sark=0xabc
	fact_of_disk sg_persist --in --read-full-status
	fact_of_disk sg_start --stop
	fact_of_disk sg_start --start
	fact_of_disk sg_prevent --allow
	fact_of_disk sg_reset --device
	fact_of_disk sg_turs
	fact_of sg_dd "if=/dev/$(cat name)" of=copy count=64 bs=512 time=0
	grep '^status 0' "$facts"
}

test_modules_unload()
{
	unexport disk
	rmdir "${luns%/lun}" "$config/loopback/$wwn" "$config/loopback"
	modprobe -r tcm_loop
	all_unloads disk
}
