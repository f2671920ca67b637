# SPDX-License-Identifier: GPL-2.0
# For the makefile of a driver outside the kernel, which has this line:
#
#	-include /usr/src/uio-late-release/driver.mk
#
# If DKMS has installed our uio for a kernel, the driver gets our <linux/uio_driver.h>, which
# defines UIO_HAS_CONTEXT, and links to our symbols. For any other kernel, or if this file is not
# there, the driver gets the kernel's own header.

uio_late_release := $(dir $(lastword $(MAKEFILE_LIST)))
uio_symvers := $(wildcard /var/lib/dkms/uio-late-release/kernel-$(KERNELRELEASE)-*/module/Module.symvers)

ifneq ($(uio_symvers),)
NOSTDINC_FLAGS += $(addprefix -I$(uio_late_release),compat include include/uapi)
KBUILD_EXTRA_SYMBOLS += $(uio_symvers)
endif
