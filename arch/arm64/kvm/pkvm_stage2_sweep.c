// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads all of the host's memory once, for debugging: afterwards the mappings in the host's
 * stage-2 do not depend on which memory the host happened to use, so that two snapshots of
 * it can be compared. Built only for debugging.
 *
 * A read of kvm/host_stage2_sweep in debugfs does this, and shows the numbers of pages.
 */

#include <kunit/visibility.h>
#include <linux/debugfs.h>
#include <linux/kvm_host.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include <asm/kvm_pkvm_dump.h>

/**
 * pkvm_s2_sweep() - Read a byte of every page of memory that the host maps
 * @pages: set to the number of pages; may be NULL.
 *
 * May sleep. A read of a page that the hypervisor or a guest owns aborts, and is skipped.
 *
 * Return: the number of pages that could be read.
 */
unsigned long pkvm_s2_sweep(unsigned long *pages)
{
	unsigned long pfn, nr = 0, readable = 0;
	u8 value;

	for (pfn = 0; pfn < max_pfn; pfn++) {
		/* Also before the first page of memory, which may have a high address. */
		if (pfn % SZ_4K == 0)
			cond_resched();
		if (!pfn_valid(pfn) || !pfn_is_map_memory(pfn))
			continue;

		nr++;
		readable += !copy_from_kernel_nofault(&value, __va(PFN_PHYS(pfn)), sizeof(value));
	}

	if (pages)
		*pages = nr;

	return readable;
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_s2_sweep);

static int sweep_show(struct seq_file *m, void *unused)
{
	unsigned long pages;
	unsigned long readable = pkvm_s2_sweep(&pages);

	seq_printf(m, "pages: %lu\nreadable: %lu\n", pages, readable);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sweep);

static int __init sweep_debugfs_init(void)
{
	if (is_protected_kvm_enabled())
		debugfs_create_file("host_stage2_sweep", 0400, kvm_debugfs_dir, NULL,
				    &sweep_fops);

	return 0;
}
late_initcall(sweep_debugfs_init);
