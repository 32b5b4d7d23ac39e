/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lazy MMIO guard. A page of a device is announced to the hypervisor as MMIO
 * at its first access and not before: the windows of a PCI host are of tens of
 * MiB, of which a few pages are ever touched.
 *
 * Invariant: a page of a device is valid in the live map only while it is
 * guarded, where the hypervisor has a guard at all.
 */
#ifndef PVMFW_GUARD_H
#define PVMFW_GUARD_H

#include "hyp.h"
#include "pgtable.h"
#include "status.h"
#include "types.h"

/**
 * struct guard - The guard.
 * @hyp: the hypervisor
 * @pt: the live map; NULL while none has been made
 * @active: the hypervisor has a guard
 * @pages_now: pages of devices that are valid
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
 * guard_init() - Find out whether there is a guard, and guard the UART, which
 *	nobody can fault on before there are page tables.
 * @g: the guard, all zeroes
 * @hyp: as filled in by hyp_discover()
 * @enrolled: what MMIO_GUARD_ENROLL returned
 * @uart: the page of the UART
 *
 * Nothing can be printed before this.
 *
 * Return: FW_OK, FW_EHYP_ENROLL, FW_EHYP_GRANULE or FW_EHYP_GUARD.
 */
enum fw_status guard_init(struct guard *g, struct hyp *hyp, u64 enrolled, u64 uart);

/**
 * guard_adopt() - Make a page valid that is guarded already.
 * @g: the guard
 * @pt: the map that is about to be live, with the page as part of a device
 * @page: the page that guard_init() guarded
 *
 * Return: FW_OK, or the error of pgtable_split().
 */
enum fw_status guard_adopt(struct guard *g, struct pgtable *pt, u64 page);

/**
 * guard_fault() - Guard the page of a faulting access and make it valid.
 * @g: the guard
 * @addr: the faulting address
 *
 * Called by the handler of exceptions. Takes memory from the heap, which is
 * sound as no access to a device interrupts the heap itself.
 *
 * Return: FW_OK: the access can be made again; FW_EFAULT if there is no device,
 * or the page is valid; FW_ENOMEM; FW_EHYP_GUARD.
 */
enum fw_status guard_fault(struct guard *g, u64 addr);

/**
 * guard_release() - Unguard those pages of a device that were accessed.
 * @g: the guard
 * @addr: first address of the device, as it was mapped
 * @size: bytes, as it was mapped
 *
 * The caller unmaps the device before anything else. Goes on after an error.
 *
 * Return: FW_OK, or FW_EHYP_GUARD if the hypervisor refused one.
 */
enum fw_status guard_release(struct guard *g, u64 addr, u64 size);

#endif
