# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What libuio's programs say to a card is compared with the other side's: lsuio aborts
# when it has said all, with any UIO.

description="lsuio and readuio, of libuio, on a card that is bound to uio_pci_generic"
# shellcheck source=../shared/cards.sh
. "${BASH_SOURCE[0]%/*}/../shared/cards.sh"
clients=(libuio)
guest=("${cards_guest[@]}")
needs=(uio_pci_generic)
tests=(lists_the_card reads_a_register modules_unload)
compared=1
mac=52:54:00:11:00:00

test_lists_the_card()
{
	use_client libuio
	modprobe uio_pci_generic
	plug 0 "$mac" uio_pci_generic
	fact_of lsuio
	fact_of lsuio -v
	fact_of lsuio -a
	grep '^Name.*: uio_pci_generic' "$facts"
}

test_reads_a_register()
{
	use_client libuio
	fact_of readuio uio_pci_generic "$((receive_address))"
	grep ": $(($(register_of "$mac")))\$" "$facts"
}

test_modules_unload()
{
	unplug 0
	uio_unloads uio_pci_generic
}
