# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Build our modules out of tree, for a kernel of the lab, and our test programs. Sources are
# copied to build/modules-KERNEL, because kbuild writes next to the sources, and because
# some drivers are the kernel's own files with our patches: see compat/drivers.
#
#   ours-src/        compat/ include/ drivers/uio/ drivers/target/ samples/ tests/ bench/;
#                    drivers/uio-drivers/, the kernel's UIO drivers with our patches
#   mainline-src/    tests/ and bench/, compiled for the kernel's own uio.ko; drivers/uio/,
#                    drivers of the kernel that its configuration leaves out; same/
#   fixes-src/       tests/; drivers/, the kernel's own uio and target_core_user with the patches
#                    in postings/*-fixes
#   ours/ mainline/ fixes/   the modules and their index: /lab/modules of a guest
#
# build --check uses build/modules-KERNEL-check instead.

# shellcheck source=setup.sh
. "$lab/core/setup.sh"

# Begin to fill a directory in which modules are compiled. kbuild stores absolute paths, so a moved
# checkout needs a new build. So does a kernel with another configuration, because modules have a
# part of it in their version.
begin_stage()
{
	local k=$1 dir=$2

	if [ "$(cat "$dir/place" 2>/dev/null)" != "$dir" ] ||
		[ "$(kernel_dir "$k")/abi" -nt "$dir/place" ]; then
		rm -rf "$dir"
	fi
	mkdir -p "$dir"
	echo "$dir" >"$dir/place"
}

# Make the sources in DST equal to those in SRC. Equal files keep their times, so that make
# compiles only what has changed.
mirror()
{
	local src=$1 dst=$2 f

	mkdir -p "$dst"
	while read -r f; do
		[ -e "$src/$f" ] || rm -f "$dst/$f"
	done < <(cd "$dst" && find . -type f ! -name '*.mod.c' \
		\( -name '*.[chS]' -o -name Makefile -o -name Kbuild \))
	while read -r f; do
		cmp -s "$src/$f" "$dst/$f" || install -D -m 644 "$src/$f" "$dst/$f"
	done < <(cd "$src" && find . -type f)
}

# The kernel's own drivers that we patch, in folders in DST. The core is in drivers/uio. For
# other machines, no UIO drivers: our modpost is amd64's, and can't read the device tables of
# 32-bit modules.
stage_patched()
{
	local k=$1 dst=$2 new=$build/tmp/patched-$1 series dir name

	series=$(series_of "$k")
	rm -rf "$new"
	in_tools "$top/compat/add" "$(kernel_dir "$k")/source" "$series" "$new" >&2 ||
		die "our patches do not apply to the $k kernel's source (see above)"
	for dir in "$new/$series/drivers"/*; do
		name=${dir##*/}
		if [ "$name" != uio ]; then
			mirror "$dir" "$dst/$name"
		elif is_pc "$k"; then
			mirror "$dir" "$dst/uio-drivers"
		fi
	done
	rm -rf "$new"
}

# Drivers that the tests need, but that the distribution's kernel leaves out. They are
# compiled with the kernel's own header, and run on either uio.ko. Not for other machines: see
# above.
stage_drivers()
{
	local k=$1 dst=$2 new=$build/tmp/drivers-$1 driver
	local -a wanted=(uio_pdrv_genirq uio_dmem_genirq)

	! is_compiled "$k" && is_pc "$k" || return 0
	rm -rf "$new"
	mkdir -p "$new"
	for driver in "${wanted[@]}"; do
		cp "$(kernel_dir "$k")/source/drivers/uio/$driver.c" "$new/"
	done
	printf 'obj-m += %s\n' "${wanted[*]/%/.o}" >"$new/Makefile"
	mirror "$new" "$dst"
	rm -rf "$new"
}

# Binaries of the kernel's own drivers that we patch, for tests of drivers without a context on
# our uio.ko. The names of the modules are the same, so their files get other names.
add_stock_drivers()
{
	local k=$1 from=$2 to=$3 driver file

	mkdir -p "$to"
	for driver in uio_pdrv_genirq uio_dmem_genirq uio_pci_generic; do
		file=$(find "$from" "$(kernel_dir "$k")/image/usr/lib/modules" \
			-name "$driver.ko" -print -quit)
		cp "$file" "$to/stock_$driver.ko"
	done
}

