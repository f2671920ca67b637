# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tools root: a Debian root with compiler, kbuild and QEMU. Builds and guests run in it.
# It has the checkout mounted at its usual path.

tools=$build/tools

# Run a command in ROOT. It replaces this process, which has a mount namespace of its own
# (see contained()).
enter_root()
{
	local root=$1 cwd=$top

	shift
	case $PWD/ in
	"$top"/*) cwd=$PWD ;;
	esac
	mount -t tmpfs none "$root/tmp"
	mkdir -p "$root$top"
	mount --rbind "$top" "$root$top"
	mount -t proc none "$root/proc"
	mount --rbind /dev "$root/dev"
	# shellcheck disable=SC2016
	exec env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
		PATH=/usr/sbin:/usr/bin TMPDIR="${LAB_TMP:-/tmp}" PYTHONDONTWRITEBYTECODE=1 \
		chroot "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' - "$cwd" "$@"
}

in_tools()
{
	run_contained "$lab/core/inside" enter "$tools" "$@"
}

# Print the patches in DIR..., in the order of their numbers. A series may have none.
patches_in()
{
	{ find "$@" -name '*.patch' -printf '%f %p\n' 2>/dev/null || :; } |
		sort | cut -d ' ' -f 2
}

# No fuzz: a patch has to apply exactly.
apply_patch()
{
	in_tools patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d "$1" -i "$2" "${@:3}"
}
