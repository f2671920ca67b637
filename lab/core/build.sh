# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Our modules, out of tree against a kernel of the lab's, and our test
# programs. Sources are staged below build/modules-KERNEL: kbuild writes next to
# what it compiles, and target_core_user.c is the kernel's own plus our patch.
#
#   ours-src/        compat/ include/ drivers/uio/ drivers/target/ samples/ tests/ bench/
#   mainline-src/    tests/ and bench/, compiled for the distribution's uio.ko; drivers/uio/,
#                    drivers of the kernel's own that it was configured without; same/
#   ours/ mainline/  the modules and their index: /lab/modules of a guest
#
# build --check has stages of its own, below build/modules-KERNEL-check.

# Make DST's sources equal to SRC's, and leave the times of equal ones alone: so
# that make sees what changed.
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

# The kernel's target_core_user.c and the private headers it needs, patched.
stage_target()
{
	local k=$1 dst=$2 new=$build/tmp/target-$1 source patch

	rm -rf "$new"
	mkdir -p "$new/drivers/target"
	source=$(kernel_dir "$k")/source/drivers/target
	cp "$source"/{target_core_user.c,*.h} "$new/drivers/target/"
	for patch in "$top/drivers/target/${k%-debug}"/*.patch; do
		[ -e "$patch" ] || continue
		apply_patch "$new" "$patch" >&2 ||
			die "$(short "$patch") does not apply to the $k kernel's source"
	done
	printf 'obj-m += target_core_user.o\n' >"$new/drivers/target/Makefile"
	mirror "$new/drivers/target" "$dst"
	rm -rf "$new"
}

# Drivers that the tests want and the distribution has not configured: compiled as
# it would have been, with the kernel's own header. They are for either uio.ko.
stage_drivers()
{
	local k=$1 dst=$2 new=$build/tmp/drivers-$1 driver
	local -a wanted=(uio_pdrv_genirq uio_dmem_genirq)

	! is_compiled "$k" || return 0
	rm -rf "$new"
	mkdir -p "$new"
	for driver in "${wanted[@]}"; do
		cp "$(kernel_dir "$k")/source/drivers/uio/$driver.c" "$new/"
	done
	printf 'obj-m += %s\n' "${wanted[*]/%/.o}" >"$new/Makefile"
	mirror "$new" "$dst"
	rm -rf "$new"
}

# The driver of the differential test: compiled with the kernel's own header, one
# binary for either uio.ko.
stage_same()
{
	local k=$1 dst=$2 new=$build/tmp/same-$1 tests=$top/tools/testing/selftests/uio

	rm -rf "$new"
	mkdir -p "$new"
	cp "$tests/same/modules"/* "$tests/modules/uio_redirect.h" "$new/"
	mirror "$new" "$dst"
	rm -rf "$new"
}

# Compile the module directories of STAGE.
make_modules()
{
	local k=$1 stage=$2 dir
	local -a dirs=()

	shift 2
	for dir in drivers/uio drivers/target samples tests bench same; do
		[ ! -d "$stage/$dir" ] || dirs+=("$dir/")
	done
	printf 'obj-m := %s\n' "${dirs[*]}" >"$stage/Kbuild.new"
	cmp -s "$stage/Kbuild.new" "$stage/Kbuild" || mv "$stage/Kbuild.new" "$stage/Kbuild"
	rm -f "$stage/Kbuild.new"
	# There is no vmlinux, so no BTF either; say so before kbuild complains.
	in_tools make -s -j"$(nproc)" -C "$(kernel_headers "$k")" M="$stage" \
		CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules >&2 ||
		die "the modules do not compile (see above)"
}

# Gather the modules of STAGE in DST. An index made here saves the guest seconds
# of depmod.
collect()
{
	local k=$1 stage=$2 dst=$3 abi tree=$build/tmp/depmod-$1

	abi=$(kernel_abi "$k")
	rm -rf "$tree" "$dst.new"
	mkdir -p "$dst.new/index" "$tree/lib/modules"
	# Old kernels have absolute paths there, later ones relative to the stage.
	sed -n 's/\.o$/.ko/p' "$stage/modules.order" |
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

# Compiler flags that put our header, below DIR, before the kernel's of the same name; and
# before ours, what an old kernel lacks.
our_headers()
{
	printf ' -I%s' "$1"/{compat,include,include/uapi}
}

# Stage and compile the modules below BASE.
compile_modules()
{
	local k=$1 base=$2 tests=$top/tools/testing/selftests/uio/modules
	local bench=${tests%/*}/bench/modules

	shift 2
	# The distribution's kernel has no KUnit.
	! is_debug "$k" || set -- CONFIG_UIO_KUNIT_TEST=m "$@"
	mkdir -p "$base/ours-src" "$base/mainline-src"
	mirror "$top/include" "$base/ours-src/include"
	mirror "$top/compat" "$base/ours-src/compat"
	mirror "$top/drivers/uio" "$base/ours-src/drivers/uio"
	mirror "$top/samples/uio" "$base/ours-src/samples"
	stage_target "$k" "$base/ours-src/drivers/target"
	if [ -d "$tests" ]; then
		mirror "$tests" "$base/ours-src/tests"
		mirror "$tests" "$base/mainline-src/tests"
		mirror "$bench" "$base/ours-src/bench"
		mirror "$bench" "$base/mainline-src/bench"
		stage_drivers "$k" "$base/mainline-src/drivers/uio"
		stage_same "$k" "$base/mainline-src/same"
		make_modules "$k" "$base/mainline-src" \
			KCFLAGS=-DUIO_MAINLINE "$@"
		rm -rf "$base/ours-src/binary"
		install -D -m 644 -t "$base/ours-src/binary" "$base/mainline-src/same"/*.ko
		[ ! -d "$base/mainline-src/drivers/uio" ] ||
			install -m 644 -t "$base/ours-src/binary" \
				"$base/mainline-src/drivers/uio"/*.ko
	fi
	make_modules "$k" "$base/ours-src" \
		NOSTDINC_FLAGS="-nostdinc $(our_headers "$base/ours-src")" "$@"
}

build_modules()
{
	local k=$1 base=$build/modules-$1

	shift
	compile_modules "$k" "$base" "$@"
	[ ! -d "$base/mainline-src/tests" ] || collect "$k" "$base/mainline-src" "$base/mainline"
	collect "$k" "$base/ours-src" "$base/ours"
}

build_programs()
{
	local out=$1 k=${kernels[0]} dir=$top/tools/testing/selftests/uio

	[ -e "$dir/Makefile" ] || return 0
	mkdir -p "$out"
	in_tools make -s -C "$dir" OUT="$out" \
		KHDR="$(kernel_dir "$k")/source/tools/testing/selftests" \
		LDFLAGS=-static >&2 || die "the test programs do not compile (see above)"
	in_tools make -s -C "$dir/bench" OUT="$out" \
		LDFLAGS=-static >&2 || die "the benchmark does not compile (see above)"
	in_tools make -s -C "$dir/same" OUT="$out" \
		LDFLAGS=-static >&2 || die "the differential test does not compile (see above)"
	in_tools make -s -C "$dir/tcmu" OUT="$out" LDFLAGS=-static all image >&2 ||
		die "the unplug suite's programs do not compile (see above)"
	in_tools make -s -C "$top/samples/uio" -f Makefile.client OUT="$out" \
		LDFLAGS=-static >&2 || die "the sample's client does not compile (see above)"
}

# Compile with all warnings, and have every file read by sparse. A compiler warns
# only when it compiles: a stage in which it did warn, or was stopped, is not used
# again.
check_build()
{
	local k=$1 base=$build/modules-$1-check messages stderr

	shift
	! is_compiled "$k" || set -- CHECK="sparse -include $lab/sparse.h" "$@"
	[ -e "$base/silent" ] || rm -rf "$base"
	mkdir -p "$base"
	rm -f "$base/silent"
	messages=$base/messages
	exec {stderr}>&2 2>"$messages"
	# shellcheck disable=SC2064 # as they are now
	trap "sed 's|$base/[a-z]*-src/||g' '$messages' >&$stderr" EXIT
	compile_modules "$k" "$base" W=1 C=2 "$@"
	if [ "$k" = "${kernels[0]}" ]; then
		build_programs "$base/programs"
	fi
	[ ! -s "$messages" ] || die "the compiler or sparse complain (see above)"
	exec 2>&"$stderr" {stderr}>&-
	trap - EXIT
	touch "$base/silent"
}

build_options()
{
	local arg

	which=("${kernels[@]}") check=''
	while [[ ${1-} = --* ]]; do
		case $1 in
		--check) check=1 ;;
		--kernel)
			[ $# -ge 2 ] || usage_error "$1 needs a value"
			check_kernel "$2"
			which=("$2")
			shift ;;
		*) usage_error "unknown option '$1': see uio-lab help" ;;
		esac
		shift
	done
	variables=("$@")
	for arg in "$@"; do
		[[ $arg =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] ||
			usage_error "build takes make variables as W=1, not '$arg'"
	done
}

build_verb()
{
	local k which variables check

	build_options "$@"
	setup "${which[@]}"
	say "building modules and test programs ..."
	mkdir -p "$build/tmp"
	for k in "${which[@]}"; do
		lock exclusive "$build/modules-$k.lock"
		if [ -n "$check" ]; then
			check_build "$k" "${variables[@]}"
		else
			build_modules "$k" "${variables[@]}"
		fi
	done
	[ -z "$check" ] || return 0
	build_programs "$build/selftests"
	say "modules are in $(short "$build")/modules-*/ours"
}
