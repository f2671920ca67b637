# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Drivers for UIO that others wrote, compiled out of tree as they are: against the
# kernel's own header (theirs), and against ours. Below build/drivers-KERNEL:
#
#   theirs/NAME/ ours/NAME/  a copy of the source, compiled; .log, .warnings beside it
#   drivers/NAME/            the modules of theirs, for guests

drivers_dir()
{
	printf '%s' "$build/drivers-$1"
}

# The source in a DKMS package.
driver_source()
{
	local file

	for file in "$build/clients/driver-$1"/usr/src/*/{Kbuild,Makefile}; do
		[ ! -e "$file" ] || { echo "${file%/*}"; break; }
	done
}

# Compile the driver NAME in SOURCE. What came of it is looked at later.
compile_driver()
{
	local k=$1 how=$2 name=$3 source=$4 dir
	local -a flags=()

	dir=$(drivers_dir "$k")/$how/$name
	[ "$how" != ours ] || flags=("NOSTDINC_FLAGS=-nostdinc $(our_headers "$top")")
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -rL "$source/." "$dir/"
	find "$dir" \( -name '*.o' -o -name '*.ko' -o -name '.*.cmd' \) -delete
	in_tools make -j"$(nproc)" -C "$(kernel_headers "$k")" M="$dir" W=1 \
		CONFIG_DEBUG_INFO_BTF_MODULES= "${flags[@]}" modules >"$dir.log" 2>&1 || :
	grep -E '(warning|error):' "$dir.log" | sed "s|$dir/||g" | sort -u >"$dir.warnings" || :
}

# Its modules that link to uio.
uio_modules()
{
	local file needs

	find "$1" -name '*.ko' | sort | while read -r file; do
		needs=$(in_tools modinfo -F depends "$file" </dev/null)
		[[ ,$needs, != *,uio,* ]] || echo "$file"
	done
}

# Compile a driver both ways. Says why, if there is nothing of it to try.
prepare_driver()
{
	local k=$1 name=$2 source=$3 dir log
	local -a modules

	dir=$(drivers_dir "$k")
	log=$dir/theirs/$name.log
	compile_driver "$k" theirs "$name" "$source"
	compile_driver "$k" ours "$name" "$source"
	mapfile -t modules < <(find "$dir/theirs/$name" -name '*.ko')
	if [ "${#modules[@]}" -eq 0 ]; then
		echo "does not compile against the kernel's own header:" \
			"$(grep -m 1 -E 'error|Error|\*\*\*' "$log") (log: $(short "$log"))"
		return 1
	fi
	if [ -z "$(uio_modules "$dir/theirs/$name")" ]; then
		echo "makes no module that uses uio"
		return 1
	fi
	mkdir -p "$dir/drivers/$name"
	cp "${modules[@]}" "$dir/drivers/$name/"
}

# ---- what clients.d/drivers.sh leaves to the host; each prints why not, if so

driver_compiles()
{
	local k=$1 side=$2 name=$3 dir new

	dir=$(drivers_dir "$k")
	[ "$side" = ours ] || return 0
	if [ -z "$(uio_modules "$dir/ours/$name")" ]; then
		tail -n 20 "$dir/ours/$name.log"
		return 1
	fi
	grep -rqF --include='.*.cmd' "$top/include/linux/uio_driver.h" "$dir/ours/$name" ||
		{ echo "it was compiled with another uio_driver.h"; return 1; }
	new=$(comm -23 "$dir/ours/$name.warnings" "$dir/theirs/$name.warnings")
	[ -z "$new" ] || { printf '%s\n' "$new"; return 1; }
}

# The symbols that it takes from uio have to have the versions that it was linked to.
driver_modversions()
{
	local k=$1 side=$2 name=$3 symvers status=0 version symbol got

	symvers=$build/modules-$k/ours-src/Module.symvers
	if [ "$side" = mainline ]; then
		symvers=$(kernel_headers "$k")/Module.symvers
		is_compiled "$k" || symvers=$tools$symvers
	fi
	while read -r version symbol; do
		got=$(symbol_version "$symvers" "$symbol")
		[ "$got" != "$version" ] || continue
		echo "$symbol: ${got:-none}, the driver has $version"
		status=1
	done < <(uio_symbols "$k" "$name")
	return "$status"
}

# "VERSION SYMBOL" of what a driver takes from uio.
uio_symbols()
{
	local k=$1 name=$2 file

	uio_modules "$(drivers_dir "$k")/theirs/$name" | while read -r file; do
		in_tools modprobe --dump-modversions "$file" </dev/null
	done | grep -E "[[:space:]]($(IFS='|'; echo "${exported[*]}"))\$" | sort -u
}
