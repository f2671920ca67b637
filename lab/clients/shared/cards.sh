# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Network cards that come and go: an e1000e in each of two PCIe slots, joined by a hub of
# QEMU's, and the UIO driver that they are bound to. Card N is port N of testpmd's.

cards_guest=(--device 'pcie-root-port,id=slot0,chassis=1'
	--device 'pcie-root-port,id=slot1,chassis=2')
# Where the MAC address begins, in the card's first region.
receive_address=0x5400

address_of()
{
	echo "0000:0$(($1 + 1)):00.0"
}

card_dir()
{
	echo "/sys/bus/pci/devices/$(address_of "$1")"
}

# Put in card N, with that MAC address; bind it to DRIVER, and wait for its UIO device.
plug()
{
	local dir

	dir=$(card_dir "$1")
	lab-monitor "netdev_add hubport,id=net$1,hubid=0"
	lab-monitor "device_add e1000e,id=card$1,bus=slot$1,netdev=net$1,mac=$2"
	await_for 30 test -d "$dir" || fail "card $1 does not come"
	echo "$3" >"$dir/driver_override"
	address_of "$1" >/sys/bus/pci/drivers_probe
	await_for 30 has_node "$1" || fail "$3 makes no UIO device of card $1"
}

unplug()
{
	lab-monitor "device_del card$1"
	await_for 30 not test -d "$(card_dir "$1")" || fail "card $1 does not go"
	await_for 30 not lab-monitor "qom-get /machine/peripheral/card$1 type"
	lab-monitor "netdev_del net$1"
}

# uioN of a card.
uio_of()
{
	basename "$(card_dir "$1")"/uio/uio*
}

has_node()
{
	[ -c "/dev/$(uio_of "$1")" ]
}

# The first four bytes of a MAC address, as its register has them.
register_of()
{
	local a b c d

	IFS=: read -r a b c d _ <<<"$1"
	echo "0x$d$c$b$a"
}
