// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware of protected guests: the boot loader left it in reserved memory,
 * EL2 takes that from the host when it fixes who owns what, and copies it into the
 * pages of each guest that wants it.
 *
 * R1: the pristine copy is the hypervisor's from before the host gives up its
 *     privileges, for good.
 * R5: what a host puts at the firmware's IPAs, or maps there again, is not what
 *     the guest finds, and its vCPU 0 starts nowhere else.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/guest_fw.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>
#include <nvhe/pkvm.h>

/* Set by the host while it is still trusted; no firmware if the size is 0. */
phys_addr_t pvm_fw_base;
phys_addr_t pvm_fw_size;

/* Where EL2 sees it. */
static void *pvm_fw;

/**
 * pvm_fw_take() - Take the firmware's memory from the host
 *
 * At boot, before the host gives up its privileges, when the owners of memory are
 * fixed. Not bounded, as boot is not (R6).
 *
 * Return: 0, also if there is no firmware; -EINVAL for a region that is not made of
 * whole pages; or the error of a mapping.
 */
int pvm_fw_take(void)
{
	unsigned long va;
	int ret;

	if (!pvm_fw_size)
		return 0;

	if (!PAGE_ALIGNED(pvm_fw_base) || !PAGE_ALIGNED(pvm_fw_size) ||
	    pvm_fw_base + pvm_fw_size < pvm_fw_base)
		return -EINVAL;

	ret = __pkvm_create_private_mapping(pvm_fw_base, pvm_fw_size, PAGE_HYP_RO, &va);
	if (ret)
		return ret;

	/* No memory that could be donated or shared: it has no state but this. */
	ret = kvm_pgtable_stage2_set_owner(&host_mmu.pgt, pvm_fw_base, pvm_fw_size,
					   &host_s2_pool, PKVM_ID_HYP);
	if (ret)
		return ret;

	pvm_fw = (void *)va;

	return 0;
}

/**
 * pvm_fw_init_vm() - Note where a VM wants the firmware
 * @vm: the VM, being made; its VTCR is set.
 * @ipa: the IPA, or PVM_NO_FW for a VM that starts where the host wants.
 *
 * Return: 0; -EINVAL if there is no firmware, or not all of it would lie, page
 * aligned, in the IPA space.
 */
int pvm_fw_init_vm(struct pkvm_hyp_vm *vm, u64 ipa)
{
	u64 limit = BIT(VTCR_EL2_IPA(vm->kvm.arch.mmu.vtcr));

	vm->kvm.arch.pkvm.guest.fw_ipa = PVM_NO_FW;
	if (!vm->kvm.arch.pkvm.enabled || ipa == PVM_NO_FW)
		return 0;

	if (!pvm_fw || !PAGE_ALIGNED(ipa) || pvm_fw_size > limit || ipa > limit - pvm_fw_size)
		return -EINVAL;

	vm->kvm.arch.pkvm.guest.fw_ipa = ipa;

	return 0;
}

/**
 * pvm_fw_fill() - Put the firmware's page into a page of a guest, if it belongs there
 * @vm: the guest.
 * @phys: the page, which neither host nor guest can reach.
 * @ipa: where the guest will have it.
 *
 * Clean to the point of coherency afterwards (R3).
 */
void pvm_fw_fill(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	u64 fw_ipa = vm->kvm.arch.pkvm.guest.fw_ipa;
	void *va;

	if (likely(ipa < fw_ipa || ipa - fw_ipa >= pvm_fw_size))
		return;

	va = hyp_fixmap_map(phys);
	memcpy(va, pvm_fw + (ipa - fw_ipa), PAGE_SIZE);
	kvm_flush_dcache_to_poc(va, PAGE_SIZE);
	hyp_fixmap_unmap();
}
