/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The GICv3 CPU interface of vCPUs, see guest_vgic.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_VGIC_H__
#define __ARM64_KVM_NVHE_GUEST_VGIC_H__

struct pkvm_hyp_vcpu;

void pkvm_vgic_load(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_vgic_put(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_vgic_flush_lrs(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_vgic_sync_lrs(struct pkvm_hyp_vcpu *hyp_vcpu);

#endif /* __ARM64_KVM_NVHE_GUEST_VGIC_H__ */
