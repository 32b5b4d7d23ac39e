// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hands the machine's SMMUv3s to the hypervisor while the host is still trusted (R9),
 * and reports the devices whose DMA is not isolated.
 *
 * The host's own driver must not touch an SMMU before the hypervisor drives it: a device
 * link keeps it from probing until the host has given up its privileges. It then finds
 * registers whose accesses the hypervisor carries out. Devices behind an SMMU wait for
 * its driver, as ever.
 */

#include <kunit/visibility.h>
#include <linux/acpi.h>
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/kvm_host.h>
#include <linux/memblock.h>
#include <linux/of_address.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>

#include <asm/kvm_pgtable.h>

#include "pkvm_smmu.h"

#include "arm-smmu-v3.h"

/* BBML, which Linux's driver does not use: 2 if block sizes may change in place. */
#define IDR3_BBML	GENMASK(12, 11)

/* The most names that are kept of bus masters whose DMA no SMMU of the hypervisor translates. */
#define MAX_NAMED	8

static phys_addr_t first_memory;
static struct device_node *smmu_nodes[PKVM_SMMU_MAX];
static unsigned int nr_smmus, nr_isolated, nr_exposed;
static struct device_node *exposed[MAX_NAMED];
static const char *why_not = "no SMMUv3";
static struct platform_device *gate;
static bool required;

static int __init early_dma_isolation(char *arg)
{
	if (!arg || strcmp(arg, "required"))
		return -EINVAL;

	required = true;
	return 0;
}
early_param("kvm-arm.dma_isolation", early_dma_isolation);

static const char *isolation(void)
{
	if (!nr_smmus || !nr_isolated)
		return "none";

	return nr_exposed ? "partly" : "all";
}

/**
 * pkvm_smmu_check_vm() - Check whether a protected VM may be created
 *
 * Return: 0; -EPERM if the host was booted with kvm-arm.dma_isolation=required, but a device
 * could access a guest's memory.
 */
int pkvm_smmu_check_vm(void)
{
	return required && (!nr_smmus || nr_exposed) ? -EPERM : 0;
}

/**
 * pkvm_smmu_memory() - Get the address of the hypervisor's tables of the first SMMU
 *
 * For tests, which check that no device can access them.
 *
 * Return: the physical address; 0 if the hypervisor drives no SMMU.
 */
phys_addr_t pkvm_smmu_memory(void)
{
	return nr_smmus ? first_memory : 0;
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_smmu_memory);

/* Pages for the finest map of memory: see smmu_s2.c, which takes them. */
static u64 __init pkvm_smmu_table_pages(u32 ia_bits)
{
	s8 start = pkvm_smmu_start_level(ia_bits), level;
	struct memblock_region *reg;
	u64 nr = 0;

	/* If the first level cannot have blocks, each of its entries points to a table. */
	if (!kvm_level_supports_block_mapping(start))
		nr += BIT(ia_bits - kvm_granule_shift(start));

	for_each_mem_region(reg) {
		for (level = start; level < KVM_PGTABLE_LAST_LEVEL; level++)
			nr += (reg->size >> kvm_granule_shift(level)) + 2;
	}

	/* The registers of an SMMU split the blocks that they lie in. */
	nr += nr_smmus * 2 * (KVM_PGTABLE_LAST_LEVEL - start);

	return nr;
}

static u32 __init oas_bits(u32 idr5)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 48, 48 };

	return bits[FIELD_GET(IDR5_OAS, idr5)];
}

