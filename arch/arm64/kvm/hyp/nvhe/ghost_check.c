// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the model of pages and VMs in ghost.c with the state in the vmemmap, the host's
 * stage-2, the hypervisor's stage-1 and the guests' stage-2s. It decodes entries by the
 * architecture, and uses none of the functions that it checks.
 *
 * When a call releases a lock, EL2 compares all that the call has changed under this lock:
 * its pages, and the whole tables of the last level that it has written to. Each call also
 * compares a few other pages, in turn, so that all of memory is compared again and again.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_debug.h>
#include <asm/kvm_pkvm_ghost.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/ghost_check.h>
#include <nvhe/ghost_set.h>
#include <nvhe/guest_pte.h>
#include <nvhe/mem_protect.h>
#include <nvhe/mm.h>

/* How many other pages are compared after each call. */
#define BYSTANDERS	8

/* The most tables of the host's stage-2 that are compared as a whole after a call. */
#define MAX_TABLES	4

/* Read by the host when EL2 has panicked. */
struct pkvm_ghost_report ghost_report;

bool hyp_ghost __ro_after_init = true;

/* The model has been filled, so that EL2's state can be compared with it. */
static bool is_ready;

/* The call that this CPU has carried out last, and its result. */
static DEFINE_PER_CPU(struct { const char *name; s64 ret; }, last_call);

/*
 * The tables of the host's stage-2 that have changed, and the next of the other pages: its
 * memory region, and its offset in there. Protected by the host's lock.
 */
static struct {
	u64 table[MAX_TABLES];
	unsigned int nr_tables;
	unsigned int region;
	u64 bystander;
} host_changed;

/**
 * ghost_call() - Set the call that a report names if the following comparisons fail
 * @name: its name.
 * @ret: its result.
 */
void ghost_call(const char *name, s64 ret)
{
	this_cpu_ptr(&last_call)->name = name;
	this_cpu_ptr(&last_call)->ret = ret;
}

/**
 * ghost_ready() - Start to compare, as the model has been filled
 */
void ghost_ready(void)
{
	is_ready = hyp_ghost;
}

/**
 * ghost_knows() - Check whether the model has a state for pages
 * @phys: the first page.
 * @nr_pages: how many.
 *
 * Return: whether they are memory of one region that the kernel maps, and the model has
 * been filled.
 */
bool ghost_knows(u64 phys, u64 nr_pages)
{
	return is_ready && !host_check_allowed_memory(phys, nr_pages << PAGE_SHIFT);
}

static void differs(struct pkvm_ghost_report report)
{
	ghost_report = report;
	ghost_report.ret = this_cpu_ptr(&last_call)->ret;
	/* The host prints the report once the name is set, so set it last. */
	smp_store_release(&ghost_report.call, this_cpu_ptr(&last_call)->name ?: "boot");
	WARN_ON(true);
}

/**
 * ghost_expect() - Panic if the state of a page differs from the model
 * @phys: the page, for which ghost_knows() is true.
 * @what: what is compared.
 * @found: what EL2 has.
 * @wanted: what it ought to have.
 */
void ghost_expect(u64 phys, const char *what, u64 found, u64 wanted)
{
	const struct ghost_page *ghost = ghost_of(phys);

	if (found == wanted)
		return;

	differs((struct pkvm_ghost_report) {
		.what	= what,
		.phys	= phys,
		.found	= found,
		.wanted	= wanted,
		.owner	= ghost->owner,
		.shared	= ghost->shared,
		.handle	= ghost->vm,
		.ipa	= ghost->gfn << PAGE_SHIFT,
		.count	= ghost->count,
		.pins	= ghost->pins,
	});
}

/**
 * ghost_expect_vm() - Panic if the state of a VM differs from the model
 * @vm: the VM.
 * @ipa: the IPA that it is about, or 0 if it is about the whole VM.
 * @what: what is compared.
 * @found: what EL2 has.
 * @wanted: what it ought to have.
 */
