# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Download the programs and drivers in the file "list". Each is unpacked in a directory of its
# own in build/clients. Nothing is installed.

packages_of_client()
{
	sed -n "s/^$1 //p" "$lab/clients/list"
}

# Print the names of the drivers in the list.
driver_clients()
{
	sed -n 's/^driver-\([^ ]*\) .*/\1/p' "$lab/clients/list"
}

# Print PACKAGEs, and the packages that they need and the guest's root image lacks.
with_needed()
{
	local status=$build/tmp/guest-status all

	in_tools debugfs -R "dump /var/lib/dpkg/status $status" "$build/root.ext4" >&2
	all=$(lab_apt apt-get -q -s -o "Dir::State::status=$status" \
		--no-install-recommends install "$@") || return
	rm "$status"
	sed -n 's/^Inst \([^ ]*\) .*/\1/p' <<<"$all" | grep -v -e '-dev$'
	printf '%s\n' "$@" | grep -e '-dev$' || :
}

# shellcheck disable=SC2046,SC2086 # names are split into words
setup_client()
{
	local client=$1 new=$build/clients/$1.new names

	rm -rf "$new"
	mkdir -p "$new/debs"
	names=$(packages_of_client "$client")
	[[ $client = driver-* ]] || names=$(with_needed $names)
	cd "$new/debs" || return
	apt_download $names
	unpack_debs "$new" | tee "$build/tmp/client-$client"
	rm -rf "${new:?}"/{debs,etc,usr/share,usr/lib/systemd} "${build:?}/clients/$client"
	mv "$new" "$build/clients/$client"
	mv "$build/tmp/client-$client" "$build/versions.d/client-$client"
}

client_done()
{
	done_already "client-$1" && [ -d "$build/clients/$1" ]
}

make_client()
{
	mkdir -p "$build/tmp"
	check_space 512
	download_step "client-$1"
	cat "$build"/versions.d/* >"$build/versions"
}

# Download a client. Dies if that fails.
setup_client_root()
{
	once "$build/client-$1.lock" client_done make_client "$1"
}