/* Describe one SMMU. */
static int __init pkvm_smmu_describe(struct device_node *np)
{
	struct pkvm_smmu_setup *setup = &pkvm_hyp_smmu_setup;
	struct pkvm_smmu_desc *desc = &setup->smmu[nr_smmus];
	void __iomem *regs;
	struct resource res;
	u32 idr3, idr5;
	void *mem;

	if (nr_smmus == PKVM_SMMU_MAX)
		return -ENOSPC;
	if (of_address_to_resource(np, 0, &res) ||
	    resource_size(&res) < PKVM_SMMU_MMIO_SIZE)
		return -EINVAL;

	regs = ioremap(res.start, PKVM_SMMU_MMIO_SIZE);
	if (!regs)
		return -ENOMEM;

	desc->base = res.start;
	desc->sid_bits = FIELD_GET(IDR1_SIDSIZE, readl(regs + ARM_SMMU_IDR1));
	idr3 = readl(regs + ARM_SMMU_IDR3);
	idr5 = readl(regs + ARM_SMMU_IDR5);
	iounmap(regs);

	mem = alloc_pages_exact(pkvm_smmu_mem_size(desc->sid_bits), GFP_KERNEL | __GFP_ZERO);
	if (!mem)
		return -ENOMEM;

	desc->mem = virt_to_phys(mem);
	if (!nr_smmus)
		first_memory = desc->mem;
	setup->ia_bits = min(setup->ia_bits, oas_bits(idr5));
	setup->blocks &= FIELD_GET(IDR3_BBML, idr3) == 2;
	smmu_nodes[nr_smmus++] = of_node_get(np);

	return 0;
}

static int __init pkvm_smmu_give(void)
{
	struct pkvm_smmu_setup *setup = &pkvm_hyp_smmu_setup;
	void *pgd;
	int ret;

	pgd = alloc_pages_exact(pkvm_smmu_pgd_size(setup->ia_bits), GFP_KERNEL | __GFP_ZERO);
	if (!pgd)
		return -ENOMEM;

	setup->nr = nr_smmus;
	setup->pgd = virt_to_phys(pgd);
	setup->nr_pages = pkvm_smmu_table_pages(setup->ia_bits) + nr_smmus * PKVM_SMMU_L2_PAGES;
	ret = topup_hyp_memcache(&setup->mc, setup->nr_pages);
	if (ret)
		return ret;

	/* After an error, too, the hypervisor keeps the memory that it was given. */
	return kvm_call_hyp_nvhe(__pkvm_smmu_init);
}

/* Create a device for which the host's driver of each SMMU waits, by a device link. */
static int __init pkvm_smmu_close_gate(void)
{
	unsigned int i;

	gate = platform_device_register_simple("pkvm-smmu", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(gate))
		return PTR_ERR(gate);

	for (i = 0; i < nr_smmus; i++) {
		struct platform_device *pdev = of_find_device_by_node(smmu_nodes[i]);
		struct device_link *link;

		if (!pdev)
			continue;

		link = device_link_add(&pdev->dev, &gate->dev, DL_FLAG_AUTOPROBE_CONSUMER);
		put_device(&pdev->dev);
		if (!link)
			return -EINVAL;
	}

	return 0;
}

/* After kvm_arm_init(), before any driver of a device. */
static int __init pkvm_smmu_init(void)
{
	struct pkvm_smmu_setup *setup = &pkvm_hyp_smmu_setup;
	struct device_node *np;
	int ret;

	if (!is_protected_kvm_enabled() || !is_kvm_arm_initialised())
		return 0;

	if (!acpi_disabled) {
		why_not = "SMMUs are found in device trees only";
		return 0;
	}

	setup->ia_bits = 48;
	setup->blocks = true;
	for_each_compatible_node(np, NULL, "arm,smmu-v3") {
		if (!of_device_is_available(np))
			continue;

		ret = pkvm_smmu_describe(np);
		if (ret) {
			of_node_put(np);
			goto fail;
		}
	}
	if (!nr_smmus)
		return 0;

	ret = pkvm_smmu_close_gate();
	if (!ret)
		ret = pkvm_smmu_give();
	if (!ret)
		return 0;
fail:
	kvm_err("the SMMUs stay the host's: %d\n", ret);
	why_not = "the hypervisor could not take the SMMUs";
	nr_smmus = 0;

	return 0;
}
device_initcall(pkvm_smmu_init);