void ghost_expect_vm(struct pkvm_hyp_vm *vm, u64 ipa, const char *what, u64 found, u64 wanted)
{
	if (found == wanted || !is_ready)
		return;

	differs((struct pkvm_ghost_report) {
		.what	= what,
		.found	= found,
		.wanted	= wanted,
		.handle	= vm->kvm.arch.pkvm.handle,
		.ipa	= ipa,
	});
}

/* Find the leaf entry for an address; NULL if there is no table at all. */
static kvm_pte_t *find_pte(struct kvm_pgtable *pgt, u64 addr, s8 *level)
{
	kvm_pte_t *ptep = (kvm_pte_t *)pgt->pgd;

	*level = pgt->start_level;
	if (!ptep || addr >= BIT(pgt->ia_bits))
		return NULL;

	ptep += addr >> kvm_granule_shift(*level);
	while (*level < KVM_PGTABLE_LAST_LEVEL && (READ_ONCE(*ptep) & 3) == 3) {
		ptep = hyp_phys_to_virt(kvm_pte_to_phys(READ_ONCE(*ptep)));
		++*level;
		ptep += (addr >> kvm_granule_shift(*level)) % PTRS_PER_PTE;
	}

	return ptep;
}

/* The physical address to which a valid entry translates an address. */
static u64 leads_to(kvm_pte_t pte, s8 level, u64 addr)
{
	return kvm_pte_to_phys(pte) + (addr & (kvm_granule_size(level) - 1) & PAGE_MASK);
}

static u64 state_of(kvm_pte_t pte)
{
	return FIELD_GET(PKVM_PAGE_STATE_PROT_MASK, pte);
}

static u64 wanted_host_state(const struct ghost_page *ghost)
{
	if (ghost->owner != PKVM_ID_HOST)
		return ghost->shared == GHOST_HOST ? PKVM_PAGE_SHARED_BORROWED : PKVM_NOPAGE;

	return ghost->shared || ghost->count ? PKVM_PAGE_SHARED_OWNED : PKVM_PAGE_OWNED;
}

static kvm_pte_t wanted_annotation(const struct ghost_page *ghost)
{
	kvm_pte_t pte = FIELD_PREP(KVM_INVALID_PTE_OWNER_MASK, ghost->owner);

	if (ghost->owner == PKVM_ID_GUEST)
		pte |= FIELD_PREP(HOST_PTE_GUEST_IDX_MASK, ghost->vm - PKVM_HANDLE_OFFSET) |
		       FIELD_PREP(HOST_PTE_GUEST_GFN_MASK, ghost->gfn);

	return pte;
}

static void check_host_page(u64 phys, kvm_pte_t pte, s8 level)
{
	const struct hyp_page *page = hyp_phys_to_page(phys);
	const struct ghost_page *ghost = &page->ghost;

	ghost_expect(phys, "the host's state", page->host_state, wanted_host_state(ghost));
	ghost_expect(phys, "the count of places in guests", page->host_share_guest_count,
		     ghost->count);
	ghost_expect(phys, "whether the host holds it", page->host_holds, ghost->held);

	/* The hypervisor counts references on pages of its own as it likes. */
	if (ghost->owner != PKVM_ID_HYP)
		ghost_expect(phys, "the pins", page->refcount, ghost->pins);

	if (!ghost_host_may_access(ghost))
		ghost_expect(phys, "the host's entry", pte, wanted_annotation(ghost));
	else if (pte & 1)
		ghost_expect(phys, "what the host's entry maps", leads_to(pte, level, phys), phys);
	else
		/* EL2 maps the page when the host accesses it. */
		ghost_expect(phys, "the host's entry", pte, 0);
}

/* Compare all pages of one table of the last level, or of the block in its place. */
static void check_host_table(u64 phys)
{
	u64 size = kvm_granule_size(KVM_PGTABLE_LAST_LEVEL - 1);
	kvm_pte_t *ptep;
	u64 addr;
	s8 level;

	phys = ALIGN_DOWN(phys, size);
	if (!ghost_knows(phys, size >> PAGE_SHIFT))
		return;

	ptep = find_pte(&host_mmu.pgt, phys, &level);
	for (addr = phys; addr < phys + size; addr += PAGE_SIZE) {
		check_host_page(addr, READ_ONCE(*ptep), level);
		if (level == KVM_PGTABLE_LAST_LEVEL)
			ptep++;
	}
}

