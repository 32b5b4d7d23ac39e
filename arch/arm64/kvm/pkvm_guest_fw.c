// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware of protected guests, host side: where the boot loader left it, and
 * which VMs want it.
 *
 *	reserved-memory {
 *		pkvm_guest_firmware {
 *			compatible = "linux,pkvm-guest-firmware-memory";
 *			reg = <...>;
 *			no-map;
 *		};
 *	};
 *
 * The host refuses a region that the hypervisor could not own exclusively. Protected VMs
 * then run as on a machine without firmware.
 */

#include <linux/kvm_host.h>
#include <linux/libfdt.h>
#include <linux/of_fdt.h>
#include <linux/of_reserved_mem.h>

#include <asm/kvm_pkvm_guest.h>
#include <asm/virt.h>

#include "pkvm_guest.h"

static phys_addr_t fw_base, fw_size;

/* Whether another reserved region overlaps, whose owner could write to the firmware. */
static bool __init overlaps_another(const struct reserved_mem *rmem)
{
	const void *fdt = initial_boot_params;
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	int cells = dt_root_addr_cells + dt_root_size_cells;
	int node, len;

	fdt_for_each_subnode(node, fdt, parent) {
		const __be32 *reg = of_get_flat_dt_prop(node, "reg", &len);

		if (!reg || node == rmem->fdt_node)
			continue;

		for (; len >= cells * (int)sizeof(*reg); len -= cells * sizeof(*reg)) {
			u64 base = dt_mem_next_cell(dt_root_addr_cells, &reg);
			u64 size = dt_mem_next_cell(dt_root_size_cells, &reg);

			if (base < rmem->base + rmem->size && rmem->base < base + size)
				return true;
		}
	}

	return false;
}

static int __init pkvm_guest_fw_setup(struct reserved_mem *rmem)
{
	const char *why = NULL;

	if (fw_size)
		why = "there is one already";
	else if (!of_get_flat_dt_prop(rmem->fdt_node, "no-map", NULL))
		why = "it lacks no-map";
	else if (!rmem->size || !PAGE_ALIGNED(rmem->base) || !PAGE_ALIGNED(rmem->size))
		why = "it is not made of whole pages";
	else if (overlaps_another(rmem))
		why = "it overlaps another region";

	if (why) {
		pr_err("pKVM: guest firmware at %pa, size %pa, is not used: %s\n",
		       &rmem->base, &rmem->size, why);
		/* After an error the kernel would free the region, which is not mapped. */
		return 0;
	}

	fw_base = rmem->base;
	fw_size = rmem->size;

	return 0;
}

RESERVEDMEM_OF_DECLARE(pkvm_guest_fw, "linux,pkvm-guest-firmware-memory", pkvm_guest_fw_setup);

/**
 * pkvm_guest_fw_init() - Tell the hypervisor where the firmware is
 *
 * Once, in protected mode, before the hypervisor takes over.
 */
void __init pkvm_guest_fw_init(void)
{
	pkvm_hyp_fw_base = fw_base;
	pkvm_hyp_fw_size = fw_size;
}

/**
 * pkvm_guest_fw_size() - Get the size of the firmware
 *
 * Return: its size in bytes, 0 if the host has none.
 */
u64 pkvm_guest_fw_size(void)
{
	return fw_size;
}

/**
 * pkvm_guest_set_fw_ipa() - Make a VM start in the firmware
 * @kvm: a protected VM.
 * @ipa: the IPA at which EL2 loads the firmware, page aligned.
 *
 * Return: 0; -EINVAL if there is no firmware, or @ipa is not aligned, or not all of
 * the firmware would lie in the IPA space; -EBUSY if a vCPU has run.
 */
int pkvm_guest_set_fw_ipa(struct kvm *kvm, u64 ipa)
{
	u64 limit = BIT(VTCR_EL2_IPA(kvm->arch.mmu.vtcr));

	if (!fw_size || !PAGE_ALIGNED(ipa) || fw_size > limit || ipa > limit - fw_size)
		return -EINVAL;

	guard(mutex)(&kvm->arch.config_lock);

	if (kvm->arch.pkvm.handle)
		return -EBUSY;

	kvm->arch.pkvm.guest.fw_ipa = ipa;

	return 0;
}