static int pkvm_smmu_open_gate(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver pkvm_smmu_driver = {
	.driver	= { .name = "pkvm-smmu" },
	.probe	= pkvm_smmu_open_gate,
};

static bool __init is_taken(struct device_node *np)
{
	unsigned int i;

	for (i = 0; i < nr_smmus; i++) {
		if (smmu_nodes[i] == np)
			return true;
	}

	return false;
}

/* A bridge of PCI is isolated if all requester IDs go to SMMUs of the hypervisor. */
static bool __init bridge_is_isolated(struct device_node *np)
{
	int nr = of_property_count_u32_elems(np, "iommu-map"), i;
	u32 covered = 0;

	for (i = 0; i + 3 < nr; i += 4) {
		struct device_node *smmu;
		u32 phandle, len;

		of_property_read_u32_index(np, "iommu-map", i + 1, &phandle);
		of_property_read_u32_index(np, "iommu-map", i + 3, &len);
		smmu = of_find_node_by_phandle(phandle);
		if (is_taken(smmu))
			covered += len;
		of_node_put(smmu);
	}

	return covered >= SZ_64K;
}

static bool __init device_is_isolated(struct device_node *np)
{
	struct device_node *smmu = of_parse_phandle(np, "iommus", 0);
	bool taken = smmu && is_taken(smmu);

	of_node_put(smmu);
	return taken;
}

/*
 * A device tree does not say which devices are bus masters. Take a device for one if it is
 * a PCI host bridge or virtio over MMIO, has an IOMMU, or has coherent DMA.
 */
static void __init pkvm_smmu_judge(struct device_node *np)
{
	bool bridge = of_node_is_type(np, "pci");

	if (of_node_is_root(np) || is_taken(np) || !of_device_is_available(np))
		return;
	if (!bridge && !of_property_present(np, "iommus") &&
	    !of_property_present(np, "dma-coherent") &&
	    !of_device_is_compatible(np, "virtio,mmio"))
		return;

	if (bridge ? bridge_is_isolated(np) : device_is_isolated(np)) {
		nr_isolated++;
		return;
	}
	if (nr_exposed < MAX_NAMED)
		exposed[nr_exposed] = of_node_get(np);
	nr_exposed++;
}

static int dma_isolation_show(struct seq_file *m, void *v)
{
	unsigned int i;

	seq_printf(m, "isolated: %s\n", isolation());
	if (!nr_smmus)
		seq_printf(m, "because: %s\n", why_not);
	for (i = 0; i < nr_smmus; i++)
		seq_printf(m, "smmu: %pOF\n", smmu_nodes[i]);
	for (i = 0; i < min(nr_exposed, MAX_NAMED); i++)
		seq_printf(m, "not isolated: %pOF\n", exposed[i]);
	if (nr_exposed > MAX_NAMED)
		seq_printf(m, "not isolated: %u more\n", nr_exposed - MAX_NAMED);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dma_isolation);

/* Runs after finalize_pkvm(), which is linked before it. */
static int __init pkvm_smmu_finish(void)
{
	struct device_node *np;

	if (!is_protected_kvm_enabled() || !is_kvm_arm_initialised())
		return 0;

	for_each_of_allnodes(np)
		pkvm_smmu_judge(np);

	debugfs_create_file("dma_isolation", 0444, kvm_debugfs_dir, NULL, &dma_isolation_fops);
	if (!nr_smmus)
		kvm_info("DMA is not isolated: %s\n", why_not);
	else if (nr_exposed)
		kvm_info("DMA is not isolated for %u devices, %pOF among them\n", nr_exposed,
			 exposed[0]);
	else
		kvm_info("DMA is isolated\n");

	return gate ? platform_driver_register(&pkvm_smmu_driver) : 0;
}
device_initcall_sync(pkvm_smmu_finish);
