# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Make and remove the backstore "disk" of tcmu-runner, with the functions of the unplug suite.
# A part exports it as a LUN.

# variables of these functions
by=configfs
empty=/lab/empty.qcow2

# The target keeps reservations in one of these directories.
disk_up()
{
	mkdir -p {/etc,/var}/target/pr
	daemon_start
	create disk
}

# Remove the backstore, the daemon and the driver. The LUN must be gone.
disk_down()
{
	delete disk
	rmdir "$own_hba"
	daemon=$(pidof tcmu-runner)
	daemon_kill
	uio_unloads target_core_user
}
