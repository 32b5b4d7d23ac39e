/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether devices can reach the memory of a protected VM. See pkvm_smmu.c.
 */
#ifndef __ARM64_KVM_PKVM_SMMU_PRIV_H__
#define __ARM64_KVM_PKVM_SMMU_PRIV_H__

#include <asm/kvm_pkvm_smmu.h>

/* The hypervisor's struct, which the host fills in. */
#define pkvm_hyp_smmu_setup	kvm_nvhe_sym(pkvm_smmu_setup)
extern struct pkvm_smmu_setup pkvm_hyp_smmu_setup;

#ifdef CONFIG_PKVM_SMMU_V3
int pkvm_smmu_check_vm(void);
#else
static inline int pkvm_smmu_check_vm(void)
{
	return 0;
}
#endif

#endif /* __ARM64_KVM_PKVM_SMMU_PRIV_H__ */
