# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Make the guest's root image. All guests share it, because QEMU keeps their writes in temporary
# files.

# Turn the directory ROOT into an image with FREE MB of free space.
make_image()
{
	local root=$1 free=$2 image=$3 size

	size=$(du -sm --apparent-size "$root" | cut -f 1)
	rm -f "$image.new"
	truncate -s "$((size + size / 4 + free))M" "$image.new"
	in_tools mkfs.ext4 -q -O ^has_journal -E lazy_itable_init=0 -m 0 -d "$root" "$image.new"
	mv "$image.new" "$image"
	rm -rf --one-file-system "$root"
}

setup_guestroot()
{
	bootstrap "$build/root" "$lab/packages/guest" | tee "$build/tmp/guest.versions"
	rm -rf "$build"/root/var/cache/apt/* "$build"/root/var/lib/apt/lists/*
	install -m 755 "$lab/guest/inside/stub" "$build/root/sbin/lab-init"
	mkdir -p "$build/root/lab"
	mv "$build/tmp/guest.versions" "$build/versions.d/guest"
}

# This step needs the root directory, the tools and all kernels.
setup_image()
{
	local k abi root=$build/root

	for k in "${kernels[@]}"; do
		abi=$(kernel_abi "$k")
		rm -rf "${root:?}/usr/lib/modules/$abi"
		mkdir -p "$root/usr/lib/modules"
		cp -a "$(kernel_dir "$k")/image/usr/lib/modules/$abi" "$root/usr/lib/modules/"
		in_tools depmod -b "$root" "$abi"
	done

	make_image "$root" 1024 "$build/root.ext4"
	rm -f "$build/stamps/guestroot"
}

# Try KVM, because it may exist and still hang guests. Without a root disk, a kernel that works
# panics when it looks for one.
setup_accel()
{
	local k=${kernels[0]} accel='tcg,thread=multi'

	if [ -w /dev/kvm ] && in_tools timeout -k 1 10 qemu-system-x86_64 \
		-accel kvm -cpu max -smp 2 -m 256 -nodefaults -display none \
		-no-reboot -serial file:"$build/tmp/kvm.log" \
		-kernel "$(kernel_image "$k")" \
		-append 'console=ttyS0 panic=-1' &&
		grep -q 'Unable to mount root' "$build/tmp/kvm.log"; then
		accel=kvm
	fi
	printf '%s\n' "$accel" >"$build/accel"

	# tsc-khz.c says what this is for
	in_tools gcc -O2 -Wall -o "$build/tmp/tsc-khz" "$lab/core/tsc-khz.c"
	in_tools "$build/tmp/tsc-khz" >"$build/tsc-khz"
}
