# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash

description="DPDK's testpmd on cards that are bound to uio_pci_generic"
driver=uio_pci_generic
load_driver=(modprobe uio_pci_generic)
clients=(dpdk)
needs=(uio_pci_generic)
# shellcheck source=../shared/dpdk.sh
. "${BASH_SOURCE[0]%/*}/../shared/dpdk.sh"
