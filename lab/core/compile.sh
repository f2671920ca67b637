# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Compile a kernel with all checks, or with none, from Debian's source package, in the tools
# root. Its directory build/kernel-K has
#
#   source/   the source, with the patches in kernels/SERIES
#   obj/      the output of make; it stays, so that make compiles only what has changed
#   image/    kernel and modules, as in a Debian package

# Print the directory of another kernel with the source of this package and version, or nothing.
same_source()
{
	local k

	for k in "${compiled_kernels[@]}"; do
		[ "$k" = "$1" ] || ! done_already "source-$k" ||
			[ "$(cat "$build/versions.d/source-$k" 2>/dev/null)" != "$2" ] ||
			kernel_dir "$k"
	done
}

unpack_all()
{
	local series=$1 version=$2

	apt_download "linux-source-$series=$version"
	dpkg-deb --fsys-tarfile "linux-source-$series"_*.deb |
		tar -xO "./usr/src/linux-source-$series.tar.xz" | nice xz -T2 -dc |
		nice tar -x -C source --strip-components=1
	rm -f linux-source-*.deb
}

# Fix bugs of others that tests have met. Mainline's uio and ours run on the same kernel.
patch_source()
{
	local patch

	for patch in $(patches_in "$lab/kernels/$1"); do
		apply_patch "$PWD/source" "$patch" || {
			reason "$(short "$patch") does not apply to linux-source-$1"
			return 1
		}
	done
}

# Set up the newest source of the series, from backports if the suite does not have it.
setup_source()
{
	local k=$1 series=${1%%-*} new version other

	new=$(kernel_dir "$k").new
	version=$(apt_version "linux-source-$series")
	[ -n "$version" ] || {
		reason "the Debian mirror has no linux-source-$series:" \
			"use a mirror that carries $suite-backports"
		return 1
	}
	rm -rf "$new"
	mkdir -p "$new/source"
	cd "$new" || return
	other=$(same_source "$k" "linux-source-$series $version")
	if [ -n "$other" ]; then
		cp -al "$other/source" .
	else
		unpack_all "$series" "$version"
		patch_source "$series"
	fi
	rm -rf "$(kernel_dir "$k")"
	mv "$new" "$(kernel_dir "$k")"
	printf '%s %s\n' "linux-source-$series" "$version" >"$build/versions.d/source-$k"
}

# Fixed dates and relative paths let the compiler cache work in all checkouts. The cache hashes
# the headers that the compiler names: that saves preprocessing each file twice. The priority is
# the lowest one, because guests that run meanwhile have time limits.
make_kernel()
{
	local dir=$1

	shift
	in_tools env CCACHE_DIR="$build/ccache" CCACHE_BASEDIR="$build" \
		CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 CCACHE_MAXSIZE=2G \
		KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=lab \
		KBUILD_BUILD_HOST=lab \
		nice -n 19 make -C "$dir/source" O="$dir/obj" CC='ccache gcc' "$@"
}

# The configurations of a kernel. That of 7.3-rt-debug comes on top of that of 7.3-debug.
fragments_of()
{
	[[ $1 != *-*-debug ]] || printf '%s\n' "$lab/kernels/${1%%-*}-debug.config"
	printf '%s\n' "$lab/kernels/$1.config"
}

# Directories whose accesses KASAN does not check, because what UIO and TCMU allocate is used
# elsewhere. This saves an eighth of the compiler's time, and makes guests faster. In the first two,
# the kernel's own makefiles leave KASAN out, but make's options come before what makefiles set.
without_kasan=(mm/kasan kernel/entry arch/x86 drivers/{acpi,input,nvme,pnp,tty,video,virtio}
	fs/{ext4,jbd2})

# Options of make for a kernel. With KCSAN only modules that are compiled later are checked:
# reports of races in the rest of the kernel would hide ours.
make_options()
{
	if [[ $1 = *-kcsan-* ]]; then
		echo KCSAN_SANITIZE=n
	else
		# shellcheck disable=SC2016 # make expands it
		echo 'KASAN_SANITIZE=$(if $(filter '"${without_kasan[*]/%/%}"',$(obj)),n)'
	fi
}

