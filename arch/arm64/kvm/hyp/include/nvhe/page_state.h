/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may access a page: the state that each component has of it, and the locks of the
 * components. See mem_protect.c and page_state.c.
 */
#ifndef __ARM64_KVM_NVHE_PAGE_STATE_H__
#define __ARM64_KVM_NVHE_PAGE_STATE_H__

#include <linux/types.h>

#include <nvhe/ghost_state.h>

struct hyp_page;
struct hyp_pool;
struct pkvm_hyp_vm;

/*
 * Two bits. For the hypervisor and the guests they are software bits of their stage-1 and
 * stage-2 entries. The host's are in 'struct hyp_page', so that sharing a page does not split
 * the block that maps it in the host's stage-2.
 */
enum pkvm_page_state {
	/* Owned by the component, which alone has access. */
	PKVM_PAGE_OWNED			= 0,
	/* Owned by the component, and shared with another one. */
	PKVM_PAGE_SHARED_OWNED		= 1,
	/* Shared with the component, which does not own it. */
	PKVM_PAGE_SHARED_BORROWED	= 2,
	/* Neither owned by nor shared with the component. */
	PKVM_NOPAGE			= 3,
};

/* In mem_protect.c. */
extern struct hyp_pool host_s2_pool;
void guest_lock_component(struct pkvm_hyp_vm *vm);
void guest_unlock_component(struct pkvm_hyp_vm *vm);
void host_lock_component(void);
void host_unlock_component(void);
bool addr_is_allowed_memory(phys_addr_t phys);
bool range_is_memory(u64 start, u64 end);

int host_check_allowed_memory(u64 start, u64 size);
int __host_check_page_state_range(u64 addr, u64 size, enum pkvm_page_state state);
int host_check_shared_page_range(u64 addr, u64 size);
int __host_set_page_state_range(u64 addr, u64 size, enum pkvm_page_state state);
void host_share_pages(u64 addr, u64 size);
void host_unshare_pages(u64 addr, u64 size);
int hyp_check_pin_count(u64 start, u64 end);
void hyp_page_reset(struct hyp_page *page);

#endif /* __ARM64_KVM_NVHE_PAGE_STATE_H__ */
