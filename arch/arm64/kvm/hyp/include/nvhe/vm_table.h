/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of VMs, and memory that the host gives for their state. See pkvm.c and
 * vm_table.c.
 */
#ifndef __ARM64_KVM_NVHE_VM_TABLE_H__
#define __ARM64_KVM_NVHE_VM_TABLE_H__

#include <linux/kvm_host.h>

#include <nvhe/spinlock.h>

struct pkvm_hyp_vm;

/* In pkvm.c. */
extern hyp_spinlock_t vm_table_lock;
struct pkvm_hyp_vm *get_vm_by_handle(pkvm_handle_t handle);
void *map_donated_memory(unsigned long host_va, size_t size);
void teardown_donated_memory(struct kvm_hyp_memcache *mc, void *addr, size_t size);

struct pkvm_hyp_vm *pkvm_get_hyp_vm(pkvm_handle_t handle);
void pkvm_put_hyp_vm(struct pkvm_hyp_vm *hyp_vm);

#endif /* __ARM64_KVM_NVHE_VM_TABLE_H__ */