# The kernel's own uio and target_core_user, with PATCHes.
stage_fixed()
{
	local k=$1 dst=$2 new=$build/tmp/fixed-$1 driver patch

	shift 2
	rm -rf "$new"
	for driver in drivers/uio/uio drivers/target/target_core_user; do
		install -D -m 644 -t "$new/${driver%/*}" "$(kernel_dir "$k")/source/$driver.c"
		printf 'obj-m := %s.o\n' "${driver##*/}" >"$new/${driver%/*}/Makefile"
	done
	for patch in "$@"; do
		apply_patch "$new" "$patch" ||
			die "$(short "$patch") does not apply to the $k kernel's source (see above)"
	done
	mirror "$new/drivers/uio" "$dst/uio"
	mirror "$new/drivers/target" "$dst/target"
	rm -rf "$new"
}

# The driver of "same" is compiled with the kernel's own header. One binary runs on either
# uio.ko.
stage_same()
{
	local k=$1 dst=$2 new=$build/tmp/same-$1
	rm -rf "$new"
	mkdir -p "$new"
	cp "$lab/same/probe/modules"/* "$selftests/modules/uio_redirect.h" "$new/"
	mirror "$new" "$dst"
	rm -rf "$new"
}

# Compile the modules in DIR outside of the kernel's tree. The rest goes to make.
make_external()
{
	local k=$1 dir=$2
	local -a flags

	shift 2
	mapfile -t flags < <(make_flags "$(machine_of "$k")")
	# Without vmlinux there is no BTF, and so no pahole. kbuild would complain of both.
	# shellcheck disable=SC2016 # make expands it
	flags+=(CONFIG_DEBUG_INFO_BTF_MODULES= 'PAHOLE_VERSION=$(CONFIG_PAHOLE_VERSION)')
	in_tools make -s -j"$(nproc)" -C "$(kernel_headers "$k")" M="$dir" "${flags[@]}" "$@" \
		modules >&2
}

# Compile the module directories of STAGE.
make_modules()
{
	local k=$1 stage=$2 dir
	local -a dirs=()

	shift 2
	for dir in drivers/{uio,uio-drivers,target} samples tests bench same; do
		[ ! -d "$stage/$dir" ] || dirs+=("$dir/")
	done
	printf 'obj-m := %s\n' "${dirs[*]}" >"$stage/Kbuild.new"
	cmp -s "$stage/Kbuild.new" "$stage/Kbuild" || mv "$stage/Kbuild.new" "$stage/Kbuild"
	rm -f "$stage/Kbuild.new"
	make_external "$k" "$stage" "$@" || die "the modules do not compile (see above)"
}

# Collect the modules of STAGE in DST. Their index is made here, because depmod takes seconds
# in a guest.
collect()
{
	local k=$1 stage=$2 dst=$3 abi tree=$build/tmp/depmod-$1

	abi=$(kernel_abi "$k")
	rm -rf "$tree" "$dst.new"
	mkdir -p "$dst.new/index" "$tree/lib/modules"
	# This file has absolute paths on old kernels, and modules or their objects.
	sed -n 's/\.k\?o$/.ko/p' "$stage/modules.order" |
		(cd "$stage" && xargs install -m 644 -t "$dst.new")
	[ ! -d "$stage/binary" ] || cp "$stage/binary"/*.ko "$dst.new/"
	cp -al "$(kernel_dir "$k")/image/usr/lib/modules/$abi" "$tree/lib/modules/"
	mkdir "$tree/lib/modules/$abi/updates"
	cp "$dst.new"/*.ko "$tree/lib/modules/$abi/updates/"
	in_tools depmod -b "$tree" "$abi"
	find "$tree/lib/modules/$abi" -maxdepth 1 -name 'modules.*' \
		-exec cp -t "$dst.new/index" {} +
	rm -rf "$tree" "$dst"
	mv "$dst.new" "$dst"
}

# Compiler flags for the search path: compat/ with what an old kernel lacks, then our
# headers, then the kernel's headers of the same name.
our_headers()
{
	printf ' -I%s' "$1"/{compat,include,include/uapi}
}

# Stage and compile the modules below BASE.
compile_modules()
{
	local k=$1 base=$2 side

	shift 2
	# The distribution's kernel has no KUnit.
	! is_debug "$k" || set -- CONFIG_UIO_KUNIT_TEST=m "$@"
	begin_stage "$k" "$base"
	for side in ours mainline ${fixes:+fixes}; do
		mkdir -p "$base/$side-src"
		mirror "$selftests/modules" "$base/$side-src/tests"
		! is_pc "$k" || [ "$side" = fixes ] ||
			mirror "$lab/bench/programs/modules" "$base/$side-src/bench"
	done
	stage_drivers "$k" "$base/mainline-src/drivers/uio"
	! is_pc "$k" || stage_same "$k" "$base/mainline-src/same"
	make_modules "$k" "$base/mainline-src" KCFLAGS=-DUIO_MAINLINE "$@"
	if [ -n "${fixes-}" ]; then
		stage_fixed "$k" "$base/fixes-src/drivers" "$top"/postings/*-fixes/*.patch
		stage_drivers "$k" "$base/fixes-src/drivers/uio-drivers"
		make_modules "$k" "$base/fixes-src" KCFLAGS=-DUIO_MAINLINE "$@"
	fi

	mirror "$top/include" "$base/ours-src/include"
	mirror "$top/compat" "$base/ours-src/compat"
	mirror "$top/drivers/uio" "$base/ours-src/drivers/uio"
	mirror "$top/samples/uio" "$base/ours-src/samples"
	stage_patched "$k" "$base/ours-src/drivers"
	# a driver that no kernel of the list has
	make_modules "$k" "$base/ours-src" CONFIG_UIO_PCI_GENERIC_SVA=m \
		NOSTDINC_FLAGS="-nostdinc $(our_headers "$base/ours-src")" "$@"
	rm -rf "$base/ours-src/binary"
	! is_pc "$k" || install -D -m 644 -t "$base/ours-src/binary" "$base"/mainline-src/same/*.ko
	! is_pc "$k" || add_stock_drivers "$k" "$base/mainline-src" "$base/ours-src/binary"
}

build_modules()
{
	local k=$1 base=$build/modules-$1 side

	shift
	compile_modules "$k" "$base" "$@"
	for side in ours mainline ${fixes:+fixes}; do
		collect "$k" "$base/$side-src" "$base/$side"
	done
}

# Compile the programs in one of our directories, for a machine.
make_programs()
{
	local machine=$1 what=$2 dir=$3
	local -a flags

	shift 3
	mapfile -t flags < <(make_flags "$machine")
	in_tools make -s -j"$(nproc)" -C "$dir" "${flags[@]}" "$@" >&2 ||
		die "$what does not compile (see above)"
}

# The selftests in DIR are built with the kernel's own lib.mk, as in a kernel tree.
build_selftests()
{
	local machine=$1 out=$2 dir=$3 tree=$build/tmp/${2##*/}/tools/testing/selftests
	local theirs

	theirs=$(kernel_dir "${kernels[0]}")/source/tools/testing/selftests
	mkdir -p "$out" "$tree"
	cp -a "$theirs"/*.{h,mk,sh} "$tree/"
	mirror "$dir" "$tree/uio"
	make_programs "$machine" "a test program" "$tree/uio" OUTPUT="$out" TEST_GEN_MODS_DIR= \
		KHDR_INCLUDES="-isystem ${dir%/tools/*}/include/uapi" msg=
}

build_programs()
{
	local machine=$1 out=$2

	build_selftests "$machine" "$out" "$selftests"
	make_programs "$machine" "the tool" "$top/tools/uio" OUT="$out" LDFLAGS=-static
	make_programs "$machine" "a sample" "$top/samples/uio" -f Makefile.client \
		OUT="$out" LDFLAGS=-static
	# the oldest format that qemu-img writes: tcmu-runner supports no newer one
	[ -e "$out/empty.qcow2" ] ||
		in_tools qemu-img create -q -f qcow2 -o compat=0.10 "$out/empty.qcow2" 64M
	[ "$machine" = amd64 ] || return 0
	make_programs "$machine" "the benchmark" "$lab/bench/programs" OUT="$out"
	make_programs "$machine" "the probe of same" "$lab/same/probe" OUT="$out"
}

# Only one test needs these, and only on amd64. Their compilers are large.
build_languages()
{
	in_extra languages make -s -C "$top/samples/uio" -f Makefile.client OUT="$programs" \
		RUSTFLAGS='-O -C target-feature=+crt-static' rust go >&2 ||
		die "a sample in Rust or Go does not compile (see above)"
}