# Kconfig silently drops unknown options, and options with unmet dependencies. "is not set"
# also matches an option that does not exist.
check_config()
{
	local fragment=$1 config=$2 line lines

	mapfile -t lines <"$fragment"
	for line in "${lines[@]}"; do
		case $line in
		CONFIG_*)
			grep -qxF "$line" "$config" ;;
		'# CONFIG_'*' is not set')
			line=${line#\# }
			! grep -q "^${line%% *}=" "$config" ;;
		*)
			continue ;;
		esac || {
			reason "the kernel's .config lacks \"$line\" of $(short "$fragment")"
			return 1
		}
	done
}

# Print make's output, and report its progress. The variable all has the number of lines of a
# full build: adapt it after large changes of the configuration.
show_progress()
{
	local what=$1 all=1660 line n=0 next=$((SECONDS + 30))

	while IFS= read -r line; do
		printf '%s\n' "$line"
		n=$((n + 1))
		[ "$SECONDS" -ge "$next" ] || continue
		next=$((SECONDS + 30))
		say "$what: $((n < all ? n * 100 / all : 99)) %, $SECONDS s" 2>&3
	done
}

# Without EXPERT, allnoconfig leaves on what only experts may switch off. PREEMPT_RT needs
# EXPERT, so it comes in a second step, in which all that is on stays on.
configure()
{
	local dir=$1 base=$2 more=${3-}

	make_kernel "$dir" -s KCONFIG_ALLCONFIG="$base" allnoconfig
	check_config "$base" "$dir/obj/.config"
	[ -n "$more" ] || return 0
	cat "$more" >>"$dir/obj/.config"
	make_kernel "$dir" -s olddefconfig
	{
		grep -vwF -f <(grep -oE '^(# )?CONFIG_[A-Z0-9_]+' "$more" | sed 's,^# ,,') "$base"
		cat "$more"
	} >"$dir/obj/fragment"
	check_config "$dir/obj/fragment" "$dir/obj/.config"
}

# A compilation that is killed leaves objects that lack a part: what objtool adds to them. make
# takes them for complete. They are among the newest ones.
remove_unfinished()
{
	local obj=$1 newest

	[ -e "$obj/unfinished" ] || return 0
	newest=$(find "$obj" -name '*.o' -printf '%T@\n' | sort -n | tail -n 1)
	[ -z "$newest" ] ||
		find "$obj" -name '*.o' -newermt "@$((${newest%.*} - 60))" -delete
}

setup_compiled_kernel()
{
	local k=$1 dir abi

	dir=$(kernel_dir "$k")
	rm -f "$dir/abi"
	# kbuild stores absolute paths, so a moved checkout needs a new build
	[ "$(cat "$dir/obj/place" 2>/dev/null)" = "$dir" ] || rm -rf "$dir/obj"
	mkdir -p "$dir/obj"
	echo "$dir" >"$dir/obj/place"
	# shellcheck disable=SC2046 # paths without blanks
	configure "$dir" $(fragments_of "$k")
	remove_unfinished "$dir/obj"
	touch "$dir/obj/unfinished"
	make_kernel "$dir" -j"$(nproc)" "$(make_options "$k")" bzImage modules 2>&1 |
		show_progress "kernel $k"
	rm "$dir/obj/unfinished"

	abi=$(cat "$dir/obj/include/config/kernel.release")
	rm -rf "$dir/image"
	mkdir -p "$dir/image/boot"
	cp "$dir/obj/arch/x86/boot/bzImage" "$dir/image/boot/vmlinuz-$abi"
	make_kernel "$dir" -s INSTALL_MOD_PATH="$dir/image/usr" INSTALL_MOD_STRIP=1 \
		modules_install
	rm -f "$dir/image/usr/lib/modules/$abi/build"
	printf '%s %s\n' "linux-$k" "$abi" >"$build/versions.d/kernel-$k"
	printf '%s\n' "$abi" >"$dir/abi"
}
