# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Network cards that come and go: an e1000e in each of two PCIe slots, joined by a hub of
# QEMU's, and the UIO driver that they are bound to. Card N is port N of testpmd's.

cards_guest=(--device 'pcie-root-port,id=slot0,chassis=1'
	--device 'pcie-root-port,id=slot1,chassis=2')
addresses=(0000:01:00.0 0000:02:00.0)
cards=("${addresses[@]/#//sys/bus/pci/devices/}")
# MAC addresses; in the first region of a card there is a register with the first four bytes
# of its own, where the cards that are put in first have the same.
macs=(52:54:00:11:00:00 52:54:00:11:00:01)
mac_register=0x5400 mac_value=0x11005452

# Put in card N, with that MAC address; bind it to DRIVER, and wait for its UIO device.
plug()
{
	lab-monitor "netdev_add hubport,id=net$1,hubid=0"
	lab-monitor "device_add e1000e,id=card$1,bus=slot$1,netdev=net$1,mac=$2"
	await_for 30 test -d "${cards[$1]}" || fail "card $1 does not come"
	echo "$3" >"${cards[$1]}/driver_override"
	echo "${addresses[$1]}" >/sys/bus/pci/drivers_probe
	await_for 30 has_node "$1" || fail "$3 makes no UIO device of card $1"
}

unplug()
{
	lab-monitor "device_del card$1"
	await_for 30 not test -d "${cards[$1]}" || fail "card $1 does not go"
	await_for 30 not lab-monitor "qom-get /machine/peripheral/card$1 type"
	lab-monitor "netdev_del net$1"
}

# uioN of a card.
uio_of()
{
	basename "${cards[$1]}"/uio/uio*
}

has_node()
{
	[ -c "/dev/$(uio_of "$1")" ]
}
