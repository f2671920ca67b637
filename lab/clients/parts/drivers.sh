# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Load drivers of others, compiled with the kernel's own header, on this uio.ko. The host
# checks how they compile, and their symbol versions: see ../drivers.sh.

description="drivers of others: do they compile with our header, and does the binary load"
# the script that sources this sets drivers
for name in "${drivers[@]}"; do
	host_tests+=("$name.compiles" "$name.modversions")
	tests+=("$name.loads" "$name.unloads")
done

# The kernel's list of holders proves that the driver uses this uio.
test_loads()
{
	lab-insert "/lab/drivers/$1" >loaded
	grep -Fx -f loaded <(ls /sys/module/uio/holders) || fail "no module of the driver uses uio"
}

test_unloads()
{
	# shellcheck disable=SC2046 # names
	uio_unloads $(tac loaded)
}
