// SPDX-License-Identifier: GPL-2.0-only
/* Library of the TCMU tests: devices in configfs. */

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "uio_testlib_tcmu.h"

#define CONFIGFS	"/sys/kernel/config"
#define LOOPBACK	CONFIGFS "/target/loopback"
#define TCMU_CONFIG	"dev_config=test/x,dev_size=1048576,max_data_area_mb=1"

int uiot_tcmu_get(struct uiot_tcmu *tcmu, const char *file, char *buf, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tcmu->dir, file);
	return uiot_read_file(path, buf, size);
}

int uiot_tcmu_set(struct uiot_tcmu *tcmu, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tcmu->dir, file);
	return uiot_write_file(path, text);
}

int uiot_tcmu_param(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/target_core_user/parameters/%s",
		 name);
	return uiot_write_file(path, text);
}

int uiot_tcmu_setup(void)
{
	int ret = uiot_load("target_core_user");

	if (ret)
		return ret;
	if (access(CONFIGFS "/target", F_OK) &&
	    mount("configfs", CONFIGFS, "configfs", 0, NULL))
		return -errno;
	/* the machine may have changed it; mainline's module lacks the parameter */
	uiot_tcmu_param("revoked_fault", "sigbus");
	uiot_tcmu_delete_all();
	return 0;
}

int uiot_tcmu_make(struct uiot_tcmu *tcmu, const char *name, const char *config)
{
	char line[128];

	snprintf(tcmu->name, sizeof(tcmu->name), "%s", name);
	snprintf(tcmu->dir, sizeof(tcmu->dir), UIOT_TCMU_HBA "/%s", tcmu->name);
	if ((mkdir(UIOT_TCMU_HBA, 0755) && errno != EEXIST) ||
	    mkdir(tcmu->dir, 0755))
		return -errno;

	snprintf(line, sizeof(line), TCMU_CONFIG "%s%s", *config ? "," : "", config);
	return uiot_tcmu_set(tcmu, "control", line);
}

int uiot_tcmu_enable(struct uiot_tcmu *tcmu)
{
	return uiot_tcmu_set(tcmu, "enable", "1");
}

static int find_node(struct uiot_tcmu *tcmu)
{
	DIR *dir = opendir("/sys/class/uio");
	char want[64], name[256];
	struct dirent *entry;
	int ret = -ENOENT;

	if (!dir)
		return -errno;

	snprintf(want, sizeof(want), "tcm-user/0/%s/", tcmu->name);
	while (ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(tcmu->uio.node, sizeof(tcmu->uio.node), "/dev/%.20s",
			 entry->d_name);
		if (!uiot_sysfs(&tcmu->uio, "name", name, sizeof(name)) &&
		    !strncmp(name, want, strlen(want)))
			ret = 0;
	}
	closedir(dir);
	return ret;
}

int uiot_tcmu_find(struct uiot_tcmu *tcmu)
{
	char size[32];
	int ret = find_node(tcmu);

	if (!ret)
		ret = uiot_sysfs(&tcmu->uio, "maps/map0/size", size, sizeof(size));
	if (!ret)
		tcmu->size = strtoul(size, NULL, 0);
	return ret;
}

int uiot_tcmu_create(struct uiot_tcmu *tcmu, const char *name)
{
	int ret = uiot_tcmu_make(tcmu, name, "nl_reply_supported=-1");

	if (!ret)
		ret = uiot_tcmu_enable(tcmu);
	if (!ret)
		ret = uiot_tcmu_find(tcmu);
	return ret;
}

int uiot_tcmu_delete(struct uiot_tcmu *tcmu)
{
	return rmdir(tcmu->dir) ? -errno : 0;
}

long uiot_op_enable(struct uiot_op *op)
{
	return uiot_tcmu_enable(op->addr);
}

long uiot_op_delete(struct uiot_op *op)
{
	return uiot_tcmu_delete(op->addr);
}

long uiot_op_grow(struct uiot_op *op)
{
	return uiot_tcmu_set(op->addr, "attrib/dev_size", "2097152");
}

