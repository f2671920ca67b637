# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# More Debian roots for the package uio-late-release-dkms: one to make it, two to compile it, and
# two, as disk images, to install it. They are downloaded when they are first needed.
#
#   deb-root/         Debian 13: debhelper, dkms, lintian, sources of all series; the kernels
#                     old, new, 7.2 and 7.3, with their headers
#   deb-root-12/      Debian 12: dkms; headers of 12-6.1 and 12-6.12
#   deb-disk.ext4     a machine with dkms and the kernel old
#   deb-disk-12.ext4  the same with Debian 12 and the kernel 12-6.1, whose image is in
#                     deb-disk-12.vmlinuz
#   deb-kernels/      old, new, 7.2, 7.3, 12-6.1, 12-6.12: the names of these kernels
#   deb-upgrade/      the packages of new
#
# foreign is a kernel that does not exist. The package is not for its series.

deb_series=6.12
deb_foreign=6.5.0-1-cloud-amd64
deb_root=$build/deb-root
deb_root_12=$build/deb-root-12
deb_disk=$build/deb-disk.ext4
deb_disk_12=$build/deb-disk-12.ext4
deb_kernels=$build/deb-kernels
deb_upgrade=$build/deb-upgrade

in_deb()
{
	run_contained "$lab/core/inside" enter "$deb_root" "$@"
}

deb_kernel()
{
	if [ "$1" = foreign ]; then
		echo "$deb_foreign"
	else
		cat "$deb_kernels/$1"
	fi
}

# Put headers of the foreign kernel into ROOT. They look like those of KERNEL as far as dkms looks
# at them before it compiles.
add_foreign()
{
	local dir=$1/lib/modules/$deb_foreign config=$1/usr/src/linux-headers-$2/.config

	mkdir -p "$dir/kernel" "$dir/build/include/config"
	cp "$config" "$dir/build/"
	cp "${config%.config}include/config/auto.conf" "$dir/build/include/config/"
}

# Print the cloud kernels of SERIES whose headers the mirror has, oldest first.
kernels_with_headers()
{
	lab_apt apt-cache search --names-only \
		"^linux-headers-${1//./\\.}\\.[0-9.]*[-+][^-]*-cloud-amd64\$" |
		sed -n 's/^linux-headers-\([^ ]*\) .*/\1/p' | sort -V
}

# Write the name of the newest kernel of SERIES to FILE.
choose_newest()
{
	local newest

	newest=$(kernels_with_headers "$1" | tail -n 1)
	[ -n "$newest" ] || {
		reason "the Debian mirror has no cloud kernel $1 in $suite: use one that carries" \
			"$suite-security and $suite-backports"
		return 1
	}
	echo "$newest" >"$deb_kernels/$2"
}

# Write the names of the kernels old and new. The new one is the lab's kernel, because that has
# test modules.
choose_old_and_new()
{
	local new mine

	new=$(kernel_abi "$deb_series")
	mapfile -t mine < <(kernels_with_headers "$deb_series")
	if [ "${#mine[@]}" -lt 2 ]; then
		reason "the Debian mirror has ${#mine[@]} cloud kernels $deb_series:" \
			"use one that carries $suite-security"
		return 1
	fi
	if [ "${mine[0]}" = "$new" ] || ! is_in "$new" "${mine[@]}"; then
		reason "the Debian mirror has no kernel $new any more: run make distclean"
		return 1
	fi
	echo "${mine[0]}" >"$deb_kernels/old"
	echo "$new" >"$deb_kernels/new"
}

setup_debkernels()
{
	rm -rf "$deb_kernels"
	mkdir "$deb_kernels"
	choose_old_and_new && choose_newest 7.2 7.2 && choose_newest 7.3 7.3 || return
	use_apt bookworm amd64 && choose_newest 6.1 12-6.1 && choose_newest 6.12 12-6.12
}

# Make ROOT from the packages on stdin and the headers of KERNEL... Headers of 6.12 bring an image.
bootstrap_deb()
{
	local name=$1 root=$2

	shift 2
	{ cat; sed 's/^/linux-headers-/' "${@/#/$deb_kernels/}"; } >"$build/tmp/$name.packages"
	bootstrap "$root" "$build/tmp/$name.packages" | tee "$build/versions.d/$name"
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/etc/dpkg/dpkg.cfg.d/lab
}

