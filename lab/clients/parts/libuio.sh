# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The output of libuio's programs is compared with that of the other side. lsuio aborts at its
# end, with any UIO.

description="libuio's lsuio and readuio on a card that is bound to uio_pci_generic"
# shellcheck source=../shared/cards.sh
. "${BASH_SOURCE[0]%/*}/../shared/cards.sh"
clients=(libuio)
guest=("${cards_guest[@]}")
needs=(uio_pci_generic)
tests=(lists_the_card reads_a_register modules_unload)
compared=1

test_lists_the_card()
{
	modprobe uio_pci_generic
	plug 0 "${macs[0]}" uio_pci_generic
	fact_of lsuio
	fact_of lsuio -v
	fact_of lsuio -a
	grep '^Name.*: uio_pci_generic' "$facts"
}

test_reads_a_register()
{
	fact_of readuio uio_pci_generic "$((mac_register))"
	grep ": $((mac_value))\$" "$facts"
}

test_modules_unload()
{
	unplug 0
	uio_unloads uio_pci_generic
}
