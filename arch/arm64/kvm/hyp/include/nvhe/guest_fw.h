/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware of protected guests, see guest_fw.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_FW_H__
#define __ARM64_KVM_NVHE_GUEST_FW_H__

#include <linux/types.h>

struct pkvm_hyp_vm;

extern phys_addr_t pvm_fw_base;
extern phys_addr_t pvm_fw_size;

int pvm_fw_take(void);
int pvm_fw_init_vm(struct pkvm_hyp_vm *vm, u64 ipa);
void pvm_fw_fill(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa);

#endif /* __ARM64_KVM_NVHE_GUEST_FW_H__ */
