# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Our modules, out of tree against a kernel of the lab's, and our test
# programs. Sources are staged below build/modules-KERNEL: kbuild writes next to
# what it compiles, and target_core_user.c is the kernel's own plus our patch.
#
#   ours-src/        include/ drivers/uio/ drivers/target/ samples/ tests/
#   mainline-src/    tests/, compiled for the distribution's uio.ko
#   ours/ mainline/  the modules and their index: /lab/modules of a guest

# Make DST's sources equal to SRC's, and leave the times of equal ones alone: so
# that make sees what changed.
mirror()
{
	local src=$1 dst=$2 f

	mkdir -p "$dst"
	while read -r f; do
		[ -e "$src/$f" ] || rm -f "$dst/$f"
	done < <(cd "$dst" && find . -type f \( -name '*.[chS]' -o -name Makefile -o -name Kbuild \) ! -name '*.mod.c')
	while read -r f; do
		cmp -s "$src/$f" "$dst/$f" || install -D -m 644 "$src/$f" "$dst/$f"
	done < <(cd "$src" && find . -type f)
}

# The kernel's target_core_user.c and the private headers it needs, patched.
stage_target()
{
	local k=$1 dst=$2 new=$build/tmp/target-$1 patch

	rm -rf "$new"
	mkdir -p "$new/drivers/target"
	cp "$(kernel_dir "$k")"/source/drivers/target/{target_core_user.c,*.h} "$new/drivers/target/"
	for patch in "$top/drivers/target/${k%-debug}"/*.patch; do
		[ -e "$patch" ] || continue
		in_tools patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d "$new" -i "$patch" >&2 ||
			die "$(short "$patch") does not apply to the $k kernel's source"
	done
	printf 'obj-m += target_core_user.o\n' >"$new/drivers/target/Makefile"
	mirror "$new/drivers/target" "$dst"
	rm -rf "$new"
}

# Compile the module directories of STAGE and collect the modules in DST.
make_modules()
{
	local k=$1 stage=$2 dst=$3 dir
	local -a dirs=()

	shift 3
	for dir in drivers/uio drivers/target samples tests; do
		[ ! -d "$stage/$dir" ] || dirs+=("$dir/")
	done
	printf 'obj-m := %s\n' "${dirs[*]}" >"$stage/Kbuild.new"
	cmp -s "$stage/Kbuild.new" "$stage/Kbuild" || mv "$stage/Kbuild.new" "$stage/Kbuild"
	rm -f "$stage/Kbuild.new"
	# There is no vmlinux, so no BTF either; say so before kbuild complains.
	in_tools make -s -j"$(nproc)" -C "$(kernel_headers "$k")" M="$stage" \
		CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules >&2 ||
		die "the modules do not compile (see above)"
	collect "$k" "$stage" "$dst"
}

# An index made here saves the guest seconds of depmod.
collect()
{
	local k=$1 stage=$2 dst=$3 abi tree=$build/tmp/depmod-$1

	abi=$(kernel_abi "$k")
	rm -rf "$tree" "$dst.new"
	mkdir -p "$dst.new/index" "$tree/lib/modules"
	# Old kernels have absolute paths there, later ones relative to the stage.
	sed -n 's/\.o$/.ko/p' "$stage/modules.order" |
		(cd "$stage" && xargs install -m 644 -t "$dst.new")
	cp -al "$(kernel_dir "$k")/image/usr/lib/modules/$abi" "$tree/lib/modules/"
	mkdir "$tree/lib/modules/$abi/updates"
	cp "$dst.new"/*.ko "$tree/lib/modules/$abi/updates/"
	in_tools depmod -b "$tree" "$abi"
	find "$tree/lib/modules/$abi" -maxdepth 1 -name 'modules.*' \
		-exec cp -t "$dst.new/index" {} +
	rm -rf "$tree" "$dst"
	mv "$dst.new" "$dst"
}

build_modules()
{
	local k=$1 base=$build/modules-$1 tests=$top/tools/testing/selftests/uio/modules

	shift
	mkdir -p "$base/ours-src" "$base/mainline-src"
	mirror "$top/include" "$base/ours-src/include"
	mirror "$top/drivers/uio" "$base/ours-src/drivers/uio"
	mirror "$top/samples/uio" "$base/ours-src/samples"
	stage_target "$k" "$base/ours-src/drivers/target"
	if [ -d "$tests" ]; then
		mirror "$tests" "$base/ours-src/tests"
		mirror "$tests" "$base/mainline-src/tests"
		make_modules "$k" "$base/mainline-src" "$base/mainline" \
			KCFLAGS=-DUIO_MAINLINE "$@"
	fi
	# Our header before the kernel's of the same name; and before all, what an
	# old kernel lacks.
	make_modules "$k" "$base/ours-src" "$base/ours" \
		NOSTDINC_FLAGS="-nostdinc -I$base/ours-src/include -I$base/ours-src/include/uapi" \
		KCFLAGS="-include $base/ours-src/drivers/uio/uio_compat.h" "$@"
}

build_programs()
{
	local k=${kernels[0]} dir=$top/tools/testing/selftests/uio

	[ -e "$dir/Makefile" ] || return 0
	mkdir -p "$build/selftests"
	in_tools make -s -C "$dir" OUT="$build/selftests" \
		KHDR="$(kernel_dir "$k")/source/tools/testing/selftests" \
		LDFLAGS=-static >&2 || die "the test programs do not compile (see above)"
	in_tools make -s -C "$top/samples/uio" -f Makefile.client OUT="$build/selftests" \
		LDFLAGS=-static >&2 || die "the sample's client does not compile (see above)"
}

build_verb()
{
	local arg k which=("${kernels[@]}")

	if [ "${1-}" = --kernel ]; then
		[ $# -ge 2 ] || usage_error "$1 needs a value"
		check_kernel "$2"
		which=("$2")
		shift 2
	fi
	for arg in "$@"; do
		[[ $arg =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] ||
			usage_error "build takes make variables as W=1, not '$arg'"
	done
	setup "${which[@]}"
	say "building modules and test programs ..."
	mkdir -p "$build/tmp"
	for k in "${which[@]}"; do
		lock exclusive "$build/modules-$k.lock"
		build_modules "$k" "$@"
	done
	build_programs
	say "modules are in $(short "$build")/modules-*/ours"
}
