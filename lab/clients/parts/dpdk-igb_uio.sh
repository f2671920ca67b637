# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash

description="DPDK's testpmd on cards that are bound to igb_uio"
driver=igb_uio
# shellcheck source=dpdk.sh
. "${BASH_SOURCE[0]%/*}/dpdk.sh"
clients+=(driver-igb_uio)
