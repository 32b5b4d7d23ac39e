/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU features of a VM on a protected host, and the traps and enables that follow from them
 * (R8): the functions of arch/arm64/kvm/hyp/nvhe/guest_features.c. They read no register and no
 * global, so that KUnit can run them at EL1, with ID registers of any imaginable CPU.
 */
#ifndef __ARM64_KVM_PKVM_FEATURES_H__
#define __ARM64_KVM_PKVM_FEATURES_H__

#include <linux/kvm_host.h>

#include <asm/hyp_image.h>

/* The machine's ID registers, at EL2: see guest_cpu.c. */
#define pkvm_hyp_id_regs	kvm_nvhe_sym(pkvm_cpu_id_regs)
#define pkvm_hyp_ctr_el0	kvm_nvhe_sym(pkvm_cpu_ctr_el0)

extern u64 pkvm_hyp_id_regs[KVM_ARM_ID_REG_NUM];
extern u64 pkvm_hyp_ctr_el0;

/* How a field of an ID register is offered to one kind of VM. */
enum pkvm_offer {
	/* Hidden. Its instructions and registers are UNDEFINED: EL2 traps or never enables them. */
	PKVM_HIDDEN,
	/* Hidden, but not trapped. If a guest uses it nevertheless, it affects nobody else. */
	PKVM_HIDDEN_OPEN,
	/* Offered. It has no state beyond the registers that every vCPU has. */
	PKVM_STATELESS,
	/* Offered. EL2 switches its state, or the host emulates it for a non-protected VM. */
	PKVM_STATE,
};

/* A VM has some features only if it requested them when it was created. */
enum pkvm_option {
	PKVM_ALWAYS,
	PKVM_WITH_SVE,
	PKVM_WITH_PTRAUTH,
	PKVM_WITH_MTE,
	PKVM_WITH_GICV3,
};

/**
 * struct pkvm_id_field - A field of an ID register, and how it is offered to VMs
 * @reg: IDREG_IDX() of the register.
 * @shift: the field's lowest bit.
 * @width: how many bits the field has, 1, 4 or 8.
 * @is_signed: whether 0b1111 is less than 0b0000.
 * @pvm: how the field is offered to protected VMs.
 * @pvm_max: the greatest value that a protected VM is shown.
 * @np: how the field is offered to non-protected VMs.
 * @np_max: the greatest value that EL2 lets the host show a non-protected VM.
 * @option: the option that the VM must have requested.
 * @hidden: the value that means that there is no such feature.
 */
struct pkvm_id_field {
	u8 reg;
	u8 shift;
	u8 width;
	bool is_signed;
	enum pkvm_offer pvm;
	u8 pvm_max;
	enum pkvm_offer np;
	u8 np_max;
	enum pkvm_option option;
	u8 hidden;
};

/**
 * struct pkvm_feature_traps - The traps and enables that follow from a VM's ID registers
 * @hcr: bits of HCR_EL2: API, APK, ATA, TID5, TTLBOS.
 * @hcrx: HCRX_EL2.
 * @fgu: for each group of fine-grained trap registers the bits, of either polarity, whose
 *	instructions and registers are UNDEFINED; as kvm_arch::fgu.
 */
struct pkvm_feature_traps {
	u64 hcr;
	u64 hcrx;
	u64 fgu[__NR_FGT_GROUP_IDS__];
};

const struct pkvm_id_field *pkvm_id_fields(unsigned int *nr);
void pkvm_show_id_regs(u64 *shown, bool is_protected, unsigned long options, const u64 *cpu,
		       const u64 *want);
void pkvm_find_traps(const u64 *shown, struct pkvm_feature_traps *traps);

#endif /* __ARM64_KVM_PKVM_FEATURES_H__ */
