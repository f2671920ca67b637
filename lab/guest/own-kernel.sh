# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A kernel that is not one of the lab's: one's own, or a distribution's. Drivers of the
# guest's disks that it has as modules are loaded from an initramfs.

# A path has a slash; names of the lab's kernels have none.
is_own()
{
	[[ $1 = */* ]]
}

# Sets own_modules to the directory below lib/modules, unless they are on the disk.
check_own_kernel()
{
	local dirs=("$modules" "$modules"/{,usr/}lib/modules/*) dir
	local found=()

	[ -f "$kernel" ] || usage_error "--kernel: there is no file '$kernel'"
	# what a boot loader looks at
	[ "$(dd if="$kernel" bs=1 skip=514 count=4 status=none 2>/dev/null)" = HdrS ] ||
		usage_error "--kernel: '$kernel' is no bzImage: give arch/x86/boot/bzImage or" \
			"the vmlinuz of a distribution"
	if [ -n "$disk" ]; then
		[[ $disk = "$build"/*.qcow2 && -w $disk ]] ||
			usage_error "--disk must be a .qcow2 below $(short "$build"), not '$disk'"
		modules=installed own_modules=''
		return
	fi
	for dir in "${dirs[@]}"; do
		[ ! -e "$dir/modules.builtin" ] || found+=("$dir")
	done
	[ "${#found[@]}" -eq 1 ] ||
		usage_error "--modules: there are ${#found[@]} kernels' modules in '$modules':" \
			"give the directory that has lib/modules/RELEASE of one"
	own_modules=$(realpath "${found[0]}")
}

# Print the files, below own_modules, of the drivers that a guest needs to get at its root,
# in the order in which they are loaded. What is built in has none.
modules_for_root()
{
	awk -v wanted='crc32c_generic nvme virtio_pci virtio_blk ext4' '
		function name(file) {
			sub(/.*\//, "", file)
			sub(/\.ko.*/, "", file)
			gsub(/-/, "_", file)
			return file
		}
		{
			sub(/:/, "")
			line[name($1)] = $0
		}
		END {
			n = split(wanted, list, " ")
			for (i = 1; i <= n; i++) {
				nr = split(line[list[i]], files, " ")
				for (j = nr; j >= 1; j--)
					if (!seen[files[j]]++)
						print files[j]
			}
		}' "$1/modules.dep"
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
		*) die "'$file' is compressed in a way that the lab does not know: use xz" ;;
		esac
		nr=$((nr + 1))
	done < <(modules_for_root "$dir")
}

# Leaves $work/initramfs, if the kernel, whose modules are in DIR, needs one.
make_initramfs()
{
	local dir=$1 root=$work/initramfs.d

	unpack_modules "$dir" "$root/modules"
	if [ -z "$(ls "$root/modules")" ]; then
		return
	fi
	mkdir -p "$root"/{dev,root}
	cp "$tools/bin/busybox" "$root/"
	cat >"$root/init" <<-'EOT'
		#!/busybox sh
		/busybox mount -t devtmpfs none /dev
		exec >/dev/console 2>&1
		for module in /modules/*; do
			/busybox insmod "$module"
		done
		tries=0
		until /busybox mount -t ext4 /dev/nvme0n1 /root; do
			tries=$((tries + 1))
			[ "$tries" -lt 50 ] || exit
			/busybox usleep 100000
		done
		/busybox mount -t devtmpfs none /root/dev
		exec /busybox switch_root /root /sbin/lab-init
	EOT
	chmod +x "$root/init"
	# shellcheck disable=SC2016
	in_tools sh -c 'cd "$1" && find . | cpio --quiet -o -H newc' - "$root" >"$work/initramfs"
	rm -rf "$root"
}

# Into STAGE, the guest's /lab.
pack_own_kernel()
{
	local stage=$1 tree=$work/own/lib/modules/${own_modules##*/}

	cp "$kernel" "$work/bzImage"
	[ -n "$own_modules" ] || return 0
	mkdir -p "${tree%/*}"
	cp -r "$own_modules" "$tree"
	rm -rf "$tree"/{build,source}
	# a package's are indexed when it is installed
	[ -e "$tree/modules.dep" ] || in_tools depmod -b "$work/own" "${own_modules##*/}"
	make_initramfs "$tree"
	mv "$tree" "$stage/kernel"
}
