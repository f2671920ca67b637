// SPDX-License-Identifier: GPL-2.0-only
/* uio_same: the page tables of the caller. */

#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>

#include "uio_same.h"

static pmd_t *uio_same_pmd(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud) || pud_leaf(*pud))
		return NULL;
	return pmd_offset(pud, addr);
}

/* No mapping here is large enough for a huge page. */
void uio_same_pte(struct uio_same_pte *pte)
{
	struct mm_struct *mm = current->mm;
	pmd_t *pmd;

	pte->value = 0;
	pte->pfn = 0;
	pte->present = 0;

	mmap_read_lock(mm);
	pmd = uio_same_pmd(mm, pte->addr);
	if (pmd && !pmd_none(*pmd) && !pmd_leaf(*pmd)) {
		pte_t entry = ptep_get(pte_offset_kernel(pmd, pte->addr));

		pte->value = pte_val(entry);
		pte->present = pte_present(entry);
		if (pte->present)
			pte->pfn = pte_pfn(entry);
	}
	mmap_read_unlock(mm);
}
