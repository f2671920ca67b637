# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# "disk", a backstore of tcmu-runner's, which is exported as a LUN: made and removed by what
# the unplug suite has for that.

# what those functions go by
by=configfs
empty=/lab/empty.qcow2

# With the directories in which the target keeps reservations, wherever it looks for them.
disk_up()
{
	mkdir -p {/etc,/var}/target/pr
	daemon_start
	create disk
}

# Are it, the daemon and the driver gone then? Called when it is not exported any more.
disk_down()
{
	delete disk
	rmdir "$own_hba"
	daemon=$(pidof tcmu-runner)
	daemon_kill
	uio_unloads target_core_user
}
