// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: totals since boot, in debugfs as kvm/pkvm_stats.
 *
 * What went out has to come home: when no protected VM is alive, the pages that
 * were donated equal those that were reclaimed, and metadata likewise.
 */

#include <linux/debugfs.h>
#include <linux/kvm_host.h>
#include <linux/seq_file.h>

#include "pkvm_guest.h"

struct pkvm_guest_totals pkvm_guest_totals;

#define SHOW_TOTAL(m, name)							\
	seq_printf(m, #name " %lld\n", atomic64_read(&pkvm_guest_totals.name))

static int pkvm_stats_show(struct seq_file *m, void *unused)
{
	SHOW_TOTAL(m, vms_created);
	SHOW_TOTAL(m, vms_destroyed);
	SHOW_TOTAL(m, hypercalls);
	SHOW_TOTAL(m, pages_donated);
	SHOW_TOTAL(m, pages_shared);
	SHOW_TOTAL(m, pages_unshared);
	SHOW_TOTAL(m, pages_reclaimed_private);
	SHOW_TOTAL(m, pages_reclaimed_shared);
	SHOW_TOTAL(m, pages_lent);
	SHOW_TOTAL(m, pages_taken_back);
	SHOW_TOTAL(m, metadata_pages_donated);
	SHOW_TOTAL(m, metadata_pages_returned);

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
