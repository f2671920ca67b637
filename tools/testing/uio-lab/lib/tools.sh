# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tools root: a Debian of its own with compiler, kbuild, QEMU. Builds and
# guests run inside it, with the checkout at its usual path.

tools=$build/tools

# Run in a mount namespace of our own (see contained()); replaces the process.
enter_tools()
{
	local cwd=$top

	case $PWD/ in
	"$top"/*) cwd=$PWD ;;
	esac
	mount -t tmpfs tmpfs "$tools/tmp"
	mkdir -p "$tools$top"
	mount --rbind "$top" "$tools$top"
	mount -t proc proc "$tools/proc"
	mount --rbind /dev "$tools/dev"
	# shellcheck disable=SC2016
	exec env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
		PATH=/usr/sbin:/usr/bin TMPDIR="${LAB_TMP:-/tmp}" \
		chroot "$tools" /bin/sh -c 'cd "$1" && shift && exec "$@"' - "$cwd" "$@"
}

in_tools()
{
	run_contained "$self" _enter "$@"
}
