/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMs that the hypervisor knows, and which vCPU of theirs is loaded where: see
 * pkvm.c, vm_table.c and guest_teardown.c.
 */
#ifndef __ARM64_KVM_NVHE_VM_TABLE_H__
#define __ARM64_KVM_NVHE_VM_TABLE_H__

#include <linux/types.h>

#include <asm/kvm_host.h>

#include <nvhe/spinlock.h>

struct pkvm_hyp_vcpu;
struct pkvm_hyp_vm;

/* In pkvm.c. */
extern hyp_spinlock_t vm_table_lock;
struct pkvm_hyp_vm *get_vm_by_handle(pkvm_handle_t handle);
void *map_donated_memory(unsigned long host_va, size_t size);
void teardown_donated_memory(struct kvm_hyp_memcache *mc, void *addr, size_t size);

u64 pkvm_check_new_vm(struct kvm *host_kvm, unsigned long pgd_hva, unsigned int nr_vcpus);
int pkvm_init_new_vm(struct pkvm_hyp_vm *vm, struct kvm *host_kvm, u64 vtcr);
int pkvm_init_new_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu, unsigned long sve_hva);

struct pkvm_hyp_vm *pkvm_get_hyp_vm(pkvm_handle_t handle);
void pkvm_put_hyp_vm(struct pkvm_hyp_vm *hyp_vm);

struct pkvm_hyp_vcpu *pkvm_get_loaded_hyp_vcpu(void);
int pkvm_vcpu_load(pkvm_handle_t handle, unsigned int vcpu_idx);
void pkvm_vcpu_put(void);
void pkvm_forget_loaded(pkvm_handle_t handle);

int __pkvm_start_teardown_vm(pkvm_handle_t handle);
int __pkvm_finalize_teardown_vm(pkvm_handle_t handle);
bool pkvm_vm_is_gone(struct pkvm_hyp_vm *vm);

#endif /* __ARM64_KVM_NVHE_VM_TABLE_H__ */
