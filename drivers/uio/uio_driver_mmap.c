// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: mappings that a driver without a context makes itself.
 *
 * The driver may set vm_operations that know nothing of revocation. They use memory that
 * the driver frees after the unregistration. So the core wraps fault, page_mkwrite,
 * pfn_mkwrite and access, and calls the driver's only while the device is live. It leaves
 * the other operations as they are.
 *
 * If the vm_operations have both open and close, the driver counts its mappings and knows
 * when its memory is unused. The core keeps calling these operations when the device is
 * gone, but not for a file that was revoked.
 *
 * If fault returns a page, mm inserts it after the core's last check. If the device is
 * revoked in between, the page stays mapped, with its reference.
 */

#include "uio_internal.h"
#include "uio_mm.h"
#include "uio_trace.h"

#include <linux/pagemap.h>

/**
 * struct uio_ops_wrapper - wrapper of a driver's vm_operations
 * @node: in &uio_object.driver_ops, until the object is released
 * @ops: the wrapper; vm_ops of the VMAs
 * @driver: a copy of the driver's operations
 */
struct uio_ops_wrapper {
	struct list_head node;
	struct vm_operations_struct ops;
	struct vm_operations_struct driver;
};

static const struct vm_operations_struct *
uio_driver_ops(const struct vm_area_struct *vma)
{
	return &container_of(vma->vm_ops, struct uio_ops_wrapper, ops)->driver;
}

/* Does access() use page tables only? */
static bool uio_is_plain_access(const struct vm_operations_struct *driver)
{
#ifdef CONFIG_HAVE_IOREMAP_PROT
	if (driver->access == generic_access_phys)
		return true;
#endif
	return !driver->access;
}

/* Do these operations need a wrapper? */
static bool uio_needs_wrapper(const struct vm_operations_struct *driver)
{
	return driver->fault || driver->page_mkwrite || driver->pfn_mkwrite ||
	       !uio_is_plain_access(driver);
}

static bool uio_counts_mappings(const struct vm_operations_struct *driver)
{
	return driver->open && driver->close;
}

/* @counts: from uio_counts_mappings(); needed to leave, when the VMA may be gone. */
static bool uio_driver_enter(const struct uio_file *uf, bool counts)
{
	return counts ? !READ_ONCE(uf->revoked) : !uio_file_enter(uf);
}

static void uio_driver_leave(struct uio_object *obj, bool counts)
{
	if (!counts)
		uio_leave(obj);
}

static vm_fault_t uio_driver_fault_revoked(const struct uio_file *uf,
					   const struct vm_fault *vmf)
{
	trace_uio_fault_revoked(uf->obj, -1, vmf->pgoff, false);
	return VM_FAULT_SIGBUS;
}

/*
 * The file was revoked meanwhile. Unmap what the driver inserted. If it returned a page,
 * do not let mm insert that.
 */
static vm_fault_t uio_driver_take_back(struct uio_file *uf, struct vm_fault *vmf,
				       vm_fault_t ret)
{
	if (!(ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_DONE_COW)) &&
	    vmf->page) {
		if (ret & VM_FAULT_LOCKED)
			unlock_page(vmf->page);
		put_page(vmf->page);
		vmf->page = NULL;
	}
	uio_unmap_file(uf);
	return VM_FAULT_SIGBUS;
}

static vm_fault_t uio_driver_fault(struct vm_fault *vmf)
{
	const struct vm_operations_struct *driver = uio_driver_ops(vmf->vma);
	struct uio_file *uf = vmf->vma->vm_file->private_data;
	bool counts = uio_counts_mappings(driver);
	struct uio_object *obj = uf->obj;
	vm_fault_t ret;

	if (!uio_driver_enter(uf, counts))
		return uio_driver_fault_revoked(uf, vmf);

	ret = driver->fault(vmf);
	/*
	 * pairs with synchronize_srcu_expedited() in uio_revoke_file(): that unmaps what
	 * was inserted, or we see that the file is revoked (litmus: driver-fault)
	 */
	smp_mb();
	/*
	 * If the driver dropped the mmap_lock, the VMA may be gone, and with it the
	 * file. The device may be gone, too, unless we have entered it.
	 */
	if (!(ret & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)) &&
	    unlikely(READ_ONCE(uf->revoked)))
		ret = uio_driver_take_back(uf, vmf, ret);
	uio_driver_leave(obj, counts);
	return ret;
}

static vm_fault_t uio_driver_mkwrite(struct vm_fault *vmf,
				     const struct vm_operations_struct *driver,
				     vm_fault_t (*mkwrite)(struct vm_fault *vmf))
{
	struct uio_file *uf = vmf->vma->vm_file->private_data;
	bool counts = uio_counts_mappings(driver);
	struct uio_object *obj = uf->obj;
	vm_fault_t ret;

	if (!uio_driver_enter(uf, counts))
		return uio_driver_fault_revoked(uf, vmf);

	ret = mkwrite(vmf);
	uio_driver_leave(obj, counts);
	return ret;
}