void uiot_tcmu_set_time_out(struct uiot_tcmu *tcmu, const char *seconds)
{
	uiot_tcmu_set(tcmu, "attrib/nl_reply_time_out", seconds);
}

int uiot_join_or_reset(struct uiot_op *op)
{
	int ret = uiot_join(op, UIOT_SOON_MS);

	if (ret) {
		uiot_tcmu_reset_netlink();
		uiot_join(op, UIOT_SOON_MS);
	}
	return ret;
}

struct unit_path {
	char text[128];
};

/* The file of SCSI unit @nr. Each has a host of its own. */
static struct unit_path unit_path(unsigned int nr, const char *file)
{
	struct unit_path path;

	snprintf(path.text, sizeof(path.text), LOOPBACK "/naa.5001405%08x1%s", nr, file);
	return path;
}

int uiot_tcmu_export_as(struct uiot_tcmu *tcmu, unsigned int nr)
{
	int ret = uiot_load("tcm_loop");

	if (ret)
		return ret;
	if (mkdir(LOOPBACK, 0755) && errno != EEXIST)
		return -errno;
	if (mkdir(unit_path(nr, "").text, 0755) || mkdir(unit_path(nr, "/tpgt_1").text, 0755) ||
	    uiot_write_file(unit_path(nr, "/tpgt_1/nexus").text, "naa.5001405000000002") ||
	    mkdir(unit_path(nr, "/tpgt_1/lun/lun_0").text, 0755))
		return -errno;
	/* the link makes the kernel scan the unit */
	return symlink(tcmu->dir, unit_path(nr, "/tpgt_1/lun/lun_0/device").text) ? -errno : 0;
}

void uiot_tcmu_unexport_as(unsigned int nr)
{
	unlink(unit_path(nr, "/tpgt_1/lun/lun_0/device").text);
	rmdir(unit_path(nr, "/tpgt_1/lun/lun_0").text);
	rmdir(unit_path(nr, "/tpgt_1").text);
	rmdir(unit_path(nr, "").text);
}

/* The address is that of the target: HOST:0:1. */
static int unit_address(unsigned int nr, char *address, size_t size)
{
	int ret = uiot_read_file(unit_path(nr, "/tpgt_1/address").text, address, size);

	address[ret ? 0 : strcspn(address, "\n")] = 0;
	return ret;
}

int uiot_tcmu_find_sg(unsigned int nr, char *node, size_t size)
{
	char address[32], pattern[96];
	glob_t found;
	int ret = unit_address(nr, address, sizeof(address));

	if (ret)
		return ret;
	snprintf(pattern, sizeof(pattern), "/sys/bus/scsi/devices/%s:0/scsi_generic/sg*", address);
	if (glob(pattern, 0, NULL, &found))
		return -ENODEV;
	snprintf(node, size, "/dev/%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return 0;
}

int uiot_tcmu_scan(unsigned int nr)
{
	char address[32], path[96];
	int ret = unit_address(nr, address, sizeof(address));

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/class/scsi_host/host%d/scan", atoi(address));
	return uiot_write_file(path, "0 1 -");
}

int uiot_tcmu_export(struct uiot_tcmu *tcmu)
{
	return uiot_tcmu_export_as(tcmu, 0);
}

void uiot_tcmu_unexport(void)
{
	uiot_tcmu_unexport_as(0);
}

void uiot_tcmu_delete_all(void)
{
	char path[512];
	DIR *dir = opendir(UIOT_TCMU_HBA);
	struct dirent *entry;

	uiot_tcmu_unexport();
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), UIOT_TCMU_HBA "/%s", entry->d_name);
		rmdir(path);
	}
	closedir(dir);
	rmdir(UIOT_TCMU_HBA);
}

void *uiot_tcmu_map(const struct uiot_tcmu *tcmu, int fd)
{
	return mmap(NULL, tcmu->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* Counts TCMU's vmalloc areas of megabytes: its other areas are smaller. */
int uiot_tcmu_rings(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "r");
	unsigned long size;
	char line[512];
	int nr = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (strstr(line, "tcmu_configure_device") &&
		    sscanf(line, "%*s %lu", &size) == 1 && size >= 1 << 20)
			nr++;
	fclose(file);
	return nr;
}
