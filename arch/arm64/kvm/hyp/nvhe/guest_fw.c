// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware of protected guests. The boot loader left it in reserved memory. At boot EL2
 * takes that memory from the host, and later copies the firmware into the pages of each
 * guest that starts in it.
 *
 * R1: the hypervisor owns the pristine copy from before the host gives up its privileges,
 *     and never gives it back.
 * R5: whatever the host writes to the firmware's pages, or maps there later, the guest finds
 *     the firmware there, and its vCPU 0 starts in it.
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

/* The address at which EL2 has mapped it. */
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

	/* The vmemmap has no page states for a no-map region: only this says who owns it. */
	ret = kvm_pgtable_stage2_set_owner(&host_mmu.pgt, pvm_fw_base, pvm_fw_size,
					   &host_s2_pool, PKVM_ID_HYP);
	if (ret)
		return ret;

	pvm_fw = (void *)va;

	return 0;
}

/**
 * pvm_fw_init_vm() - Set the IPA of the firmware in a VM
 * @vm: the new VM; its VTCR is set.
 * @ipa: the IPA, or PVM_NO_FW for a VM that starts at the host's pc.
 *
 * Return: 0; -EINVAL if there is no firmware, @ipa is not page aligned, or the firmware
 * would not lie within the IPA space.
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
 * pvm_fw_fill() - Copy a page of the firmware to a guest's page, if it belongs at that IPA
 * @vm: the guest.
 * @phys: the guest's page, which neither host nor guest can access yet.
 * @ipa: its IPA.
 *
 * The page is clean to the point of coherency afterwards (R3), if it was filled.
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
