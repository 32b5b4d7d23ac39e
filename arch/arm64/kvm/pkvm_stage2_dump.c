// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 tables that the hypervisor owns, for debugging: snapshots of them, files in
 * debugfs that show these (the host's, and one per VM), and the parameter that leaves
 * the host's tables split. Built only for debugging.
 *
 * A file shows the snapshot that was taken when it was opened. If the VM dies meanwhile,
 * further reads fail with EIO.
 */

#include <kunit/visibility.h>
#include <linux/debugfs.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_dump.h>

/* The number of tries for a snapshot, each of which fails if the table changes meanwhile. */
#define SNAPSHOT_TRIES	100

/* Names of enum pkvm_component_id and of enum pkvm_page_state, in the order of their numbers. */
static const char * const host_owners[] = { "host", "hyp", "ffa", "guest" };
static const char * const states[] = { "owned", "shared", "borrowed", "none" };

static int __init early_host_s2_coalesce(char *arg)
{
	bool coalesce;

	if (!arg || kstrtobool(arg, &coalesce))
		return -EINVAL;

	pkvm_s2_keep_tables = !coalesce;

	return 0;
}
early_param("kvm-arm.host_s2_coalesce", early_host_s2_coalesce);

static int snapshot_add(struct pkvm_s2_snapshot *s, const struct pkvm_s2_run *run)
{
	struct pkvm_s2_run *last = s->nr_runs ? &s->run[s->nr_runs - 1] : NULL;

	if (kvm_pte_valid(run->pte))
		s->leaves[PKVM_S2_LEVEL(run->level)] += run->nr;
	else if (run->pte)
		s->annotated += run->nr;

	/* The first run of a page may continue the last run of the page before. */
	if (last && last->addr + last->size == run->addr && last->pte == run->pte &&
	    last->level == run->level && last->state == run->state &&
	    last->memory == run->memory) {
		last->size += run->size;
		last->nr += run->nr;
		return 0;
	}

	if (s->nr_runs == s->max_runs) {
		size_t max = s->max_runs ? size_mul(s->max_runs, 2) : PKVM_S2_DUMP_RUNS;
		void *p = kvrealloc(s->run, array_size(max, sizeof(*run)), GFP_KERNEL);

		if (!p)
			return -ENOMEM;

		s->run = p;
		s->max_runs = max;
	}

	s->run[s->nr_runs++] = *run;

	return 0;
}

static int snapshot_try(unsigned int handle, struct pkvm_s2_snapshot *s,
			struct pkvm_s2_dump *dump)
{
	u64 pfn = page_to_pfn(virt_to_page(dump));
	unsigned int i;
	int ret;

	s->nr_runs = 0;
	memset(s->leaves, 0, sizeof(s->leaves));
	memset(s->tables, 0, sizeof(s->tables));
	s->annotated = 0;
	s->refs = 0;
	memset(dump, 0, sizeof(*dump));

	do {
		ret = kvm_call_hyp_nvhe(__pkvm_stage2_dump, pfn, handle, dump->next, dump->gen);
		for (i = 0; !ret && i < dump->nr_runs; i++)
			ret = snapshot_add(s, &dump->run[i]);
		if (ret)
			return ret;

		for (i = 0; i < PKVM_S2_LEVELS; i++)
			s->tables[i] += dump->tables[i];
		s->refs += dump->refs;
		s->faults = dump->faults;
	} while (dump->next < dump->end);

	return 0;
}

/**
 * pkvm_s2_snapshot_take() - Take a snapshot of a stage-2 that the hypervisor owns
 * @handle: the VM, or 0 for the host.
 * @s: zeroed, or from an earlier call, in which case its memory is used again.
 *
 * May sleep.
 *
 * Return: 0, with @s to be freed by pkvm_s2_snapshot_free(); -ENOMEM; -ENOENT if there
 * is no such VM any more; -EBUSY if the table never stood still for long enough.
 */
int pkvm_s2_snapshot_take(unsigned int handle, struct pkvm_s2_snapshot *s)
{
	struct pkvm_s2_dump *dump = (void *)get_zeroed_page(GFP_KERNEL);
	int i, ret = -ENOMEM;

	if (!dump)
		return ret;

	/* When @s grows, the host may fault memory in, which changes its stage-2: try again. */
	for (i = 0; i < SNAPSHOT_TRIES; i++) {
		ret = snapshot_try(handle, s, dump);
		if (ret != -EAGAIN)
			break;
		cond_resched();
	}

	free_page((unsigned long)dump);

	return ret == -EAGAIN ? -EBUSY : ret;
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_s2_snapshot_take);

/**
 * pkvm_s2_snapshot_free() - Free the runs of a snapshot
 * @s: the snapshot, of which the totals stay.
 */
void pkvm_s2_snapshot_free(struct pkvm_s2_snapshot *s)
{
	kvfree(s->run);
	s->run = NULL;
	s->nr_runs = 0;
	s->max_runs = 0;
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_s2_snapshot_free);

static void show_valid(struct seq_file *m, const struct pkvm_s2_run *run)
{
	kvm_pte_t pte = run->pte;
	u64 memattr = FIELD_GET(KVM_PTE_LEAF_ATTR_LO_S2_MEMATTR, pte);

	seq_printf(m, "%s %c%c%c %s", run->memory ? states[run->state] : "mmio",
		   pte & KVM_PTE_LEAF_ATTR_LO_S2_S2AP_R ? 'R' : '-',
		   pte & KVM_PTE_LEAF_ATTR_LO_S2_S2AP_W ? 'W' : '-',
		   pte & KVM_PTE_LEAF_ATTR_HI_S2_XN ? '-' : 'X',
		   memattr == MT_S2_NORMAL || memattr == MT_S2_FWB_NORMAL ? "normal" :
		   memattr == MT_S2_NORMAL_NC ? "uncached" : "device");
	if (pte & KVM_PTE_LEAF_ATTR_HI_SW)
		seq_printf(m, " sw %lx", FIELD_GET(KVM_PTE_LEAF_ATTR_HI_SW, pte));
}

static void show_invalid(struct seq_file *m, const struct pkvm_s2_run *run, bool host)
{
	unsigned int owner = FIELD_GET(KVM_INVALID_PTE_OWNER_MASK, run->pte);

	if (!run->pte)
		seq_puts(m, "empty");
	else if (host && owner < ARRAY_SIZE(host_owners))
		seq_printf(m, "%s %llx", host_owners[owner], run->pte);
	else
		seq_printf(m, "%s %llx", owner ? "guard" : "poisoned", run->pte);
}

static void show_totals(struct seq_file *m, const struct pkvm_s2_snapshot *s, bool host)
{
	u64 total = 0;
	int level;

	for (level = KVM_PGTABLE_MIN_BLOCK_LEVEL; level <= KVM_PGTABLE_LAST_LEVEL; level++)
		seq_printf(m, "leaves L%d: %llu\n", level, s->leaves[PKVM_S2_LEVEL(level)]);
	seq_printf(m, "annotated: %llu\n", s->annotated);
	for (level = KVM_PGTABLE_FIRST_LEVEL; level <= KVM_PGTABLE_LAST_LEVEL; level++) {
		total += s->tables[PKVM_S2_LEVEL(level)];
		if (s->tables[PKVM_S2_LEVEL(level)])
			seq_printf(m, "tables L%d: %llu\n", level,
				   s->tables[PKVM_S2_LEVEL(level)]);
	}
	seq_printf(m, "tables: %llu\n", total);
	seq_printf(m, "references: %llu\n", s->refs);
	if (host)
		seq_printf(m, "faults: %llu\n", s->faults);
}

/* An open file: its snapshot, and whether that is the host's. */
struct dump_file {
	struct pkvm_s2_snapshot snapshot;
	bool host;
};

/* One more than there are runs: the last line is the totals. */
static void *dump_start(struct seq_file *m, loff_t *pos)
{
	struct dump_file *f = m->private;

	return *pos <= f->snapshot.nr_runs ? pos : NULL;
}

static void *dump_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;

	return dump_start(m, pos);
}

