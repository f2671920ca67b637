# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Every verb sources this first. It has paths, messages, child processes that end with the
# verb, and locks. The name of the verb is the name of its file.
#
# Exit statuses: 0 success, 1 failure, 2 wrong use or the wrong machine, 130 Ctrl-C.

set -euo pipefail

verb=${0##*/}
verb_args=$*
lab=$(realpath "${BASH_SOURCE[0]%/*}/..")
top=${lab%/*}
build=$top/build
selftests=$top/tools/testing/selftests/uio
programs=$build/selftests
results=$top/results/$verb
# Debian's kernel, which is always set up; and kernels that the lab compiles when needed.
# lab/kernels/list has those that it downloads when needed.
kernels=(6.12)
compiled_kernels=(7.3-debug 7.3-rt-debug 7.3-kcsan-debug)
# where mainline is compared with ours; the debug kernel is ten times as slow
compared_kernels=(6.12 7.3)

# shellcheck source=args.sh
. "$lab/core/args.sh"

die()
{
	printf 'lab %s: %s\n' "$verb" "$*" >&2
	exit 1
}

usage_error()
{
	printf 'lab %s: %s\n' "$verb" "$*" >&2
	exit 2
}

# Long operations report their progress: set-up uses say, all else uses progress.
say()
{
	printf 'lab: %s\n' "$*" >&2
}

progress()
{
	printf '%s: %4d s  %s\n' "$verb" "$SECONDS" "$*" >&2
}

# A path as the reader would type it from the top of the checkout.
short()
{
	printf '%s' "${1#"$top"/}"
}

is_in()
{
	[[ $1 != *[[:space:]]* && " ${*:2} " = *" $1 "* ]]
}

is_compiled()
{
	is_in "$1" "${compiled_kernels[@]}"
}

# All of them, as an option takes them.
known_kernels()
{
	{ awk '!/^#/ { print $1 }' "$lab/kernels/list"; printf '%s\n' "${compiled_kernels[@]}"; } |
		paste -sd ,
}

is_known()
{
	[[ ,$(known_kernels), = *",$1,"* ]]
}

is_debug()
{
	[[ $1 = *-debug ]]
}

# ---- children

# Commands that take time run in the background, and we wait for them: bash acts on a signal
# at once only while it waits. A child ends when we end, for any reason.
children=()	# end by TERM: verbs, which end their own children
namespaces=()	# end by KILL: see contained()

begin()
{
	setpriv --pdeathsig TERM "$@" &
	children+=("$!")
}

# Wait for the oldest child, and return its status.
end()
{
	local status=0

	wait "${children[0]}" || status=$?
	children=("${children[@]:1}")
	return "$status"
}

do_now()
{
	local status=0

	begin "$@"
	wait "${children[-1]}" || status=$?
	unset 'children[-1]'
	return "$status"
}

# Run CMD in namespaces of its own, so that no process and no mount of it is left. CMD replaces
# the calling (sub)shell. So it gets the death signal from the shell above, even if that is
# killed with -9.
contained()
{
	exec setpriv --pdeathsig KILL unshare --mount --propagation private \
		--pid --fork --kill-child --mount-proc -- "$@"
}

# Run CMD the same way, with our stdin, and return its status.
run_contained()
{
	local status=0

	contained "$@" <&0 &
	namespaces=("$!")
	wait "$!" || status=$?
	namespaces=()
	return "$status"
}

end_children()
{
	[ "${#children[@]}" -eq 0 ] || kill -TERM -- "${children[@]}" 2>/dev/null || :
	[ "${#namespaces[@]}" -eq 0 ] || kill -KILL "${namespaces[@]}" 2>/dev/null || :
	wait 2>/dev/null || :
	children=() namespaces=()
}

interrupted()
{
	trap '' INT TERM HUP
	end_children
	# the terminal has printed ^C on this line
	[ ! -t 2 ] || echo >&2
	printf 'lab %s: interrupted\n' "$verb" >&2
	exit "$1"
}

trap end_children EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP

# ---- directories and locks

# Lock FILE as shared or exclusive, until this process and all its children have ended. The
# descriptor holds the lock, so a killed process leaves none.
lock()
{
	local how=$1 file=$2 fd

	mkdir -p "${file%/*}"
	exec {fd}>>"$file"
	if ! flock --nonblock "--$how" "$fd"; then
		say "waiting for another run that holds $(short "$file")"
		do_now flock "--$how" "$fd"
	fi
	locked=$fd
}

# Call MAKE if DONE fails, both with the same arguments. Keep a shared lock on FILE, so that
# nobody removes the result. A second lock is for making: who waits for it only waits until the
# result is there, not until the maker has ended.
once()
{
	local file=$1 done=$2 make=$3 making mine

	shift 3
	lock shared "$file"
	"$done" "$@" && return
	exec {locked}>&-
	lock exclusive "$file.make"
	making=$locked
	lock shared "$file"
	if ! "$done" "$@"; then
		exec {locked}>&-
		lock exclusive "$file"
		mine=$locked
		"$make" "$@"
		flock --shared "$mine"
	fi
	exec {making}>&-
}

make_dir()
{
	{ mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; } ||
		usage_error "cannot write to $1: use a directory on a disk that is not read-only"
}

# Check that the machine is right for the lab, before a verb prints or makes anything.
check_host()
{
	local tool id LC_ALL=C

	# shellcheck source=/dev/null
	id=$(. /etc/os-release 2>/dev/null && echo "${ID-}") || :
	[ "$id" = debian ] || usage_error "this machine does not run Debian: use Debian 12 or 13"
	[ "$(id -u)" = 0 ] || usage_error "the lab needs root: run it as root"
	[ "$(dpkg --print-architecture)" = amd64 ] ||
		usage_error "this machine is not amd64: use an amd64 machine"
	for tool in perl:perl tar:tar xz:xz-utils unshare:util-linux flock:util-linux \
		setpriv:util-linux mount:mount; do
		command -v "${tool%:*}" >/dev/null ||
			usage_error "${tool%:*} is missing: apt-get install ${tool#*:}"
	done
	# other characters have a meaning for kbuild, for QEMU or for a shell
	[[ $top =~ ^[A-Za-z0-9._/+~@-]+$ ]] ||
		usage_error "the path of the checkout, $top, has a character other than letters," \
			"digits and ._/+~@-: move the checkout"
	unshare --mount --pid --fork true 2>/dev/null ||
		usage_error "cannot make namespaces: use a real machine, or a privileged container"
	make_dir "$build"
}

# Print the commit of the sources. It ends in -dirty if they are not as in that commit.
commit_here()
{
	git -c safe.directory="$top" -C "$top" describe --always --dirty 2>/dev/null ||
		echo unknown
}

# Only one run writes to $results. The file origin has its commit and arguments.
open_results()
{
	check_host
	make_dir "$results"
	exec {locked}>"$results/lock"
	flock --nonblock "$locked" ||
		die "another run writes to $(short "$results"): wait for it to end"
	[ -n "${last-}${resume-}" ] ||
		echo "$(commit_here) $(date +%F) $verb $verb_args" >"$results/origin"
}

# Make $work, a directory for temporary files. Remove those of commands that were killed
# with -9.
open_work()
{
	local dir

	check_host
	for dir in "$build/tmp/$verb".*; do
		kill -0 "${dir##*.}" 2>/dev/null || rm -rf "$dir"
	done
	work=$build/tmp/$verb.$$
	make_dir "$work"
	trap 'end_children; rm -rf "$work"' EXIT
}
