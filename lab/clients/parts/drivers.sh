# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Drivers that others wrote, compiled against the kernel's own header, on this uio.ko. How
# they compile, and with which symbol versions, is looked at by the host (lib/drivers.sh).

description="drivers that others wrote: compiled with our header, loaded as they are"
clients=()
guest=()
host_tests=() tests=()
# set by who reads this
for name in "${driver_names[@]}"; do
	host_tests+=("$name.compiles" "$name.modversions")
	tests+=("$name.loads" "$name.unloads")
done

lacking()
{
	:
}

# Load MODULE of DRIVER, after what it needs, and keep account of it.
insert()
{
	local dir=/lab/drivers/$1 name=$2 other

	[ ! -d "/sys/module/${name//-/_}" ] || return 0
	for other in $(modinfo -F depends "$dir/$name.ko" | tr , ' '); do
		if [ -e "$dir/$other.ko" ]; then
			insert "$1" "$other"
		else
			modprobe "$other"
		fi
	done
	insmod "$dir/$name.ko"
	echo "${name//-/_}" >>loaded
}

# Whose uio it uses, is what the kernel says.
test_loads()
{
	local file name

	: >loaded
	for file in "/lab/drivers/$1"/*.ko; do
		name=${file##*/}
		insert "$1" "${name%.ko}"
	done
	while read -r name; do
		[ ! -e "/sys/module/uio/holders/$name" ] || return 0
	done <loaded
	fail "nothing of it uses uio"
}

test_unloads()
{
	local name

	for name in $(tac loaded); do
		rmmod "$name"
	done
	modprobe -r uio
	[ ! -d /sys/module/uio ]
}