static void check_bystanders(void)
{
	const struct memblock_region *region = &hyp_memory[host_changed.region];
	unsigned int i;
	s8 level;

	for (i = 0; i < BYSTANDERS; i++) {
		u64 phys = region->base + host_changed.bystander;

		if (region->flags & MEMBLOCK_NOMAP || host_changed.bystander >= region->size) {
			host_changed.region = (host_changed.region + 1) % hyp_memblock_nr;
			host_changed.bystander = 0;
			return;
		}

		check_host_page(phys, READ_ONCE(*find_pte(&host_mmu.pgt, phys, &level)), level);
		host_changed.bystander += PAGE_SIZE;
	}
}

/**
 * ghost_note_host() - Make the release of the host's lock compare a page
 * @phys: the page. The host's lock is held.
 */
void ghost_note_host(u64 phys)
{
	u64 table = ALIGN_DOWN(phys, kvm_granule_size(KVM_PGTABLE_LAST_LEVEL - 1));
	unsigned int i;

	if (!ghost_knows(phys, 1))
		return;

	for (i = 0; i < host_changed.nr_tables; i++) {
		if (host_changed.table[i] == table)
			return;
	}
	if (i < MAX_TABLES)
		host_changed.table[host_changed.nr_tables++] = table;
}

/**
 * ghost_check_host() - Compare the host's half of a page that changed
 * @phys: the page, which the ghost knows. The host's lock is held.
 *
 * The release of the lock compares the table with the page's entry.
 */
void ghost_check_host(u64 phys)
{
	s8 level;

	check_host_page(phys, READ_ONCE(*find_pte(&host_mmu.pgt, phys, &level)), level);
	ghost_note_host(phys);
}

/**
 * ghost_check_hyp() - Compare the hypervisor's half of a page
 * @phys: the page, which the ghost knows. The hypervisor's lock is held, too.
 */
void ghost_check_hyp(u64 phys)
{
	const struct ghost_page *ghost = ghost_of(phys);
	u64 addr = (u64)hyp_phys_to_virt(phys);
	kvm_pte_t pte, *ptep;
	s8 level;

	ptep = find_pte(&pkvm_pgtable, addr, &level);
	pte = ptep ? READ_ONCE(*ptep) : 0;

	if (ghost->owner != PKVM_ID_HYP && ghost->shared != GHOST_HYP) {
		ghost_expect(phys, "the hypervisor's entry", pte, 0);
		return;
	}

	ghost_expect(phys, "whether the hypervisor maps it", pte & 1, 1);
	ghost_expect(phys, "what the hypervisor maps", leads_to(pte, level, addr), phys);
	ghost_expect(phys, "the hypervisor's state", state_of(pte),
		     ghost->owner == PKVM_ID_HYP ? PKVM_PAGE_OWNED : PKVM_PAGE_SHARED_BORROWED);
}

/**
 * ghost_host_unlock() - Compare what changed under the host's lock, before its release
 */
void ghost_host_unlock(void)
{
	if (!is_ready)
		return;

	while (host_changed.nr_tables)
		check_host_table(host_changed.table[--host_changed.nr_tables]);

	check_bystanders();
}

/**
 * ghost_host_fault() - Compare the memory that was mapped for the host after a fault
 * @start: where that memory begins. The host's lock is held.
 * @end: its end.
 */
void ghost_host_fault(u64 start, u64 end)
{
	if (!ghost_knows(start, (end - start) >> PAGE_SHIFT))
		return;

	ghost_call("a fault of the host", 0);
	for (; start < end; start += PAGE_SIZE)
		ghost_expect(start, "whether the host may access it", true,
			     ghost_host_may_access(ghost_of(start)));
}

/**
 * ghost_changed() - Make the release of a VM's lock compare an entry
 * @vm: the VM.
 * @ipa: an IPA that the entry is for.
 */
