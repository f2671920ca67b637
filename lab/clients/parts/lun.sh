# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A backstore of tcmu-runner's, exported as a LUN: made and removed by what the unplug
# suite has for that.

# shellcheck source=../../selftests/uio/tcmu/world.sh
[ ! -e /lab/tcmu/world.sh ] || . /lab/tcmu/world.sh
# what those functions go by
by=configfs
empty=/lab/empty.qcow2

# With the directories in which the target keeps reservations, wherever it looks for them.
target_up()
{
	mkdir -p {/etc,/var}/target/pr
	daemon_start
}

# Is what was made gone, and the driver too? Called when no LUN is exported any more.
all_unloads()
{
	local pid

	delete "$1"
	rmdir "$own_hba"
	pid=$(pidof tcmu-runner)
	kill -KILL "$pid"
	await_for 30 is_gone "$pid" || fail "tcmu-runner can't be killed"
	modprobe -r target_core_user
	# with that goes what nobody else uses
	[ ! -d /sys/module/target_core_user ] && [ ! -d /sys/module/uio ]
}
