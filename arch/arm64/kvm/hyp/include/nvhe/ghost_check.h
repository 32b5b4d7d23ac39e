/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares EL2's state with the model of ghost.c, in debug builds: see ghost_check.c.
 */
#ifndef __ARM64_KVM_NVHE_GHOST_CHECK_H__
#define __ARM64_KVM_NVHE_GHOST_CHECK_H__

#include <nvhe/ghost_state.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/pkvm.h>

#ifdef CONFIG_NVHE_EL2_DEBUG

/**
 * enum ghost_share - With whom the owner of a page shares it.
 * @GHOST_ALONE:	With nobody, or with the guests that ghost_page.count counts.
 * @GHOST_HYP:		The host with the hypervisor.
 * @GHOST_FFA:		The host with the secure world.
 * @GHOST_HOST:		A guest, or the hypervisor, with the host.
 */
enum ghost_share {
	GHOST_ALONE,
	GHOST_HYP,
	GHOST_FFA,
	GHOST_HOST,
};

/**
 * ghost_of() - Get the model of a page
 * @phys: the page, which is memory.
 *
 * Return: the model, protected by the host's lock.
 */
static inline struct ghost_page *ghost_of(u64 phys)
{
	return &hyp_phys_to_page(phys)->ghost;
}

/**
 * ghost_host_may_access() - Check whether the host may access a page
 * @ghost: the model of the page.
 *
 * Return: true if the host owns the page, or its owner shares it with the host.
 */
static inline bool ghost_host_may_access(const struct ghost_page *ghost)
{
	return ghost->owner == PKVM_ID_HOST || ghost->shared == GHOST_HOST;
}

void ghost_call(const char *name, s64 ret);
void ghost_ready(void);
bool ghost_knows(u64 phys, u64 nr_pages);
void ghost_expect(u64 phys, const char *what, u64 found, u64 wanted);
void ghost_expect_vm(struct pkvm_hyp_vm *vm, u64 ipa, const char *what, u64 found, u64 wanted);
void ghost_note_host(u64 phys);
void ghost_check_host(u64 phys);
void ghost_check_hyp(u64 phys);
void ghost_changed(struct pkvm_hyp_vm *vm, u64 ipa);
void ghost_host_unlock(void);
void ghost_guest_unlock(struct pkvm_hyp_vm *vm);
void ghost_host_fault(u64 start, u64 end);

#else

static inline void ghost_host_unlock(void) { }
static inline void ghost_guest_unlock(struct pkvm_hyp_vm *vm) { }
static inline void ghost_host_fault(u64 start, u64 end) { }

#endif
#endif /* __ARM64_KVM_NVHE_GHOST_CHECK_H__ */
