/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that are mapped, or in the page cache, but whose contents the kernel must
 * not access, because they are private to a protected guest. Code that takes a reference
 * to a page in order to access its contents checks afterwards whether it may.
 *
 * See arch/arm64/kvm/pkvm_guest_pin.c.
 */
#ifndef _LINUX_PRIVATE_PAGES_H
#define _LINUX_PRIVATE_PAGES_H

#include <linux/jump_label.h>
#include <linux/types.h>

struct page;
struct vm_area_struct;

/* Like pin_user_pages_fast(), but only for pages that are populated. In mm/gup.c. */
int pin_user_pages_fast_only(unsigned long start, int nr_pages, unsigned int gup_flags,
			     struct page **pages);

#if defined(CONFIG_ARM64) && defined(CONFIG_KVM)

DECLARE_STATIC_KEY_FALSE(pkvm_private_memory);

unsigned long pkvm_pages_accessible(struct page *page, unsigned long nr);
bool pkvm_address_accessible(struct vm_area_struct *vma, unsigned long address);
void pkvm_copy_accessible_page(struct page *to, struct page *from);

/**
 * pages_accessible() - Check how many pages' contents the kernel may access
 * @page: the first page. The caller has a reference to its folio.
 * @nr: how many pages, all of that folio.
 *
 * See pkvm_pages_accessible().
 *
 * Return: how many pages, from the first one on, may be accessed.
 */
static inline unsigned long pages_accessible(struct page *page, unsigned long nr)
{
	if (static_branch_unlikely(&pkvm_private_memory))
		return pkvm_pages_accessible(page, nr);

	return nr;
}

/**
 * address_accessible() - Check whether the kernel may access the page at a user address
 * @vma: the area that the address is in; its mmap_lock is held.
 * @address: the address.
 *
 * For code that found a page mapped although an access to it failed: another try can only
 * succeed if this is true.
 *
 * Return: false if a private page is mapped there.
 */
static inline bool address_accessible(struct vm_area_struct *vma, unsigned long address)
{
	if (static_branch_unlikely(&pkvm_private_memory))
		return pkvm_address_accessible(vma, address);

	return true;
}

/**
 * copy_accessible_page() - Copy a page, or zero the copy if the page is private
 * @to: the copy.
 * @from: the page, see pkvm_copy_accessible_page().
 *
 * Return: false, with nothing copied, if the host has no private pages at all.
 */
static inline bool copy_accessible_page(struct page *to, struct page *from)
{
	if (!static_branch_unlikely(&pkvm_private_memory))
		return false;

	pkvm_copy_accessible_page(to, from);

	return true;
}

#else

static inline unsigned long pages_accessible(struct page *page, unsigned long nr)
{
	return nr;
}

static inline bool address_accessible(struct vm_area_struct *vma, unsigned long address)
{
	return true;
}

static inline bool copy_accessible_page(struct page *to, struct page *from)
{
	return false;
}

#endif

#endif /* _LINUX_PRIVATE_PAGES_H */