void ghost_changed(struct pkvm_hyp_vm *vm, u64 ipa)
{
	struct ghost_vm *ghost = &vm->state.ghost;

	ghost->first = ghost->changed ? min(ghost->first, ipa) : ipa;
	ghost->last = ghost->changed ? max(ghost->last, ipa) : ipa;
	ghost->changed = true;
}

/* Whether there is a window at the IPA; false if the model does not know its windows any more. */
static bool is_window(struct pkvm_hyp_vm *vm, u64 ipa)
{
	const struct ghost_set *windows = &vm->state.ghost.windows;

	return !windows->forgotten && ghost_set_has(windows, ipa);
}

static void check_protected_leaf(struct pkvm_hyp_vm *vm, u64 ipa, kvm_pte_t pte, s8 level)
{
	u64 phys = kvm_pte_to_phys(pte);
	const struct ghost_page *ghost;

	ghost_expect_vm(vm, ipa, "whether it is a window", false, is_window(vm, ipa));
	ghost_expect_vm(vm, ipa, "the level of a guest's leaf", level, KVM_PGTABLE_LAST_LEVEL);
	ghost_expect_vm(vm, ipa, "whether a guest's page is memory", ghost_knows(phys, 1), true);
	ghost = ghost_of(phys);
	ghost_expect(phys, "the owner of what a guest maps", PKVM_ID_GUEST, ghost->owner);
	ghost_expect(phys, "the guest that maps it", vm->kvm.arch.pkvm.handle, ghost->vm);
	ghost_expect(phys, "where the guest maps it", ipa, ghost->gfn << PAGE_SHIFT);
	ghost_expect(phys, "the guest's state", state_of(pte), ghost->shared == GHOST_HOST ?
		     PKVM_PAGE_SHARED_OWNED : PKVM_PAGE_OWNED);
}

/* Compare an entry by which the host shares memory with a guest. */
static void check_borrowed_leaf(struct pkvm_hyp_vm *vm, u64 ipa, kvm_pte_t pte, u64 size)
{
	u64 phys = kvm_pte_to_phys(pte);
	u64 end = phys + size;

	ghost_expect_vm(vm, ipa, "the guest's state", state_of(pte), PKVM_PAGE_SHARED_BORROWED);
	if (!addr_is_memory(phys) && !vm->kvm.arch.pkvm.enabled)
		return;

	ghost_expect_vm(vm, ipa, "whether a page shared with a guest is memory of the host's",
			ghost_knows(phys, size >> PAGE_SHIFT), true);
	for (; phys < end; phys += PAGE_SIZE) {
		ghost_expect(phys, "the owner of what is shared with a guest", PKVM_ID_HOST,
			     ghost_of(phys)->owner);
		ghost_expect(phys, "whether a guest may map it", true, !!ghost_of(phys)->count);
	}
}

/* The same for a protected guest: it has to be in a window, and not executable. */
static void check_window_leaf(struct pkvm_hyp_vm *vm, u64 ipa, kvm_pte_t pte, u64 size)
{
	u64 last = ipa + size - PAGE_SIZE;

	if (!vm->state.ghost.windows.forgotten) {
		ghost_expect_vm(vm, ipa, "whether it is a window", true, is_window(vm, ipa));
		ghost_expect_vm(vm, last, "whether it is a window", true, is_window(vm, last));
	}
	ghost_expect_vm(vm, ipa, "whether a window is executable",
			!(pte & KVM_PTE_LEAF_ATTR_HI_S2_XN), false);
	check_borrowed_leaf(vm, ipa, pte, size);
}

static void check_invalid(struct pkvm_hyp_vm *vm, u64 ipa, kvm_pte_t pte)
{
	const struct ghost_set *poisoned = &vm->state.ghost.poisoned;
	const struct ghost_set *guarded = &vm->state.ghost.guarded;
	kvm_pte_t wanted = 0;

	ghost_expect_vm(vm, ipa, "whether it is a window", false, is_window(vm, ipa));
	if (guarded->forgotten || poisoned->forgotten)
		return;

	if (ghost_set_has(guarded, ipa))
		wanted = FIELD_PREP(KVM_INVALID_PTE_OWNER_MASK, GUEST_OWNER_MMIO_GUARD);
	else if (ghost_set_has(poisoned, ipa))
		wanted = GUEST_PTE_POISONED;

	ghost_expect_vm(vm, ipa, "the guest's entry", pte, wanted);
}

