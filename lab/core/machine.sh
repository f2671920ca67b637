# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Machines other than amd64, by Debian's names: what builds for them and emulates them is
# added to the tools root, and each has a root image of its own. i386 has no kernel here, only
# programs, which run on amd64's.

# GCC's prefix, kbuild's ARCH, QEMU's package, its command, and the kernel's console
declare -A machine_gcc=([arm64]=aarch64-linux-gnu [armhf]=arm-linux-gnueabihf
	[s390x]=s390x-linux-gnu [riscv64]=riscv64-linux-gnu [i386]=i686-linux-gnu)
declare -A machine_kbuild=([arm64]=arm64 [armhf]=arm [s390x]=s390 [riscv64]=riscv [i386]=i386)
declare -A machine_package=([arm64]=arm [armhf]=arm [s390x]=s390x [riscv64]=riscv)
declare -A machine_qemu=(
	[amd64]='qemu-system-x86_64 -M q35 -cpu max'
	# QEMU's own way of signing pointers is much faster than the real one
	[arm64]='qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on'
	[armhf]='qemu-system-arm -M virt -cpu cortex-a15'
	[s390x]='qemu-system-s390x -M s390-ccw-virtio -cpu max'
	[riscv64]='qemu-system-riscv64 -M virt -cpu max'
)
# how QEMU names virtio's devices: on armhf a PCI bus may be out of the kernel's reach
declare -A machine_virtio=([amd64]=pci [arm64]=pci [armhf]=device [s390x]=ccw [riscv64]=pci)
declare -A machine_console=([amd64]=ttyS0 [arm64]=ttyAMA0 [armhf]=ttyAMA0
	[s390x]=ttysclp0 [riscv64]=ttyS0)
# the machine whose programs a 64-bit machine's kernel runs as well
declare -A machine_32=([amd64]=i386 [arm64]=armhf)

# Only there do the benchmark and the comparison of facts run: they count what a PC's CPU
# does, and know its system calls.
is_pc()
{
	[ "$(machine_of "$1")" = amd64 ]
}

root_image()
{
	if [ "$1" = amd64 ]; then
		printf '%s' "$build/root.ext4"
	else
		printf '%s' "$build/root-$1.ext4"
	fi
}

busybox_of()
{
	if [ "$1" = amd64 ]; then
		printf '%s' "$tools/bin/busybox"
	else
		printf '%s' "$build/busybox-$1"
	fi
}

# Print what make needs to compile for a machine.
make_flags()
{
	local machine=$1 gcc

	if [ "$machine" = amd64 ]; then
		# headers name the compiler that made their kernel, which may be an older one
		echo CC=gcc
		return
	fi
	gcc=${machine_gcc[$machine]}-
	printf '%s\n' "ARCH=${machine_kbuild[$machine]}" "CROSS_COMPILE=$gcc" "CC=${gcc}gcc"
}

# Where the programs for a machine are.
programs_of()
{
	if [ "$1" = amd64 ]; then
		printf '%s' "$programs"
	else
		printf '%s' "$programs-$1"
	fi
}

# The compiler's and QEMU's packages, and what they need that the tools root has not got.
# None of their scripts has to run.
setup_machine()
{
	local machine=$1 dir=$build/tmp/machine-$1 names
	local gcc=gcc-${machine_gcc[$machine]//_/-} qemu=${machine_package[$machine]-}

	names=$(lab_apt apt-get -q -s -o "Dir::State::status=$tools/var/lib/dpkg/status" \
		--no-install-recommends install "$gcc" "libc6-dev-$machine-cross" \
		${qemu:+"qemu-system-$qemu/$suite-backports"} |
		sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p')
	[ -n "$names" ] || {
		reason "the Debian mirror has no compiler and QEMU for $machine:" \
			"use a mirror that carries $suite-backports"
		return 1
	}
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir" || return
	# shellcheck disable=SC2086 # names
	apt_download $names
	unpack_debs "$tools" >"$build/versions.d/machine-$machine"
	cd "$build" || return
	rm -rf "$dir"
}

# What the scripts of the packages would do, as far as guests need it.
finish_root()
{
	local root=$1 dir

	# in bookworm no package has these links
	for dir in bin sbin lib; do
		[ ! -L "$root/$dir" ] || continue
		cp -a "$root/$dir/." "$root/usr/$dir/"
		rm -r "${root:?}/$dir"
		ln -s "usr/$dir" "$root/$dir"
	done
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	echo 'messagebus:x:100:100::/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
	echo 'messagebus:x:100:' >>"$root/etc/group"
	ln -sf mawk "$root/usr/bin/awk"
	install -m 755 "$lab/guest/inside/stub" "$root/sbin/lab-init"
	mkdir -p "$root"/{lab,proc,sys,dev,run,tmp,root,var/log,var/tmp}
	chmod 1777 "$root"/{tmp,var/tmp}
}

# The suite of a machine's first kernel, without backports.
root_suite()
{
	awk -v machine="$1" '$2 == machine { sub(/-backports$/, "", $5); print $5; exit }' \
		"$lab/kernels/list"
}

setup_root_of()
{
	local machine=$1 root=$build/root-$1

	use_apt "$(root_suite "$machine")" "$machine" || return
	{ cat "$lab/packages/guest"; printf '%s\n' '?essential' mawk mount busybox-static; } \
		>"$build/tmp/root-$machine.packages"
	bootstrap "$root" "$build/tmp/root-$machine.packages" extract
	rm -rf "$root"/var/{cache/apt,lib/apt/lists}/*
	finish_root "$root"
	cp "$root/usr/bin/busybox" "$build/busybox-$machine"
	make_image "$root" 1024 "$(root_image "$machine")"
}
