# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A kernel whose modules are not in the root image: from outside the lab, or one of
# lab/kernels/list. If its drivers for the guest's disks are modules, an initramfs loads them.

# A path has a slash; names of the lab's kernels have none.
is_own()
{
	[[ $1 = */* ]]
}

# Set own_modules to the directory lib/modules/RELEASE, unless the modules are on the disk.
check_own_kernel()
{
	local dirs=("$modules" "$modules"/{,usr/}lib/modules/*) dir
	local found=()

	[ -f "$kernel" ] || usage_error "--kernel: '$kernel' is missing: give the path of a bzImage"
	# boot loaders look for this magic
	[ "$(dd if="$kernel" bs=1 skip=514 count=4 status=none 2>/dev/null)" = HdrS ] ||
		usage_error "--kernel: '$kernel' is no bzImage: give arch/x86/boot/bzImage or" \
			"the vmlinuz of a distribution"
	if [ -n "$disk" ]; then
		[[ $disk = "$build"/*.qcow2 && -w $disk ]] ||
			usage_error "--disk is '$disk': give a .qcow2 file in $(short "$build")/"
		modules=installed own_modules=''
		return
	fi
	for dir in "${dirs[@]}"; do
		[ ! -e "$dir/modules.builtin" ] || found+=("$dir")
	done
	[ "${#found[@]}" -eq 1 ] ||
		usage_error "--modules: '$modules' has the modules of ${#found[@]} kernels:" \
			"give a directory with one lib/modules/RELEASE"
	own_modules=$(realpath "${found[0]}")
}

# One file after the other, in order, as $2/NN.ko.
unpack_modules()
{
	local dir=$1 out=$2 file nr=10

	mkdir -p "$out"
	while read -r file; do
		case $file in
		*.ko) cp "$dir/$file" "$out/$nr.ko" ;;
		*.ko.xz) xz -dc "$dir/$file" >"$out/$nr.ko" ;;
		*) die "the lab can't unpack '$file': compress modules with xz, or not at all" ;;
		esac
		nr=$((nr + 1))
	done < <(closure_of_modules "$dir" \
		crc32c_generic nvme virtio_pci virtio_mmio virtio_blk virtio_console ext4)
}

# Make $work/initramfs, if the kernel with the modules in DIR needs one.
make_initramfs()
{
	local dir=$1 root=$work/initramfs.d

	unpack_modules "$dir" "$root/modules"
	if [ -z "$(ls "$root/modules")" ]; then
		return
	fi
	mkdir -p "$root"/{dev,sys,root}
	cp "$(busybox_of "$machine")" "$root/busybox"
	cat >"$root/init" <<-'EOT'
		#!/busybox sh
		/busybox mount -t devtmpfs none /dev
		/busybox mount -t sysfs none /sys
		exec >/dev/console 2>&1
		for module in /modules/*; do
			/busybox insmod "$module"
		done
		mount_root()
		{
			disk=$(/busybox grep -ls '^lab-root' /sys/block/*/serial \
				/sys/block/*/device/serial)
			disk=${disk#/sys/block/}
			/busybox mount -t ext4 "/dev/${disk%%/*}" /root
		}
		tries=0
		until mount_root; do
			tries=$((tries + 1))
			[ "$tries" -lt 50 ] || exit
			/busybox usleep 100000
		done
		/busybox umount /sys
		/busybox mount -t devtmpfs none /root/dev
		exec /busybox switch_root /root /sbin/lab-init
	EOT
	chmod +x "$root/init"
	# shellcheck disable=SC2016
	in_tools sh -c 'cd "$1" && find . | cpio --quiet -o -H newc' - "$root" >"$work/initramfs"
	rm -rf "$root"
}

# Put kernel and modules into STAGE, the guest's /lab.
pack_own_kernel()
{
	local stage=$1 tree=$work/own/lib/modules/${own_modules##*/}

	cp "$kernel" "$work/bzImage"
	[ -n "$own_modules" ] || return 0
	mkdir -p "${tree%/*}"
	cp -r "$own_modules" "$tree"
	rm -rf "$tree"/{build,source}
	# the modules of a package have no index before it is installed
	[ -e "$tree/modules.dep" ] || in_tools depmod -b "$work/own" "${own_modules##*/}"
	make_initramfs "$tree"
	mv "$tree" "$stage/kernel"
}
