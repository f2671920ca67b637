# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Drivers that others wrote, compiled against the kernel's own header, on this uio.ko. How
# they compile, and with which symbol versions, is looked at by the host (../drivers.sh).

description="drivers that others wrote: compiled with our header, loaded as they are"
# set by who reads this
for name in "${drivers[@]}"; do
	host_tests+=("$name.compiles" "$name.modversions")
	tests+=("$name.loads" "$name.unloads")
done

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
	local file

	: >loaded
	for file in "/lab/drivers/$1"/*.ko; do
		insert "$1" "$(basename "$file" .ko)"
	done
	grep -Fx -f loaded <(ls /sys/module/uio/holders) || fail "nothing of it uses uio"
}

test_unloads()
{
	# shellcheck disable=SC2046 # names
	uio_unloads $(tac loaded)
}