static void check_guest_pte(struct pkvm_hyp_vm *vm, u64 ipa, kvm_pte_t pte, s8 level)
{
	u64 size = kvm_granule_size(level);

	if (!(pte & 1)) {
		check_invalid(vm, ipa, pte);
		check_invalid(vm, ipa + size - PAGE_SIZE, pte);
	} else if (!vm->kvm.arch.pkvm.enabled) {
		check_borrowed_leaf(vm, ipa, pte, size);
	} else if (state_of(pte) == PKVM_PAGE_SHARED_BORROWED) {
		check_window_leaf(vm, ipa, pte, size);
	} else {
		check_protected_leaf(vm, ipa, pte, level);
	}
}

/* Compare the table of the last level with the entry for an IPA, or the block in its place. */
static void check_guest_table(struct pkvm_hyp_vm *vm, u64 ipa)
{
	unsigned int i;
	kvm_pte_t *ptep;
	s8 level;

	ptep = find_pte(&vm->pgt, ipa, &level);
	if (!ptep)
		return;

	ipa = ALIGN_DOWN(ipa, kvm_granule_size(level));
	if (level < KVM_PGTABLE_LAST_LEVEL) {
		check_guest_pte(vm, ipa, READ_ONCE(*ptep), level);
		return;
	}

	ipa = ALIGN_DOWN(ipa, kvm_granule_size(level - 1));
	ptep = PTR_ALIGN_DOWN(ptep, PAGE_SIZE);
	for (i = 0; i < PTRS_PER_PTE; i++, ipa += PAGE_SIZE)
		check_guest_pte(vm, ipa, READ_ONCE(ptep[i]), level);
}

/* Compare EL2's counts for a VM. */
static void check_counters(struct pkvm_hyp_vm *vm)
{
	const struct ghost_vm *ghost = &vm->state.ghost;

	if (!vm->kvm.arch.pkvm.enabled) {
		ghost_expect_vm(vm, 0, "the granules of an np-VM", vm->state.nr_granules,
				ghost->nr_borrowed);
		return;
	}

	ghost_expect_vm(vm, 0, "the private granules", vm->state.nr_private, ghost->nr_private);
	ghost_expect_vm(vm, 0, "the shared granules", vm->state.nr_shared, ghost->nr_shared);
	ghost_expect_vm(vm, 0, "the granules of windows", vm->state.nr_window, ghost->nr_borrowed);
	if (!ghost->windows.forgotten)
		ghost_expect_vm(vm, 0, "the windows", ghost_set_size(&ghost->windows) >> PAGE_SHIFT,
				ghost->nr_borrowed);
	if (!ghost->guarded.forgotten)
		ghost_expect_vm(vm, 0, "the guarded granules", vm->state.nr_guarded,
				(ghost_set_size(&ghost->guarded) >> PAGE_SHIFT) -
				ghost->nr_borrowed);
	if (!ghost->poisoned.forgotten)
		ghost_expect_vm(vm, 0, "the granules", vm->state.nr_granules,
				ghost->nr_private + ghost->nr_shared + ghost->nr_borrowed +
				(ghost_set_size(&ghost->poisoned) >> PAGE_SHIFT));
}

/**
 * ghost_guest_unlock() - Compare what changed under a VM's lock, before its release
 * @vm: the VM.
 */
void ghost_guest_unlock(struct pkvm_hyp_vm *vm)
{
	if (!vm->state.ghost.changed || !is_ready)
		return;

	vm->state.ghost.changed = false;
	check_guest_table(vm, vm->state.ghost.first);
	if (vm->state.ghost.last != vm->state.ghost.first)
		check_guest_table(vm, vm->state.ghost.last);
	check_counters(vm);
}
