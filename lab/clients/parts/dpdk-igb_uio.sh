# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash

description="DPDK's testpmd on cards that are bound to igb_uio"
driver=igb_uio
load_driver=(insmod /lab/drivers/igb_uio/igb_uio.ko)
clients=(dpdk driver-igb_uio)
# shellcheck source=../shared/dpdk.sh
. "${BASH_SOURCE[0]%/*}/../shared/dpdk.sh"