static void dump_stop(struct seq_file *m, void *v)
{
}

static int dump_show(struct seq_file *m, void *v)
{
	struct dump_file *f = m->private;
	loff_t i = *(loff_t *)v;
	struct pkvm_s2_run *run;

	if (i == f->snapshot.nr_runs) {
		show_totals(m, &f->snapshot, f->host);
		return 0;
	}

	run = &f->snapshot.run[i];
	seq_printf(m, "0x%012llx-0x%012llx L%d %u x %lluK ", run->addr,
		   run->addr + run->size - 1, run->level, run->nr,
		   kvm_granule_size(run->level) / SZ_1K);
	if (kvm_pte_valid(run->pte))
		show_valid(m, run);
	else
		show_invalid(m, run, f->host);
	seq_putc(m, '\n');

	return 0;
}

static const struct seq_operations dump_ops = {
	.start	= dump_start,
	.next	= dump_next,
	.stop	= dump_stop,
	.show	= dump_show,
};

/* debugfs removes no file while it is being opened, so the VM exists until this returns. */
static int dump_open(struct inode *inode, struct file *file)
{
	struct kvm *kvm = inode->i_private;
	unsigned int handle = 0;
	struct dump_file *f;
	int ret;

	if (kvm) {
		mutex_lock(&kvm->arch.config_lock);
		handle = kvm->arch.pkvm.handle;
		mutex_unlock(&kvm->arch.config_lock);
		if (!handle)
			return -ENOENT;
	}

	f = __seq_open_private(file, &dump_ops, sizeof(*f));
	if (!f)
		return -ENOMEM;

	f->host = !kvm;
	ret = pkvm_s2_snapshot_take(handle, &f->snapshot);
	if (ret) {
		pkvm_s2_snapshot_free(&f->snapshot);
		seq_release_private(inode, file);
	}

	return ret;
}

static int dump_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct dump_file *f = m->private;

	pkvm_s2_snapshot_free(&f->snapshot);

	return seq_release_private(inode, file);
}

static const struct file_operations dump_fops = {
	.owner		= THIS_MODULE,
	.open		= dump_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= dump_release,
};

/**
 * pkvm_s2_create_debugfs() - Give a VM the file that shows its stage-2
 * @kvm: the VM, whose directory in debugfs exists. It removes the file, too.
 */
void pkvm_s2_create_debugfs(struct kvm *kvm)
{
	debugfs_create_file("stage2_page_tables", 0400, kvm->debugfs_dentry, kvm, &dump_fops);
}

static int __init host_debugfs_init(void)
{
	if (is_protected_kvm_enabled())
		debugfs_create_file("host_stage2_page_tables", 0400, kvm_debugfs_dir, NULL,
				    &dump_fops);

	return 0;
}
late_initcall(host_debugfs_init);
