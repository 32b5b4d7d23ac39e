// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the SVE state of a vCPU. That of a protected vCPU is in pages that the host
 * donates, that of a non-protected one in memory of the host.
 *
 * R4: EL2 reads the vector length that the host requests once, and checks it. It pins
 *     memory of the host for as long as it uses it.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>

#include <nvhe/guest_sve.h>
#include <nvhe/mem_protect.h>
#include <nvhe/pkvm.h>
#include <nvhe/vm_table.h>

/* Take the longest vector length of a vCPU from the host; -EINVAL if that is not valid. */
static int take_sve_max_vl(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	unsigned int vl = READ_ONCE(hyp_vcpu->host_vcpu->arch.sve_max_vl);

	vl = min(vl, kvm_host_sve_max_vl);
	if (!system_supports_sve() || !sve_vl_valid(vl))
		return -EINVAL;

	hyp_vcpu->vcpu.arch.sve_max_vl = vl;

	return 0;
}

/**
 * pkvm_vcpu_init_sve() - Take the memory for the SVE state of a protected vCPU
 * @hyp_vcpu: the vCPU, its host_vcpu pinned.
 * @sve_hva: pages that the host donates for it.
 *
 * Return: 0, also for a vCPU without SVE, and for a non-protected one, see
 * pkvm_vcpu_pin_sve(); -EINVAL if the host has no SVE or the vector length is invalid;
 * -EBUSY if the host cannot donate the memory.
 */
int pkvm_vcpu_init_sve(struct pkvm_hyp_vcpu *hyp_vcpu, unsigned long sve_hva)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	int ret;

	if (!pkvm_hyp_vcpu_is_protected(hyp_vcpu) || !vcpu_get_flag(vcpu, GUEST_HAS_SVE))
		return 0;

	ret = take_sve_max_vl(hyp_vcpu);
	if (ret)
		return ret;

	vcpu->arch.sve_state = map_donated_memory(sve_hva, vcpu_sve_state_size(vcpu));

	return vcpu->arch.sve_state ? 0 : -EBUSY;
}

/**
 * pkvm_vcpu_pin_sve() - Use the SVE state of a non-protected vCPU where the host has it
 * @hyp_vcpu: the vCPU, which has SVE, and no SVE state yet.
 *
 * The state stays with the host, and is pinned until pkvm_vcpu_release_sve().
 *
 * Return: 0; -EINVAL if the host has no SVE, the vector length is invalid or the state
 * is not aligned; or the error of hyp_pin_shared_mem().
 */
int pkvm_vcpu_pin_sve(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	void *sve_state;
	int ret;

	ret = take_sve_max_vl(hyp_vcpu);
	if (ret)
		return ret;

	sve_state = kern_hyp_va(READ_ONCE(hyp_vcpu->host_vcpu->arch.sve_state));
	if (!IS_ALIGNED((unsigned long)sve_state, SVE_VQ_BYTES))
		return -EINVAL;

	ret = hyp_pin_shared_mem(sve_state, sve_state + vcpu_sve_state_size(vcpu));
	if (!ret)
		vcpu->arch.sve_state = sve_state;

	return ret;
}

/**
 * pkvm_vcpu_release_sve() - Undo pkvm_vcpu_init_sve(), or pkvm_vcpu_pin_sve()
 * @hyp_vcpu: the vCPU, which will not run again.
 * @mc: the memcache by which the host gets donated pages back.
 */
void pkvm_vcpu_release_sve(struct pkvm_hyp_vcpu *hyp_vcpu, struct kvm_hyp_memcache *mc)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	void *sve_state = vcpu->arch.sve_state;

	if (!sve_state)
		return;

	if (pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		teardown_donated_memory(mc, sve_state, vcpu_sve_state_size(vcpu));
	else
		hyp_unpin_shared_mem(sve_state, sve_state + vcpu_sve_state_size(vcpu));
}
