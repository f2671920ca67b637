// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: mappings that a driver without a context makes by itself.
 *
 * It may bring vm_operations that know nothing of revocation. They work on memory of
 * the driver's, which frees it when the device is unregistered. So they are called by
 * way of ours, while the device is live. But a driver that counts its mappings, by
 * open and close, knows when its memory is out of use: it is left alone.
 */

#include "uio_internal.h"
#include "uio_mm.h"

/**
 * struct uio_driver_ops - vm_operations of a driver's, behind a check
 * @node: in &uio_object.driver_ops, for as long as the device is there
 * @ops: what the VMAs have
 * @driver: the driver's own
 */
struct uio_driver_ops {
	struct list_head node;
	struct vm_operations_struct ops;
	const struct vm_operations_struct *driver;
};

static const struct vm_operations_struct *
uio_driver_ops(const struct vm_area_struct *vma)
{
	return container_of(vma->vm_ops, struct uio_driver_ops, ops)->driver;
}

static vm_fault_t uio_driver_call(struct vm_fault *vmf,
				  vm_fault_t (*op)(struct vm_fault *vmf))
{
	struct uio_file *uf = vmf->vma->vm_file->private_data;
	struct uio_object *obj = uf->obj;
	vm_fault_t ret;

	if (uio_file_enter(uf))
		return VM_FAULT_SIGBUS;

	/* the VMA may be gone afterwards, and the file with it */
	ret = op(vmf);
	uio_leave(obj);
	return ret;
}

static vm_fault_t uio_driver_fault(struct vm_fault *vmf)
{
	return uio_driver_call(vmf, uio_driver_ops(vmf->vma)->fault);
}

static vm_fault_t uio_driver_page_mkwrite(struct vm_fault *vmf)
{
	return uio_driver_call(vmf, uio_driver_ops(vmf->vma)->page_mkwrite);
}

static vm_fault_t uio_driver_pfn_mkwrite(struct vm_fault *vmf)
{
	return uio_driver_call(vmf, uio_driver_ops(vmf->vma)->pfn_mkwrite);
}

static int uio_driver_access(struct vm_area_struct *vma, unsigned long addr,
			     void *buf, int len, int write)
{
	struct uio_file *uf = vma->vm_file->private_data;
	int ret;

	if (uio_file_enter(uf))
		return -EIO;

	ret = uio_driver_ops(vma)->access(vma, addr, buf, len, write);
	uio_leave(uf->obj);
	return ret;
}

static struct uio_driver_ops *
uio_find_driver_ops(struct uio_object *obj,
		    const struct vm_operations_struct *driver)
{
	struct uio_driver_ops *own;

	list_for_each_entry(own, &obj->driver_ops, node)
		if (own->driver == driver)
			return own;

	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return NULL;

	own->driver = driver;
	own->ops = *driver;
	if (driver->fault)
		own->ops.fault = uio_driver_fault;
	if (driver->page_mkwrite)
		own->ops.page_mkwrite = uio_driver_page_mkwrite;
	if (driver->pfn_mkwrite)
		own->ops.pfn_mkwrite = uio_driver_pfn_mkwrite;
	if (driver->access)
		own->ops.access = uio_driver_access;
	/* these only save calls of the above */
	own->ops.huge_fault = NULL;
	own->ops.map_pages = NULL;
	list_add(&own->node, &obj->driver_ops);
	return own;
}

/* Does it do more than to look at page table entries? */
static bool uio_driver_is_called(const struct vm_operations_struct *driver)
{
	return driver->fault || driver->page_mkwrite || driver->pfn_mkwrite ||
	       (driver->access && driver->access != generic_access_phys);
}

/**
 * uio_mmap_driver - have the driver map its memory
 * @uf: the file; the caller has entered the device
 * @vma: the new mapping
 * @keep_pgoff: set to true if the offset has to stay as user space gave it
 *
 * Return: 0 or a negative error code.
 */
int uio_mmap_driver(struct uio_file *uf, struct vm_area_struct *vma,
		    bool *keep_pgoff)
{
	const struct vm_operations_struct *driver;
	struct uio_object *obj = uf->obj;
	struct uio_driver_ops *own;
	int ret;

	/* some have a copy of a look-up that wants it */
	vma->vm_private_data = &obj->idev;

	ret = uio_note_mapper(uf, vma->vm_mm) ?:
	      uio_mmap_prepare(obj->idev.info, vma);
	driver = vma->vm_ops;
	if (ret || !driver)
		return ret;

	if (driver->fault) {
		WRITE_ONCE(obj->driver_faults, true);
		*keep_pgoff = true;
	}
	if ((driver->open && driver->close) || !uio_driver_is_called(driver))
		return 0;

	mutex_lock(&obj->map_lock);
	own = uio_find_driver_ops(obj, driver);
	mutex_unlock(&obj->map_lock);
	if (!own)
		return -ENOMEM;

	vma->vm_ops = &own->ops;
	return 0;
}

/**
 * uio_free_driver_ops - free what mappings by the driver needed
 * @obj: a device that is not mapped any more
 */
void uio_free_driver_ops(struct uio_object *obj)
{
	struct uio_driver_ops *own, *next;

	list_for_each_entry_safe(own, next, &obj->driver_ops, node)
		kfree(own);
}
