# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Network cards that come and go: an e1000e in each of two PCIe slots. A hub in QEMU connects
# them. Both are bound to a UIO driver. Card N is port N of testpmd.

cards_guest=(--device 'pcie-root-port,id=slot0,chassis=1'
	--device 'pcie-root-port,id=slot1,chassis=2')
addresses=(0000:01:00.0 0000:02:00.0)
cards=("${addresses[@]/#//sys/bus/pci/devices/}")
# MAC addresses. A register in a card's first region has the first four bytes of its address,
# which are the same for the first two cards.
macs=(52:54:00:11:00:00 52:54:00:11:00:01)
mac_register=0x5400 mac_value=0x11005452

# Plug in card N with a MAC address, bind it to DRIVER, and wait for its UIO device.
plug()
{
	lab-monitor "netdev_add hubport,id=net$1,hubid=0"
	lab-monitor "device_add e1000e,id=card$1,bus=slot$1,netdev=net$1,mac=$2"
	await_for 30 test -d "${cards[$1]}" || fail "card $1 does not appear in 30 s"
	echo "$3" >"${cards[$1]}/driver_override"
	echo "${addresses[$1]}" >/sys/bus/pci/drivers_probe
	await_for 30 has_node "$1" || fail "$3 makes no UIO device for card $1 in 30 s"
}

unplug()
{
	lab-monitor "device_del card$1"
	await_for 30 not test -d "${cards[$1]}" || fail "card $1 does not disappear in 30 s"
	await_for 30 not lab-monitor "qom-get /machine/peripheral/card$1 type"
	lab-monitor "netdev_del net$1"
}

# Print the uioN of a card.
uio_of()
{
	basename "${cards[$1]}"/uio/uio*
}

has_node()
{
	[ -c "/dev/$(uio_of "$1")" ]
}
