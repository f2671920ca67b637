# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The versions (CRCs) of the symbols that UIO drivers link to. The kernel's binary drivers
# load only on a core whose symbols have the kernel's versions.

exported=(__uio_register_device __devm_uio_register_device uio_unregister_device
	uio_event_notify)

symbol_version()
{
	awk -v symbol="$2" '$2 == symbol { print $1 }' "$1"
}

# Compare two Module.symvers, and print what differs.
same_symbol_versions()
{
	local our_file=$1 their_file=$2 symbol our their status=0

	for symbol in "${exported[@]}"; do
		our=$(symbol_version "$our_file" "$symbol")
		their=$(symbol_version "$their_file" "$symbol")
		[ -n "$their" ] && [ "$our" = "$their" ] && continue
		echo "$symbol: ${our:-none}, the kernel's is ${their:-none}"
		status=1
	done
	return "$status"
}
