// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests of a pKVM that has calls on ranges, an MMIO guard to enroll in, or granules
 * that are larger than the guest's pages. For any other, arm-pkvm-guest.c has all that
 * is needed.
 *
 * A call on a range does as many granules as the hypervisor does in one go, and says
 * how many: a DMA pool of 16 MiB is shared by a few calls instead of 4096.
 */

#include <linux/arm-smccc.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pgtable.h>
#include <linux/pkvm.h>

#include <asm/fixmap.h>
#include <asm/hypervisor.h>

#include "pkvm-guest.h"

static size_t range_granule;
static bool memory_ranges;
static bool guarding;
static bool guard_ranges;

/*
 * Make a call for each granule of a range or, if @ranges is set, as few calls as the
 * hypervisor allows.
 */
static int do_range(u32 func_id, phys_addr_t phys, size_t size, bool ranges)
{
	u64 left = size / range_granule;

	while (left) {
		struct arm_smccc_res res;
		u64 done = 1;

		arm_smccc_1_1_invoke(func_id, phys, ranges ? left : 0, 0, &res);
		if (res.a0 != SMCCC_RET_SUCCESS)
			return -EPERM;

		if (ranges)
			done = res.a1;

		if (!done || done > left)
			return -EIO;

		phys += done * range_granule;
		left -= done;
	}

	return 0;
}

static int set_range(u32 func_id, unsigned long start, int numpages)
{
	/* A range of the linear map is contiguous in physical memory, too. */
	phys_addr_t phys = virt_to_phys((void *)start);
	size_t size = numpages * PAGE_SIZE;

	/* Part of a granule cannot be shared without the rest of it. */
	if (!IS_ALIGNED(phys | size, range_granule))
		return -EINVAL;

	return do_range(func_id, phys, size, memory_ranges);
}

static int encrypt_range(unsigned long addr, int numpages)
{
	return set_range(ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID, addr, numpages);
}

static int decrypt_range(unsigned long addr, int numpages)
{
	return set_range(ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID, addr, numpages);
}

static const struct arm64_mem_crypt_ops range_crypt_ops = {
	.encrypt	= encrypt_range,
	.decrypt	= decrypt_range,
};

/* Guard a range, extended to whole granules: a device and memory never share a granule. */
static int guard_range(phys_addr_t phys, size_t size)
{
	size_t unit = max_t(size_t, PAGE_SIZE, range_granule);
	phys_addr_t end = ALIGN(phys + size, unit);
	u32 func_id = ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID;

	if (guard_ranges)
		func_id = ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID;

	phys = ALIGN_DOWN(phys, unit);
	return do_range(func_id, phys, end - phys, guard_ranges);
}

static int guard_ioremap_hook(phys_addr_t phys, size_t size, pgprot_t *prot)
{
	pteval_t protval = pgprot_val(*prot);

	/* Do not guard what is mapped as memory, for example a reserved region. */
	if (protval == PROT_DEVICE_nGnRE || protval == PROT_DEVICE_nGnRnE)
		WARN_ON_ONCE(guard_range(phys, size));

	return 0;
}

#ifdef CONFIG_PCI
/*
 * Guard the BARs of a PCI function when it is enabled: user space may map them through sysfs or
 * VFIO, without ioremap(). From now on the function decodes these addresses, so that they are
 * not memory of the guest. Replaces the weak function of drivers/pci.
 */
int pcibios_enable_device(struct pci_dev *dev, int bars)
{
	struct resource *res;
	int i, ret;

	pci_dev_for_each_resource(dev, res, i) {
		if (!guarding || !(bars & BIT(i)) || resource_type(res) != IORESOURCE_MEM ||
		    !res->parent || !resource_size(res))
			continue;

		ret = guard_range(res->start, resource_size(res));
		if (ret)
			return ret;
	}

	return pci_enable_resources(dev, bars);
}
#endif

/* Guard the early console, which was mapped before the hook was registered. */
static int __init guard_earlycon(void)
{
#ifdef CONFIG_FIX_EARLYCON_MEM
	pte_t *ptep = virt_to_kpte(fix_to_virt(FIX_EARLYCON_MEM_BASE));
	pte_t pte = ptep ? ptep_get(ptep) : __pte(0);

	if (pte_valid(pte))
		return guard_range(__pte_to_phys(pte), PAGE_SIZE);
#endif
	return 0;
}

/*
 * Guard what is mapped from now on and, if the hypervisor has the call, enroll: then it shows
 * the host no access to anything that is not guarded.
 */
static void __init guard_init(void)
{
	struct arm_smccc_res res;

	if (!kvm_arm_hyp_service_available(ARM_SMCCC_KVM_FUNC_MMIO_GUARD))
		return;

	if (kvm_arm_hyp_service_available(ARM_SMCCC_KVM_FUNC_MMIO_GUARD_INFO)) {
		arm_smccc_1_1_invoke(ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_INFO_FUNC_ID,
				     0, 0, 0, &res);
		guard_ranges = res.a0 == range_granule && res.a1 & PKVM_INFO_RANGES &&
			kvm_arm_hyp_service_available(ARM_SMCCC_KVM_FUNC_MMIO_RGUARD_MAP);
	}

	arm64_ioremap_prot_hook_register(&guard_ioremap_hook);
	guarding = true;

	if (!kvm_arm_hyp_service_available(ARM_SMCCC_KVM_FUNC_MMIO_GUARD_ENROLL))
		return;

	if (WARN_ON(guard_earlycon()))
		return;

	arm_smccc_1_1_invoke(ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID, &res);
	WARN_ON(res.a0 != SMCCC_RET_SUCCESS);
}

/**
 * pkvm_guest_init_ranges() - Take the place of calls for single pages
 * @granule: R0 of HYP_MEMINFO: bytes of a granule, or an error.
 * @info: R1 of it.
 *
 * Called once, while the kernel boots on one CPU.
 *
 * Return: whether memory is shared and devices are guarded by what is in this file
 * from now on; if not, nothing has been set up.
 */
bool __init pkvm_guest_init_ranges(u64 granule, u64 info)
{
	/* This includes error codes. */
	if (!is_power_of_2(granule))
		return false;

	memory_ranges = info & PKVM_INFO_RANGES;
	if (!memory_ranges && granule <= PAGE_SIZE &&
	    !kvm_arm_hyp_service_available(ARM_SMCCC_KVM_FUNC_MMIO_GUARD_ENROLL))
		return false;

	range_granule = granule;
	arm64_mem_crypt_ops_register(&range_crypt_ops);
	guard_init();

	return true;
}