# The suite that the lab takes amd64's kernels of SERIES from.
suite_of_series()
{
	awk -v series="$1" '$2 == "amd64" && $3 == series { print $5; exit }' "$lab/kernels/list"
}

# Install linux-source-SERIES in ROOT, from whichever suite has it. Of each source keep only the
# folders that the package takes, so that the root stays small.
install_source()
{
	local root=$1 name=linux-source-$2 file=$1/usr/src/linux-source-$2.tar.xz dir
	dir=$root/root/$name

	mkdir -p "$dir"
	(cd "$dir" && use_apt "$(suite_of_series "$2")" amd64 && apt_download "$name") || return
	chroot "$root" sh -c "dpkg -i --force-unsafe-io /root/$name/*.deb" || return
	tar -xf "$file" -C "$dir" "$name"/drivers/{hv,target,uio} || return
	rm "$file"
	tar -cJf "$file" -C "$dir" "$name"
	rm -rf "$dir"
}

# Nothing boots from this root, so it needs no initramfs.
setup_debroot()
{
	local series
	export INITRD=No

	bootstrap_deb deb-root "$deb_root.new" old new 7.2 7.3 <"$lab/packages/deb" || return
	while read -r series; do
		install_source "$deb_root.new" "$series" || return
	done <"$top/compat/series"
	rm -rf --one-file-system "$deb_root"
	mv "$deb_root.new" "$deb_root"
}

setup_debroot12()
{
	export INITRD=No

	use_apt bookworm amd64 || return
	bootstrap_deb deb-root-12 "$deb_root_12.new" 12-6.1 12-6.12 \
		<"$lab/packages/deb-12" || return
	rm -rf --one-file-system "$deb_root_12"
	mv "$deb_root_12.new" "$deb_root_12"
}

# Make a disk like that of a real machine: it has an initramfs with uio in it, although guests
# boot without it.
finish_disk()
{
	local root=$1 kernel=$2 disk=$3

	add_foreign "$root" "$kernel"
	echo MODULES=list >"$root/etc/initramfs-tools/conf.d/lab"
	echo uio >>"$root/etc/initramfs-tools/modules"
	install -m 755 "$lab/guest/inside/stub" "$root/sbin/lab-init"
	mkdir -p "$root/lab"
	make_image "$root" 2048 "$disk"
}

setup_debdisk()
{
	local root=$deb_root-guest abi

	cat "$lab"/packages/{guest,deb-guest} | bootstrap_deb deb-disk "$root" old || return
	rm -rf "$deb_upgrade"
	mkdir "$deb_upgrade"
	abi=$(deb_kernel new)
	(cd "$deb_upgrade" && apt_download "linux-image-$abi" "linux-headers-$abi" \
		"linux-headers-${abi%-cloud-amd64}-common" "linux-kbuild-${abi%-cloud-amd64}")
	finish_disk "$root" "$(deb_kernel old)" "$deb_disk"
}

# Headers of 6.1 do not bring an image.
setup_debdisk12()
{
	local root=$deb_root_12-guest abi

	abi=$(deb_kernel 12-6.1)
	use_apt bookworm amd64 || return
	{ cat "$lab"/packages/{guest,deb-guest}; echo "linux-image-$abi"; } |
		bootstrap_deb deb-disk-12 "$root" 12-6.1 || return
	cp "$root/boot/vmlinuz-$abi" "${deb_disk_12%.ext4}.vmlinuz"
	finish_disk "$root" "$abi" "$deb_disk_12"
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

setup_deb_root_12()
{
	setup_deb_root
	once "$build/deb-root-12.lock" deb_done make_deb "$deb_root_12" debroot12
}

setup_deb_disk()
{
	setup_deb_root
	once "$build/deb-disk.lock" deb_done make_deb "$deb_disk" debdisk
}

setup_deb_disk_12()
{
	setup_deb_root
	once "$build/deb-disk-12.lock" deb_done make_deb "$deb_disk_12" debdisk12
}
