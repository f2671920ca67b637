# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What libuio's programs say to a card is compared with the other side's: lsuio aborts
# when it has said all, with any UIO.

description="lsuio and readuio, of libuio, on a card that is bound to uio_pci_generic"
# shellcheck source=cards.sh
. "${BASH_SOURCE[0]%/*}/cards.sh"
clients=(libuio)
guest=("${cards_guest[@]}")
tests=(lists_the_card reads_a_register modules_unload)
compared=1
driver=uio_pci_generic
mac=52:54:00:11:00:00

lacking()
{
	lacks "$driver"
}

test_lists_the_card()
{
	use_client libuio
	modprobe "$driver"
	cable_up 0
	plug 0 "$mac"
	bind 0 "$driver"
	fact_of lsuio
	fact_of lsuio -v
	fact_of lsuio -a
	grep "^Name.*: $driver" "$facts"
}

test_reads_a_register()
{
	use_client libuio
	fact_of readuio "$driver" "$((receive_address))"
	grep ": $(($(register_of "$mac")))\$" "$facts"
}

test_modules_unload()
{
	unplug 0
	rmmod "$driver"
	modprobe -r uio
	[ ! -d /sys/module/uio ]
}
