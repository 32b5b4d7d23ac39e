// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shows the host the contents of a stage-2, its own or a VM's. Built only for debugging,
 * as the host should not see the memory layout of a guest.
 *
 * The result goes to a page that the host owns and keeps: if the host donated a page for
 * it, that would split the block around the page, and the dump would show its own effect.
 * EL2 writes to the page under the host's lock, through the fixmap.
 *
 * R4: EL2 checks the page, and reads nothing from it, as the host can write to it at the
 *     same time.
 * R6: one call visits a bounded part of the table. To ensure that all parts show the same
 *     moment, each lock counts how often it was released. If the count has changed since
 *     the last call, the host has to begin again.
 */

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_dump.h>

#include <nvhe/guest_pte.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>
#include <nvhe/s2_pte.h>
#include <nvhe/stage2_dump.h>
#include <nvhe/vm_table.h>

/* The limit of one call in leaves; 16 page states in a block count as one leaf. */
#define DUMP_MAX_LEAVES		4096
#define DUMP_STATES_PER_LEAF	16

/* The position of a dump in the table. */
struct dump_pos {
	struct kvm_pgtable *pgt;
	bool host;
	u64 addr;
	int budget;
};

/* The call that visits the first entry of a table counts its page. */
static void dump_table(struct pkvm_s2_dump *dump, const struct dump_pos *pos,
		       kvm_pte_t *ptep, s8 level)
{
	void *page = PTR_ALIGN_DOWN(ptep, PAGE_SIZE);

	if (!IS_ALIGNED(pos->addr, kvm_granule_size(level - 1)))
		return;

	dump->tables[PKVM_S2_LEVEL(level)]++;
	dump->refs += pos->pgt->mm_ops->page_count(page) - 1;
}

static void dump_find_pte(struct pkvm_s2_dump *dump, const struct dump_pos *pos,
			  struct s2_pte *entry)
{
	s8 level = pos->pgt->start_level;
	kvm_pte_t *table = (kvm_pte_t *)pos->pgt->pgd;
	u64 idx = pos->addr >> kvm_granule_shift(level);

