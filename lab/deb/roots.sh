# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two more Debian roots for the package uio-late-release-dkms: one to make it, and one, as a
# disk image, to install it. They are downloaded when they are first needed.
#
#   deb-root/         debhelper, dkms, lintian; the kernels old and new, headers of all
#   deb-disk.ext4     a machine with dkms and the kernel old; it has headers of foreign
#   deb-kernels/      old, new, foreign: their names
#   deb-upgrade/      the packages of new
#
# The package is for the series of old and new, but not for that of foreign.

deb_series=6.12
deb_root=$build/deb-root
deb_disk=$build/deb-disk.ext4
deb_kernels=$build/deb-kernels
deb_upgrade=$build/deb-upgrade

in_deb()
{
	run_contained "$lab/core/inside" enter "$deb_root" "$@"
}

deb_kernel()
{
	cat "$deb_kernels/$1"
}

# Print the cloud kernels whose headers the mirror has, oldest first.
kernels_with_headers()
{
	lab_apt apt-cache search --names-only '^linux-headers-[0-9.]*\+[^-]*-cloud-amd64$' |
		sed -n 's/^linux-headers-\([^ ]*\) .*/\1/p' | sort -V
}

# Write the names of the three kernels. The new one is the lab's kernel, because that has test
# modules.
choose_deb_kernels()
{
	local new mine other

	new=$(kernel_abi "$deb_series")
	mapfile -t mine < <(kernels_with_headers | grep "^$deb_series\\.")
	mapfile -t other < <(kernels_with_headers | grep -v "^$deb_series\\.")
	if [ "${#mine[@]}" -lt 2 ] || [ "${#other[@]}" -eq 0 ]; then
		reason "the Debian mirror has ${#mine[@]} cloud kernels $deb_series and" \
			"${#other[@]} others: use one that carries $suite-security and" \
			"$suite-backports"
		return 1
	fi
	if [ "${mine[0]}" = "$new" ] || ! is_in "$new" "${mine[@]}"; then
		reason "the Debian mirror has no kernel $new any more: run make distclean"
		return 1
	fi
	echo "${mine[0]}" >"$deb_kernels/old"
	echo "$new" >"$deb_kernels/new"
	echo "${other[-1]}" >"$deb_kernels/foreign"
}

setup_debkernels()
{
	rm -rf "$deb_kernels"
	mkdir "$deb_kernels"
	choose_deb_kernels
}

# Make ROOT from the packages on stdin and the headers of KERNEL... For kernels of the package's
# series, the headers bring an image.
bootstrap_deb()
{
	local name=$1 root=$2

	shift 2
	{ cat; sed 's/^/linux-headers-/' "${@/#/$deb_kernels/}"; } >"$build/tmp/$name.packages"
	bootstrap "$root" "$build/tmp/$name.packages" | tee "$build/versions.d/$name"
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/etc/dpkg/dpkg.cfg.d/lab
}

# Nothing boots from this root, so it needs no initramfs.
setup_debroot()
{
	export INITRD=No
	bootstrap_deb deb-root "$deb_root.new" old new foreign <"$lab/packages/deb"
	rm -rf --one-file-system "$deb_root"
	mv "$deb_root.new" "$deb_root"
}

# Make a disk like that of a real machine: it has an initramfs with uio in it, although guests
# boot without it.
setup_debdisk()
{
	local root=$deb_root-guest abi

	cat "$lab"/packages/{guest,deb-guest} | bootstrap_deb deb-disk "$root" old foreign
	echo MODULES=list >"$root/etc/initramfs-tools/conf.d/lab"
	echo uio >>"$root/etc/initramfs-tools/modules"
	install -m 755 "$lab/guest/inside/stub" "$root/sbin/lab-init"
	mkdir -p "$root/lab"
	rm -rf "$deb_upgrade"
	mkdir "$deb_upgrade"
	abi=$(deb_kernel new)
	(cd "$deb_upgrade" && apt_download "linux-image-$abi" "linux-headers-$abi" \
		"linux-headers-${abi%-cloud-amd64}-common" "linux-kbuild-${abi%-cloud-amd64}")
	make_image "$root" 2048 "$deb_disk"
}

# Are these STEPs done? The last one makes FILE, and has to run again if FILE is missing.
deb_done()
{
	local step

	[ -e "$1" ] || rm -f "$build/stamps/${*: -1}"
	for step in "${@:2}"; do
		done_already "$step" || return 1
	done
}

make_deb()
{
	mkdir -p "$build/tmp"
	say "setting up the $(describe "${*: -1}"), once, a few minutes"
	check_space 4096
	download_step "${@:2}"
	cat "$build"/versions.d/* >"$build/versions"
}

setup_deb_root()
{
	setup_base
	once "$build/deb-root.lock" deb_done make_deb "$deb_root" debkernels debroot
}

setup_deb_disk()
{
	setup_deb_root
	once "$build/deb-disk.lock" deb_done make_deb "$deb_disk" debdisk
}
