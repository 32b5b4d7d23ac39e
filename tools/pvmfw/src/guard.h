/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lazy MMIO guard. The firmware asks the hypervisor to guard a page of a device as MMIO
 * at the first access to that page and not before: a PCI window has tens of MiB, of which
 * the firmware accesses a few pages.
 *
 * Invariant: if the hypervisor has an MMIO guard, a page of a device is valid in the live
 * map only while it is guarded.
 */
#ifndef PVMFW_GUARD_H
#define PVMFW_GUARD_H

#include "hyp.h"
#include "pgtable.h"
#include "status.h"
#include "types.h"

/**
 * struct guard - The state of the guard.
 * @hyp: the hypervisor
 * @pt: the live page tables; NULL until guard_adopt()
 * @active: the hypervisor has an MMIO guard
 * @pages_now: device pages that are valid
 * @pages_peak: the largest value that @pages_now has had
 */
struct guard {
	struct hyp *hyp;
	struct pgtable *pt;
	bool active;
	u64 pages_now;
	u64 pages_peak;
};

/**
 * guard_init() - Check whether the hypervisor has an MMIO guard, and guard the UART: the
 *	static map of entry.S has it valid, so it causes no fault.
 * @g: the guard, all zeroes
 * @hyp: as filled in by hyp_discover()
 * @enrolled: what MMIO_GUARD_ENROLL returned
 * @uart: address of the UART's page
 *
 * Nothing can be printed before this.
 *
 * Return: FW_OK, also without an MMIO guard; FW_EHYP_ENROLL if enrolling failed;
 * FW_EHYP_GRANULE; FW_EHYP_GUARD.
 */
enum fw_status guard_init(struct guard *g, struct hyp *hyp, u64 enrolled, u64 uart);

/**
 * guard_adopt() - Take over the firmware's page tables, and make the UART's page valid in
 *	them: it is guarded already.
 * @g: the guard
 * @pt: the page tables that are about to be live; they map @page as a device
 * @page: address of the page that guard_init() guarded
 *
 * Return: FW_OK, or the error of pgtable_split().
 */
enum fw_status guard_adopt(struct guard *g, struct pgtable *pt, u64 page);

/**
 * guard_fault() - Guard the page of a faulting access and make it valid.
 * @g: the guard
 * @addr: the faulting address
 *
 * Called from the exception handler. It may allocate from the heap: the allocator accesses
 * no device, so the fault did not interrupt it.
 *
 * Return: FW_OK if the access can be repeated; FW_EFAULT if @addr is not in a device or its
 * page is valid already; FW_ENOMEM; FW_EHYP_GUARD.
 */
enum fw_status guard_fault(struct guard *g, u64 addr);

/**
 * guard_release() - Unguard the pages of a device that were accessed.
 * @g: the guard
 * @addr: first address of the device, as given to pgtable_map()
 * @size: bytes, as given to pgtable_map()
 *
 * The caller unmaps the device next. Continues after an error.
 *
 * Return: FW_OK, or FW_EHYP_GUARD if the hypervisor refused one.
 */
enum fw_status guard_release(struct guard *g, u64 addr, u64 size);

#endif
