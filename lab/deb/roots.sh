# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two more Debian roots, for the package uio-late-release-dkms: one in which it is made,
# and one, as an image, in which it is installed. Who never asks for them need not
# download them.
#
#   deb-root/         debhelper, dh-dkms, lintian; headers of all kernels below
#   deb-disk.ext4     a machine with dkms and the old kernel; it knows the foreign one
#   deb-kernels/      old, new, foreign: their names; boot/: what QEMU starts; new-debs/
#
# old and new are kernels of the series that the package is for, foreign is not.

deb_series=6.12
deb_root=$build/deb-root
deb_disk=$build/deb-disk.ext4
deb_kernels=$build/deb-kernels

in_deb()
{
	run_contained "$lab/core/inside" enter "$deb_root" "$@"
}

# Cloud kernels PATTERN that the mirror has, with their headers, oldest first.
kernels_with_headers()
{
	local abi

	lab_apt apt-cache search --names-only "^linux-headers-$1-cloud-amd64\$" |
		sed -n 's/^linux-headers-\([^ ]*\) .*/\1/p' | sort -V |
		while read -r abi; do
			[ -z "$(apt_version "linux-image-$abi")" ] || echo "$abi"
		done
}

# The packages that a kernel's headers consist of.
headers_of()
{
	local abi=$1 common=${1%-cloud-amd64}

	printf '%s\n' "linux-headers-$abi" "linux-headers-$common-common" \
		"linux-kbuild-$common"
}

# Write the names of the three. The new one is the lab's, for which there are test
# modules.
choose_deb_kernels()
{
	local dir=$1 new mine other

	new=$(kernel_abi "$deb_series")
	mapfile -t mine < <(kernels_with_headers "${deb_series//./\\.}\\.[^-]*")
	mapfile -t other < <(kernels_with_headers '[0-9.]*\+[^-]*' | grep -v "^$deb_series\\.")
	if [ "${#mine[@]}" -lt 2 ] || [ "${#other[@]}" -eq 0 ]; then
		reason "the Debian mirror has ${#mine[@]} cloud kernels $deb_series and" \
			"${#other[@]} others: use one that carries $suite-security and" \
			"$suite-backports"
		return 1
	fi
	if [ "${mine[0]}" = "$new" ] || [[ " ${mine[*]} " != *" $new "* ]]; then
		reason "the Debian mirror has no kernel $new any more: run make distclean"
		return 1
	fi
	echo "${mine[0]}" >"$dir/old"
	echo "$new" >"$dir/new"
	echo "${other[-1]}" >"$dir/foreign"
}

deb_kernel()
{
	cat "$deb_kernels/$1"
}

# The kernels' packages. Guests get the new one's whole, and boot what is unpacked here.
setup_debkernels()
{
	local new=$deb_kernels.new which names

	rm -rf "$new"
	mkdir -p "$new/boot" "$new/new-debs" "$new/headers"
	choose_deb_kernels "$new"
	for which in old new foreign; do
		mapfile -t names < <(headers_of "$(cat "$new/$which")")
		(cd "$new/headers" && apt_download "${names[@]}")
	done
	mapfile -t names < <(headers_of "$(cat "$new/new")")
	(cd "$new/new-debs" && apt_download "linux-image-$(cat "$new/new")" "${names[@]}")
	(cd "$new" && apt_download "linux-image-$(cat "$new/old")")
	for which in "$new"/linux-image-*.deb "$new"/new-debs/linux-image-*.deb; do
		dpkg-deb --fsys-tarfile "$which" |
			tar -x -C "$new/boot" --strip-components=2 --wildcards './boot/vmlinuz-*'
	done
	rm -rf "$deb_kernels" "$new"/linux-image-*.deb
	mv "$new" "$deb_kernels"
}

setup_debroot()
{
	local deb

	bootstrap "$deb_root.new" "$lab/packages/deb" | tee "$build/tmp/debroot.versions"
	rm -rf "$deb_root.new"/var/cache/apt/* "$deb_root.new"/var/lib/apt/lists/*
	# All of these packages keep below /usr, so the links /lib and /bin are safe.
	for deb in "$deb_kernels"/headers/*.deb; do
		dpkg -x "$deb" "$deb_root.new"
	done
	rm -rf --one-file-system "$deb_root"
	mv "$deb_root.new" "$deb_root"
	mv "$build/tmp/debroot.versions" "$build/versions.d/deb-root"
}

# As on a machine that someone looks after: it boots without its initramfs, but has one,
# and uio in it.
setup_debdisk()
{
	local root=$deb_root-guest list=$build/tmp/packages.deb-guest size

	{
		cat "$lab"/packages/{guest,deb-guest}
		printf '%s\n' "linux-image-$(deb_kernel old)" "linux-headers-$(deb_kernel old)" \
			"linux-headers-$(deb_kernel foreign)"
	} >"$list"
	bootstrap "$root" "$list" | tee "$build/tmp/debdisk.versions"
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/etc/dpkg/dpkg.cfg.d/lab
	echo MODULES=list >"$root/etc/initramfs-tools/conf.d/lab"
	echo uio >>"$root/etc/initramfs-tools/modules"
	install -m 755 "$lab/guest/inside/stub" "$root/sbin/lab-init"
	mkdir -p "$root/lab"
	size=$(du -sm --apparent-size "$root" | cut -f1)
	rm -f "$deb_disk.new"
	truncate -s "$((size + size / 4 + 2048))M" "$deb_disk.new"
	in_tools mkfs.ext4 -q -O ^has_journal -E lazy_itable_init=0 -m 0 -d "$root" \
		"$deb_disk.new"
	mv "$deb_disk.new" "$deb_disk"
	rm -rf --one-file-system "$root"
	mv "$build/tmp/debdisk.versions" "$build/versions.d/deb-disk"
}

deb_root_done()
{
	done_already debkernels && done_already debroot && [ -e "$deb_root/usr/bin" ]
}

make_deb_root()
{
	mkdir -p "$build/tmp"
	say "setting up the packaging tools (once, a few minutes)"
	check_space 3072
	download_step debkernels debroot
	cat "$build"/versions.d/* >"$build/versions"
}

setup_deb_root()
{
	setup_base
	once "$build/deb-root.lock" deb_root_done make_deb_root
}

deb_disk_done()
{
	done_already debdisk && [ -e "$deb_disk" ]
}

make_deb_disk()
{
	say "setting up a machine to install the package in (once, a few minutes)"
	check_space 3072
	download_step debdisk
	cat "$build"/versions.d/* >"$build/versions"
}

setup_deb_disk()
{
	setup_deb_root
	once "$build/deb-disk.lock" deb_disk_done make_deb_disk
}
