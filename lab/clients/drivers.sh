# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# UIO drivers of others, compiled unchanged and out of tree for $kernel: with the kernel's own
# header (theirs), and with ours. $drivers_dir has:
#
#   theirs/NAME/ ours/NAME/  a copy of the source, compiled; .log, .warnings beside it
#   drivers/NAME/            the modules of theirs, for guests

# Compile the driver NAME in SOURCE. Later functions look at the results.
compile_driver()
{
	local how=$1 name=$2 source=$3 dir=$drivers_dir/$1/$2 flags=()

	[ "$how" = theirs ] || flags=("NOSTDINC_FLAGS=-nostdinc $(our_headers "$top")")
	mkdir -p "$dir"
	cp -rL "$source/." "$dir/"
	find "$dir" \( -name '*.o' -o -name '*.ko' -o -name '.*.cmd' \) -delete
	in_tools make -j"$(nproc)" -C "$(kernel_headers "$kernel")" M="$dir" W=1 \
		CONFIG_DEBUG_INFO_BTF_MODULES= "${flags[@]}" modules >"$dir.log" 2>&1 || :
	grep -E '(warning|error):' "$dir.log" | sed "s|$dir/||g" | sort -u >"$dir.warnings" || :
}

# Print the modules of a driver that link to uio, compiled HOW.
uio_modules()
{
	local file

	find "$drivers_dir/$1/$2" -name '*.ko' | sort | while read -r file; do
		[[ ,$(in_tools modinfo -F depends "$file" </dev/null), != *,uio,* ]] ||
			echo "$file"
	done
}

# Compile a driver both ways. If it makes no module for uio, print why, and fail.
prepare_driver()
{
	local name=$1 theirs=$drivers_dir/theirs/$1 files

	compile_driver theirs "$@"
	compile_driver ours "$@"
	mapfile -t files < <(find "$theirs" -name '*.ko')
	if [ "${#files[@]}" -eq 0 ]; then
		echo "does not compile with the kernel's own header:" \
			"$(grep -m 1 -E 'error|Error|\*\*\*' "$theirs.log")" \
			"(log: $(short "$theirs.log"))"
		return 1
	fi
	[ -n "$(uio_modules theirs "$name")" ] ||
		{ echo "makes no module that uses uio"; return 1; }
	mkdir -p "$drivers_dir/drivers/$name"
	cp "${files[@]}" "$drivers_dir/drivers/$name/"
}

# ---- the host_tests of parts/drivers.sh; each prints why it fails

driver_compiles()
{
	local side=$1 name=$2 ours=$drivers_dir/ours/$2

	[ "$side" = ours ] || return 0
	[ -n "$(uio_modules ours "$name")" ] || { tail -n 20 "$ours.log"; return 1; }
	grep -rqF --include='.*.cmd' "$top/include/linux/uio_driver.h" "$ours" ||
		{ echo "it was compiled with another uio_driver.h than ours"; return 1; }
	! grep . < <(comm -23 "$ours.warnings" "$drivers_dir/theirs/$name.warnings")
}

# The core's symbols have to have the versions that the driver was compiled with, if the kernel
# has versions.
driver_modversions()
{
	local side=$1 name=$2 symvers=$build/modules-$kernel/ours-src/Module.symvers
	local file version symbol got

	[ "$side" = ours ] || symvers=$tools$(kernel_headers "$kernel")/Module.symvers
	! grep . < <(uio_modules theirs "$name" | while read -r file; do
		in_tools modprobe --dump-modversions "$file" </dev/null
	done | while read -r version symbol; do
		got=$(symbol_version "$symvers" "$symbol")
		! is_in "$symbol" "${exported[@]}" || [ "$got" = "$version" ] ||
			echo "$symbol: ${got:-none}, the driver has $version"
	done)
}
