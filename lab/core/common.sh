# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Names, messages, locks and process containment: what every other file uses.

top=$(realpath "$lab/../../..")
build=$top/build
# Set up in any case; and those that are compiled when they are asked for.
kernels=(6.12)
compiled_kernels=(7.3-debug 7.3)

# Exit statuses: 1 failed, 2 wrong use, 130 interrupted, 255 guest (see README).
die()
{
	printf 'uio-lab: %s\n' "$*" >&2
	exit 1
}

usage_error()
{
	printf 'uio-lab: %s\n' "$*" >&2
	exit 2
}

say()
{
	printf 'lab: %s\n' "$*" >&2
}

# In a set-up step: the line to show if the step fails. Its output is in a log.
reason()
{
	printf 'reason: %s\n' "$*"
}

# A command that was killed with -9 left its files, in build/tmp/NAME.PID.
remove_stale()
{
	local dir

	for dir in "$build/tmp/$1".*; do
		kill -0 "${dir##*.}" 2>/dev/null || rm -rf "$dir"
	done
}

# A path as the reader would type it from the top of the checkout.
short()
{
	printf '%s' "${1#"$top"/}"
}

check_kernel()
{
	local k

	for k in "${kernels[@]}" "${compiled_kernels[@]}"; do
		[ "$k" != "$1" ] || return 0
	done
	usage_error "unknown kernel '$1': there are ${kernels[*]} ${compiled_kernels[*]}"
}

is_compiled()
{
	[[ " ${compiled_kernels[*]} " = *" $1 "* ]]
}

is_debug()
{
	[[ $1 = *-debug ]]
}

# Lock FILE as shared or exclusive until this process and all its children are
# gone. The descriptor is the lock, so a killed process never leaves one.
lock()
{
	local how=$1 file=$2 fd

	mkdir -p "$(dirname "$file")"
	exec {fd}>>"$file"
	if ! flock --nonblock "--$how" "$fd"; then
		say "waiting for another uio-lab"
		flock "--$how" "$fd"
	fi
	locked=$fd
}

# Have MAKE make what DONE, with the same arguments, says is not there; and leave a
# shared lock on FILE, so that nobody takes it away.
once()
{
	local file=$1 done=$2 make=$3 mine

	shift 3
	lock shared "$file"
	"$done" "$@" && return
	exec {locked}>&-
	lock exclusive "$file"
	mine=$locked
	if ! "$done" "$@"; then
		"$make" "$@"
	fi
	flock --shared "$mine"
}

# Run a command in namespaces of its own, so that nothing it starts outlives it
# and no mount leaks. It replaces the calling (sub)shell: the death signal then
# hangs on the shell above, also when that one is killed with -9.
contained()
{
	exec setpriv --pdeathsig KILL unshare --mount --propagation private \
		--pid --fork --kill-child --mount-proc -- "$@"
}

# Children are always in the background and waited for: only so does bash act on
# a signal at once.
children=()

kill_children()
{
	[ "${#children[@]}" -eq 0 ] || kill -KILL "${children[@]}" 2>/dev/null || :
}

interrupted()
{
	trap '' INT TERM HUP
	kill_children
	wait 2>/dev/null || :
	# The terminal has shown ^C on the line where the cursor is.
	[ ! -t 2 ] || echo >&2
	printf 'uio-lab: interrupted\n' >&2
	exit "$1"
}

catch_signals()
{
	trap 'interrupted 130' INT
	trap 'interrupted 143' TERM
	trap 'interrupted 129' HUP
}

# Run CMD contained, with our stdin, and return its status.
run_contained()
{
	local status=0

	contained "$@" <&0 &
	children=("$!")
	wait "$!" || status=$?
	children=()
	return "$status"
}