static vm_fault_t uio_driver_page_mkwrite(struct vm_fault *vmf)
{
	const struct vm_operations_struct *driver = uio_driver_ops(vmf->vma);

	return uio_driver_mkwrite(vmf, driver, driver->page_mkwrite);
}

static vm_fault_t uio_driver_pfn_mkwrite(struct vm_fault *vmf)
{
	const struct vm_operations_struct *driver = uio_driver_ops(vmf->vma);

	return uio_driver_mkwrite(vmf, driver, driver->pfn_mkwrite);
}

static int uio_driver_access(struct vm_area_struct *vma, unsigned long addr,
			     void *buf, int len, int write)
{
	const struct vm_operations_struct *driver = uio_driver_ops(vma);
	struct uio_file *uf = vma->vm_file->private_data;
	bool counts = uio_counts_mappings(driver);
	int ret;

	if (!uio_driver_enter(uf, counts))
		return -EIO;

	ret = driver->access(vma, addr, buf, len, write);
	uio_driver_leave(uf->obj, counts);
	return ret;
}

static void uio_driver_set_ops(struct uio_ops_wrapper *wrapper,
			       const struct vm_operations_struct *driver)
{
	wrapper->driver = *driver;
	wrapper->ops = *driver;
	if (driver->fault)
		wrapper->ops.fault = uio_driver_fault;
	if (driver->page_mkwrite)
		wrapper->ops.page_mkwrite = uio_driver_page_mkwrite;
	if (driver->pfn_mkwrite)
		wrapper->ops.pfn_mkwrite = uio_driver_pfn_mkwrite;
	if (driver->access)
		wrapper->ops.access = uio_driver_access;
	/* these only avoid calls of the above */
	wrapper->ops.huge_fault = NULL;
	wrapper->ops.map_pages = NULL;
}

/* Finds or makes the wrapper. Under map_lock. NULL if memory is short. */
static struct uio_ops_wrapper *
uio_get_wrapper(struct uio_object *obj,
		const struct vm_operations_struct *driver)
{
	struct uio_ops_wrapper *wrapper;

	list_for_each_entry(wrapper, &obj->driver_ops, node)
		if (!memcmp(&wrapper->driver, driver, sizeof(*driver)))
			return wrapper;

	wrapper = kzalloc_obj(*wrapper, GFP_NOIO);
	if (!wrapper)
		return NULL;

	uio_driver_set_ops(wrapper, driver);
	list_add(&wrapper->node, &obj->driver_ops);
	return wrapper;
}

/* Wraps the operations that the driver has set. */
static int uio_wrap_ops(struct uio_object *obj, struct vm_area_struct *vma)
{
	struct uio_ops_wrapper *wrapper;

	scoped_guard(mutex, &obj->map_lock)
		wrapper = uio_get_wrapper(obj, vma->vm_ops);
	if (!wrapper)
		return -ENOMEM;

	vma->vm_ops = &wrapper->ops;
	return 0;
}

/* @keep_pgoff is already set if the driver has changed vm_file. */
static int uio_take_driver_vma(struct uio_file *uf, struct vm_area_struct *vma,
			       bool *keep_pgoff)
{
	int ret;

	/* only after the call of the driver, or UIO_IOC_REVOKE would wait for that */
	ret = uio_begin_populating(uf, vma->vm_mm);
	if (ret || *keep_pgoff || !vma->vm_ops)
		return ret;

	if (vma->vm_ops->fault) {
		WRITE_ONCE(uf->obj->keeps_pgoff, true);
		*keep_pgoff = true;
	}
	return uio_needs_wrapper(vma->vm_ops) ? uio_wrap_ops(uf->obj, vma) :
						   uio_take_memtype(vma, 0);
}

/**
 * uio_mmap_driver - let the driver map its memory
 * @uf: the file; the caller has entered the device
 * @vma: the new mapping
 * @keep_pgoff: set to true if the mapping has to keep the offset of user space
 *
 * Return: 0 or a negative error code.
 */
int uio_mmap_driver(struct uio_file *uf, struct vm_area_struct *vma,
		    bool *keep_pgoff)
{
	struct file *file = vma->vm_file;
	int ret;

	/* before 7.2, some drivers copied code from the core that reads this */
	vma->vm_private_data = &uf->obj->idev;

	ret = uio_mmap_prepare(uf->obj->idev.info, vma);
	if (ret)
		return ret;

	*keep_pgoff = vma->vm_file != file;
	ret = uio_take_driver_vma(uf, vma, keep_pgoff);
	/* nobody else tells the driver that the mmap() failed */
	if (ret && vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	return ret;
}

/**
 * uio_free_driver_ops - free the wrappers
 * @obj: a device without mappings
 */
void uio_free_driver_ops(struct uio_object *obj)
{
	struct uio_ops_wrapper *wrapper, *next;

	list_for_each_entry_safe(wrapper, next, &obj->driver_ops, node)
		kfree(wrapper);
}
