/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model of each page and of each VM, in debug builds: see ghost.c.
 */
#ifndef __ARM64_KVM_NVHE_GHOST_STATE_H__
#define __ARM64_KVM_NVHE_GHOST_STATE_H__

#include <linux/types.h>

#ifdef CONFIG_NVHE_EL2_DEBUG

/**
 * struct ghost_page - The model of a page.
 * @owner:	enum pkvm_component_id.
 * @shared:	enum ghost_share.
 * @vm:		Of a guest's page, the handle of the guest.
 * @count:	Of the host's page, in how many places of guests it is.
 * @gfn:	Of a guest's page, where the guest has it.
 * @pins:	Of a page that the hypervisor reads, how often it is pinned.
 * @held:	Of a page that a guest shares, whether the host holds it.
 */
struct ghost_page {
	u8 owner;
	u8 shared;
	u16 vm;
	u32 count;
	u64 gfn : 40;
	u64 pins : 16;
	u64 held : 1;
};

#define GHOST_MAX_RANGES	32

/**
 * struct ghost_set - A set of IPAs.
 * @range:	Its ranges, in order, none next to another.
 * @nr:		How many there are.
 * @forgotten:	The set once needed more ranges than there are, and is not used any more.
 */
struct ghost_set {
	struct {
		u64 start;
		u64 end;
	} range[GHOST_MAX_RANGES];
	unsigned int nr;
	bool forgotten;
};

/**
 * struct ghost_vm - The model of a VM. Protected by the VM's lock.
 * @nr_private:	Granules that a protected guest has for itself.
 * @nr_shared:	Granules that it shares with the host.
 * @nr_borrowed: Granules that the host shares with it: all of an np-VM's, or windows.
 * @guarded:	IPAs that are guarded as MMIO,
 * @windows:	and those of them where the host shares pages of its own.
 * @poisoned:	IPAs whose page the host took by force.
 * @changed:	Whether entries changed since the lock was taken.
 * @first:	The lowest IPA of these.
 * @last:	The highest.
 */
struct ghost_vm {
	u64 nr_private;
	u64 nr_shared;
	u64 nr_borrowed;
	struct ghost_set guarded;
	struct ghost_set windows;
	struct ghost_set poisoned;
	bool changed;
	u64 first;
	u64 last;
};

#else

struct ghost_page { };
struct ghost_vm { };

#endif
#endif /* __ARM64_KVM_NVHE_GHOST_STATE_H__ */