	for (;;) {
		entry->ptep = &table[idx];
		entry->pte = READ_ONCE(*entry->ptep);
		entry->level = level;
		dump_table(dump, pos, entry->ptep, level);

		if (level == KVM_PGTABLE_LAST_LEVEL ||
		    (entry->pte & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
			return;

		table = pos->pgt->mm_ops->phys_to_virt(kvm_pte_to_phys(entry->pte));
		level++;
		idx = (pos->addr >> kvm_granule_shift(level)) % PTRS_PER_PTE;
	}
}

/* Get how many bytes from @addr on, up to @end, the end of the leaf, have the same state. */
static u64 dump_same_state(struct dump_pos *pos, u64 addr, u64 end, u8 state)
{
	unsigned int nr = 0;

	while (addr < end && hyp_phys_to_page(addr)->host_state == state) {
		addr += PAGE_SIZE;
		if (++nr % DUMP_STATES_PER_LEAF == 0 && --pos->budget <= 0)
			break;
	}

	return addr;
}

static void dump_pte(struct dump_pos *pos, const struct s2_pte *entry, struct pkvm_s2_run *run)
{
	u64 size = kvm_granule_size(entry->level);
	u64 end = ALIGN_DOWN(pos->addr, size) + size;

	*run = (struct pkvm_s2_run) {
		.addr	= pos->addr,
		.pte	= entry->pte & PKVM_S2_RUN_INVALID,
		.nr	= IS_ALIGNED(pos->addr, size),
		.level	= entry->level,
		.state	= PKVM_NOPAGE,
	};

	if (kvm_pte_valid(entry->pte)) {
		run->pte = entry->pte & ~kvm_phys_to_pte(kvm_pte_to_phys(entry->pte));
		run->memory = addr_is_memory(kvm_pte_to_phys(entry->pte));
	}

	if (run->memory && pos->host) {
		run->state = hyp_phys_to_page(pos->addr)->host_state;
		end = dump_same_state(pos, pos->addr, end, run->state);
	} else if (run->memory) {
		run->state = guest_pte_state(entry->pte);
	}

	run->size = end - pos->addr;
}

static bool dump_merge(struct pkvm_s2_run *last, const struct pkvm_s2_run *run)
{
	if (last->addr + last->size != run->addr || last->pte != run->pte ||
	    last->level != run->level || last->state != run->state ||
	    last->memory != run->memory)
		return false;

	last->size += run->size;
	last->nr += run->nr;

	return true;
}

/* Runs go to @page once they are whole, the rest to @dump. */
static void dump_tables(struct pkvm_s2_dump *dump, struct dump_pos *pos,
			struct pkvm_s2_dump *page)
{
	struct pkvm_s2_run run, last;
	struct s2_pte entry;

	dump->end = BIT(pos->pgt->ia_bits);

	while (pos->addr < dump->end && pos->budget-- > 0 &&
	       dump->nr_runs < PKVM_S2_DUMP_RUNS) {
		dump_find_pte(dump, pos, &entry);
		dump_pte(pos, &entry, &run);
		pos->addr += run.size;
		if (dump->nr_runs && dump_merge(&last, &run))
			continue;

		if (dump->nr_runs)
			page->run[dump->nr_runs - 1] = last;
		last = run;
		dump->nr_runs++;
	}

	page->run[dump->nr_runs - 1] = last;
	dump->next = pos->addr;
}

static int dump_locked(u64 phys, struct kvm_pgtable *pgt, u64 addr, u64 *gen, u64 want)
{
	struct dump_pos pos = {
		.pgt	= pgt,
		.host	= pgt == &host_mmu.pgt,
		.addr	= addr,
		.budget	= DUMP_MAX_LEAVES,
	};
	struct pkvm_s2_dump dump = {}, *page;
	int ret;

	ret = __host_check_page_state_range(phys, PAGE_SIZE, PKVM_PAGE_OWNED);
	if (ret)
		return ret;

	if (!pgt->pgd)
		return -ENOENT;

	if (addr >= BIT(pgt->ia_bits))
		return -ERANGE;

	if (addr && *gen != want)
		return -EAGAIN;

	page = hyp_fixmap_map(phys);
	dump_tables(&dump, &pos, page);
	/* The release of the lock after this will be counted, too. */
	dump.gen = *gen + 1;
	dump.faults = host_mmu.faults;
	memcpy(page, &dump, offsetof(struct pkvm_s2_dump, run));
	hyp_fixmap_unmap();

	return 0;
}

/**
 * __pkvm_stage2_dump() - Write a part of a stage-2 to a page of the host
 * @pfn: the page, which the host owns exclusively. See struct pkvm_s2_dump.
 * @handle: the VM, or 0 for the host.
 * @addr: the input address to begin at: 0, or pkvm_s2_dump::next of the last call.
 * @gen: pkvm_s2_dump::gen of the last call, for an @addr other than 0.
 *
 * Takes the lock of the host, and of the VM if there is one.
 *
 * Return: 0; -EINVAL if @pfn is no memory or @addr is not aligned; -EPERM if the page
 * is not the host's alone; -ENOENT if there is no such VM, or none of its tables any
 * more; -ERANGE if @addr lies beyond the input space; -EAGAIN if the table may have
 * changed since the last call.
 */
int __pkvm_stage2_dump(u64 pfn, pkvm_handle_t handle, u64 addr, u64 gen)
{
	u64 phys = hyp_pfn_to_phys(pfn);
	struct pkvm_hyp_vm *vm;
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn || !PAGE_ALIGNED(addr))
		return -EINVAL;

	if (!handle) {
		host_lock_component();
		ret = dump_locked(phys, &host_mmu.pgt, addr, &host_mmu.gen, gen);
		host_unlock_component();
		return ret;
	}

	vm = pkvm_get_hyp_vm(handle);
	if (!vm)
		return -ENOENT;

	host_lock_component();
	guest_lock_component(vm);
	ret = dump_locked(phys, &vm->pgt, addr, &vm->state.gen, gen);
	guest_unlock_component(vm);
	host_unlock_component();

	pkvm_put_hyp_vm(vm);

	return ret;
}
