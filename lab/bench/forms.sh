# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# In a guest: whose uio.ko and whose modules for it are loaded.

kernel=/lib/modules/$(uname -r)/kernel

# Whose modules are where: mainline's are the kernel's own, and the benchmark's own
# driver was compiled for it.
module()
{
	local whose=$1 name=$2

	case $whose/$name in
	mainline/uio) echo "$kernel/drivers/uio/uio.ko" ;;
	mainline/target_core_user) echo "$kernel/drivers/target/target_core_user.ko" ;;
	mainline/*) echo "/lab/mainline/$name.ko" ;;
	*) echo "/lab/modules/$name.ko" ;;
	esac
}

# Load modules of one, in this order.
load()
{
	local whose=$1 name

	shift
	for name in "$@"; do
		insmod "$(module "$whose" "$name")"
	done
}

# Whoever makes nodes in /dev goes before all else: a registration waits for it.
chrt -f -p 2 "$(pgrep -x kdevtmpfs)"

# What is mapped where decides how many page tables and tree nodes come and go.
echo 0 >/proc/sys/kernel/randomize_va_space
