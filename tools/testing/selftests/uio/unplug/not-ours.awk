# SPDX-License-Identifier: GPL-2.0
# Removes messages about known bugs of others from a kernel log.
#
# The block layer embeds a kobject in a disk, and frees the disk without waiting for the
# kobject's release. CONFIG_DEBUG_KOBJECT_RELEASE delays this release, and DEBUG_OBJECTS
# then complains about each SCSI disk that goes away.

/ODEBUG: free active .* kobject_delayed_cleanup/ {
	held = ""
	inside = 1
	disk = 0
}

inside {
	held = held $0 "\n"
	if (/bdev_free_inode/)
		disk = 1
	if (/---\[ end trace/) {
		if (!disk)
			printf "%s", held
		inside = 0
	}
	next
}

{ print }

END {
	if (inside)
		printf "%s", held
}
