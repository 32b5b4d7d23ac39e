// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: totals since boot, in debugfs as kvm/pkvm_stats.
 *
 * When no protected VM is alive, the host has all donated pages back: their number equals
 * that of the relinquished and reclaimed pages. The same holds for metadata pages. The
 * counts of calls and exits of a VM are added to the totals when it dies; those of a live
 * VM are in its own folder. Pages for tables are counted in /proc/meminfo, as the host's
 * own tables are.
 */

#include <linux/debugfs.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/seq_file.h>

#include <asm/kvm_pkvm_guest.h>

#include "pkvm_guest.h"

#define CREATE_TRACE_POINTS
#include "trace_pkvm.h"

struct pkvm_guest_totals pkvm_guest_totals;

/* The sums of struct pkvm_vcpu_stat. */
static atomic64_t vcpu_totals[sizeof(struct pkvm_vcpu_stat) / sizeof(u64)];

/* The total that goes with one of the counters of vCPUs, NULL if there is none. */
static atomic64_t *vcpu_total(const struct kvm_stats_desc *desc)
{
	size_t first = offsetof(struct kvm_vcpu_stat, protected);
	size_t n = (desc->offset - first) / sizeof(u64);

	return desc->offset >= first && n < ARRAY_SIZE(vcpu_totals) ? &vcpu_totals[n] : NULL;
}

/**
 * pkvm_guest_count_vm() - Add a dying VM to the totals
 * @kvm: the VM, protected; no vCPU of it runs any more.
 * @nr_private: how many pages came back from it zeroed.
 * @nr_shared: how many came back that it had shared.
 */
void pkvm_guest_count_vm(struct kvm *kvm, u64 nr_private, u64 nr_shared)
{
	struct kvm_vcpu *vcpu;
	unsigned long i, n;

	kvm_for_each_vcpu(n, vcpu, kvm) {
		const u64 *stat = (const u64 *)&vcpu->stat.protected;

		for (i = 0; i < ARRAY_SIZE(vcpu_totals); i++)
			atomic64_add(stat[i], &vcpu_totals[i]);
	}

	atomic64_add(nr_private, &pkvm_guest_totals.pages_reclaimed_private);
	atomic64_add(nr_shared, &pkvm_guest_totals.pages_reclaimed_shared);
	atomic64_inc(&pkvm_guest_totals.vms_destroyed);
}

/**
 * pkvm_guest_metadata_donated() - Count pages that the hypervisor was given
 * @nr_pages: how many, for VM and vCPU state or for page tables.
 */
void pkvm_guest_metadata_donated(unsigned long nr_pages)
{
	atomic64_add(nr_pages, &pkvm_guest_totals.metadata_pages_donated);
}

/* Marks a page that counts as a table, in its page->private. */
#define COUNTED_TABLE	1

/**
 * pkvm_guest_count_tables() - Count pages of a stage-2 as page tables
 * @addr: the pages, allocated for tables of a VM: for the PGD, or for a memcache.
 * @nr_pages: how many.
 *
 * They are SecPageTables of the host and of the memory cgroup that is charged for them,
 * from now on until pkvm_guest_uncount_table(), as where the host has the tables itself.
 */
void pkvm_guest_count_tables(void *addr, unsigned int nr_pages)
{
	unsigned int i;

	for (i = 0; i < nr_pages; i++, addr += PAGE_SIZE) {
		set_page_private(virt_to_page(addr), COUNTED_TABLE);
		kvm_account_pgtable_pages(addr, 1);
	}
}

/**
 * pkvm_guest_alloc_table() - Allocate a page for a memcache, and count it as a table
 *
 * Return: the page, or NULL.
 */
void *pkvm_guest_alloc_table(void)
{
	void *addr = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);

	if (addr)
		pkvm_guest_count_tables(addr, 1);

	return addr;
}

/**
 * pkvm_guest_uncount_table() - Undo pkvm_guest_count_tables() for one page
 * @addr: a page that is about to be freed. Nothing is done if it was never counted, as the
 *	hypervisor returns tables and pages for other purposes together.
 */
void pkvm_guest_uncount_table(void *addr)
{
	struct page *page = virt_to_page(addr);

	if (page_private(page) != COUNTED_TABLE)
		return;

	set_page_private(page, 0);
	kvm_account_pgtable_pages(addr, -1);
}

#define SHOW_TOTAL(m, name)							\
	seq_printf(m, #name " %lld\n", atomic64_read(&pkvm_guest_totals.name))

static int pkvm_stats_show(struct seq_file *m, void *unused)
{
	const struct kvm_stats_desc *desc = kvm_vcpu_stats_desc;
	const struct kvm_stats_desc *end = desc + kvm_vcpu_stats_header.num_desc;

	SHOW_TOTAL(m, vms_created);
	SHOW_TOTAL(m, vms_destroyed);
	SHOW_TOTAL(m, pages_donated);
	SHOW_TOTAL(m, pages_relinquished);
	SHOW_TOTAL(m, pages_forced);
	SHOW_TOTAL(m, pages_reclaimed_private);
	SHOW_TOTAL(m, pages_reclaimed_shared);
	SHOW_TOTAL(m, np_pages_shared);
	SHOW_TOTAL(m, np_pages_unshared);
	SHOW_TOTAL(m, window_pages_shared);
	SHOW_TOTAL(m, window_pages_unshared);
	SHOW_TOTAL(m, metadata_pages_donated);
	SHOW_TOTAL(m, metadata_pages_returned);

	for (; desc < end; desc++) {
		if (vcpu_total(desc))
			seq_printf(m, "%s %lld\n", desc->name + strlen("protected_"),
				   atomic64_read(vcpu_total(desc)));
	}

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pkvm_stats);

static int __init pkvm_guest_debugfs_init(void)
{
	if (is_protected_kvm_enabled())
		debugfs_create_file("pkvm_stats", 0444, kvm_debugfs_dir, NULL,
				    &pkvm_stats_fops);

	return 0;
}
late_initcall(pkvm_guest_debugfs_init);
