// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ghost: a model of who owns each page and who may use it (R1, R2), in debug builds.
 * The code of a transition calls a function here with the pages and with its own result.
 * The model changes by the table of transitions, which also says which results are allowed.
 * ghost_check.c compares the model with EL2's state. If they differ, EL2 panics and the host
 * prints both sides.
 *
 * Only at boot does the model copy a state from EL2: which pages EL2 owns by then.
 *
 * The host's lock protects the model of a page, and a VM's lock the model of the VM.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_pkvm_guest.h>

#include <nvhe/ghost.h>
#include <nvhe/ghost_check.h>
#include <nvhe/ghost_set.h>
#include <nvhe/mem_protect.h>
#include <nvhe/mm.h>

static void ghost_set_page(u64 phys, u8 owner, u8 shared)
{
	*ghost_of(phys) = (struct ghost_page) { .owner = owner, .shared = shared };
}

/* Set the model of pages, and compare the host's half of each with EL2's state. */
static void set_pages(u64 phys, u64 nr_pages, u8 owner, u8 shared)
{
	for (; nr_pages; nr_pages--, phys += PAGE_SIZE) {
		ghost_set_page(phys, owner, shared);
		ghost_check_host(phys);
	}
}

/* The same for pages whose hypervisor's half has changed, too. */
static void set_hyp_pages(u64 phys, u64 nr_pages, u8 owner, u8 shared)
{
	set_pages(phys, nr_pages, owner, shared);
	for (; nr_pages; nr_pages--, phys += PAGE_SIZE)
		ghost_check_hyp(phys);
}

static bool is_hosts_alone(u64 phys)
{
	const struct ghost_page *ghost = ghost_of(phys);

	return ghost->owner == PKVM_ID_HOST && ghost->shared == GHOST_ALONE && !ghost->count;
}

/*
 * Check the result of a call that needs pages which the host owns and shares with nobody. It
 * has to refuse any other page, and only that by -EPERM. Returns whether the call succeeded.
 */
static bool took_owned(u64 phys, u64 nr_pages, int ret)
{
	bool alone = true;
	u64 i;

	/* Only memory has a state. */
	if (!ghost_knows(phys, nr_pages))
		return false;

	for (i = 0; i < nr_pages && alone; i++)
		alone = is_hosts_alone(phys + (i << PAGE_SHIFT));

	if (!ret)
		ghost_expect(phys, "whether the host alone has the pages", true, alone);
	else if (ret == -EPERM)
		ghost_expect(phys, "whether the host alone has the pages", false, alone);

	return !ret;
}

/* Check the result of a call that undoes an earlier one. Returns whether the call succeeded. */
static bool gave_back(u64 phys, u64 nr_pages, u8 owner, u8 shared, int ret)
{
	if (!ghost_knows(phys, nr_pages) || ret)
		return false;

	for (; nr_pages; nr_pages--, phys += PAGE_SIZE) {
		ghost_expect(phys, "the owner for the call", owner, ghost_of(phys)->owner);
		ghost_expect(phys, "the sharing for the call", shared, ghost_of(phys)->shared);
		ghost_expect(phys, "the count of places for the call", 0, ghost_of(phys)->count);
	}

	return true;
}

/**
 * ghost_init() - Fill the model, at boot
 *
 * No other CPU runs at EL2 meanwhile.
 */
void ghost_init(void)
{
	static const u8 owner[] = { PKVM_ID_HOST, PKVM_ID_HOST, PKVM_ID_HYP, PKVM_ID_HYP };
	static const u8 shared[] = { GHOST_ALONE, GHOST_HYP, GHOST_HOST, GHOST_ALONE };
	unsigned int i;
	u64 phys, end;

	for (i = 0; i < hyp_memblock_nr; i++) {
		if (hyp_memory[i].flags & MEMBLOCK_NOMAP)
			continue;

		end = hyp_memory[i].base + hyp_memory[i].size;
		for (phys = hyp_memory[i].base; phys < end; phys += PAGE_SIZE) {
			const struct hyp_page *page = hyp_phys_to_page(phys);

			ghost_set_page(phys, owner[page->host_state], shared[page->host_state]);
			if (ghost_of(phys)->owner != PKVM_ID_HYP)
				ghost_of(phys)->pins = page->refcount;
		}
	}

	ghost_ready();
}

/**
 * ghost_host_share_hyp() - The host asked to share a page with the hypervisor
 * @phys: the page.
 * @ret: the answer. The locks of host and hypervisor are held.
 */
void ghost_host_share_hyp(u64 phys, int ret)
{
	ghost_call("host_share_hyp", ret);
	if (!took_owned(phys, 1, ret))
		return;

	set_hyp_pages(phys, 1, PKVM_ID_HOST, GHOST_HYP);
}

/**
 * ghost_host_unshare_hyp() - The host asked to take a page back from the hypervisor
 * @phys: the page.
 * @ret: the answer. The locks of host and hypervisor are held.
 */
void ghost_host_unshare_hyp(u64 phys, int ret)
{
	ghost_call("host_unshare_hyp", ret);
	if (!gave_back(phys, 1, PKVM_ID_HOST, GHOST_HYP, ret))
		return;

	ghost_expect(phys, "the count of pins for the call", 0, ghost_of(phys)->pins);
	set_hyp_pages(phys, 1, PKVM_ID_HOST, GHOST_ALONE);
}

/**
 * ghost_pin_hyp() - The hypervisor pinned pages that the host shares with it, or unpinned them
 * @phys: the first page.
 * @size: how much, in bytes.
 * @nr: 1 for a pin that was taken, -1 for one that was dropped. The locks of host and
 *	hypervisor are held.
 */
void ghost_pin_hyp(u64 phys, u64 size, int nr)
{
	u64 end = phys + size;

	ghost_call(nr > 0 ? "pin" : "unpin", 0);
	if (!ghost_knows(phys, size >> PAGE_SHIFT))
		return;

	for (; phys < end; phys += PAGE_SIZE) {
		ghost_expect(phys, "the owner of what is pinned", PKVM_ID_HOST,
			     ghost_of(phys)->owner);
		ghost_expect(phys, "how what is pinned is shared", GHOST_HYP,
			     ghost_of(phys)->shared);
		ghost_expect(phys, "a pin to drop", nr < 0 && !ghost_of(phys)->pins, false);
		ghost_of(phys)->pins += nr;
		ghost_check_host(phys);
		ghost_check_hyp(phys);
	}
}

/**
 * ghost_host_donate_hyp() - The host asked to give pages to the hypervisor
 * @phys: the first page.
 * @nr_pages: how many.
 * @ret: the answer. The locks of host and hypervisor are held.
 */
void ghost_host_donate_hyp(u64 phys, u64 nr_pages, int ret)
{
	ghost_call("host_donate_hyp", ret);
	if (!took_owned(phys, nr_pages, ret))
		return;

	set_hyp_pages(phys, nr_pages, PKVM_ID_HYP, GHOST_ALONE);
}

/**
 * ghost_hyp_donate_host() - The hypervisor gave pages to the host
 * @phys: the first page.
 * @nr_pages: how many.
 * @ret: the answer. The locks of host and hypervisor are held.
 */
void ghost_hyp_donate_host(u64 phys, u64 nr_pages, int ret)
{
	ghost_call("hyp_donate_host", ret);
	if (!gave_back(phys, nr_pages, PKVM_ID_HYP, GHOST_ALONE, ret))
		return;

	set_hyp_pages(phys, nr_pages, PKVM_ID_HOST, GHOST_ALONE);
}

/**
 * ghost_host_share_ffa() - The host asked to share pages with the secure world
 * @phys: the first page.
 * @nr_pages: how many.
 * @ret: the answer. The host's lock is held.
 */
void ghost_host_share_ffa(u64 phys, u64 nr_pages, int ret)
{
	ghost_call("host_share_ffa", ret);
	if (!took_owned(phys, nr_pages, ret))
		return;

	set_pages(phys, nr_pages, PKVM_ID_HOST, GHOST_FFA);
}

/**
 * ghost_host_unshare_ffa() - The host asked to take pages back from the secure world
 * @phys: the first page.
 * @nr_pages: how many.
 * @ret: the answer. The host's lock is held.
 */
void ghost_host_unshare_ffa(u64 phys, u64 nr_pages, int ret)
{
	ghost_call("host_unshare_ffa", ret);
	if (!gave_back(phys, nr_pages, PKVM_ID_HOST, GHOST_FFA, ret))
		return;

	set_pages(phys, nr_pages, PKVM_ID_HOST, GHOST_ALONE);
}

/**
 * ghost_host_donate_guest() - The host asked to give a page to a protected guest
 * @vm: the guest.
 * @phys: the page.
 * @ipa: where the guest shall have it.
 * @ret: the answer. The locks of host and guest are held.
 */
void ghost_host_donate_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, int ret)
{
	const struct ghost_set *poisoned = &vm->state.ghost.poisoned;
	const struct ghost_set *guarded = &vm->state.ghost.guarded;
	struct ghost_page *ghost;
	bool taken;

	ghost_call("host_donate_guest", ret);
	taken = !guarded->forgotten && ghost_set_has(guarded, ipa);
	/* EL2 also returns -EPERM if the IPA is guarded, as those of windows are. */
	if (ret == -EPERM && (taken || guarded->forgotten))
		return;

	if (!took_owned(phys, 1, ret))
		return;

	taken = taken || (!poisoned->forgotten && ghost_set_has(poisoned, ipa));
	ghost_expect_vm(vm, ipa, "whether the IPA is guarded or poisoned", false, taken);

	ghost = ghost_of(phys);
	ghost->owner = PKVM_ID_GUEST;
	ghost->vm = vm->kvm.arch.pkvm.handle;
	ghost->gfn = ipa >> PAGE_SHIFT;
	vm->state.ghost.nr_private++;
	ghost_check_host(phys);
	ghost_changed(vm, ipa);
}

/**
 * ghost_host_loses() - The host loses a page to a guest
 * @phys: the page. The host's lock is held.
 *
 * For a call that changes the host's half before it reports the donation: it must not release
 * the lock in between.
 */
void ghost_host_loses(u64 phys)
{
	ghost_note_host(phys);
}

/*
 * Check that a page for which a guest has made a call is that guest's page at that IPA. Returns
 * false if there is no model of the page.
 */
static bool is_guests(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u8 shared)
{
	const struct ghost_page *ghost;

	if (!ghost_knows(phys, 1))
		return false;

	ghost = ghost_of(phys);
	ghost_expect(phys, "the owner of a guest's page", PKVM_ID_GUEST, ghost->owner);
	ghost_expect(phys, "the guest", vm->kvm.arch.pkvm.handle, ghost->vm);
	ghost_expect(phys, "where the guest has it", ipa, ghost->gfn << PAGE_SHIFT);
	ghost_expect(phys, "how the guest shares it", shared, ghost->shared);

	return true;
}

/**
 * ghost_guest_share_host() - A guest shared a page with the host
 * @vm: the guest.
 * @phys: the page.
 * @ipa: where the guest has it. The locks of host and guest are held.
 */
void ghost_guest_share_host(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	ghost_call("guest_share_host", 0);
	if (!is_guests(vm, phys, ipa, GHOST_ALONE))
		return;

	ghost_of(phys)->shared = GHOST_HOST;
	vm->state.ghost.nr_private--;
	vm->state.ghost.nr_shared++;
	ghost_check_host(phys);
	ghost_changed(vm, ipa);
}

static void guest_unshare_page(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	if (!is_guests(vm, phys, ipa, GHOST_HOST))
		return;

	ghost_expect(phys, "whether the host holds the page", false, ghost_of(phys)->held);
	ghost_of(phys)->shared = GHOST_ALONE;
	vm->state.ghost.nr_private++;
	vm->state.ghost.nr_shared--;
	ghost_check_host(phys);
	ghost_changed(vm, ipa);
}

/**
 * ghost_guest_unshare_host() - A guest took pages back from the host
 * @vm: the guest.
 * @entries: the guest's entries for the pages.
 * @nr_pages: how many.
 * @ipa: where the guest has the first one. The locks of host and guest are held.
 */
void ghost_guest_unshare_host(struct pkvm_hyp_vm *vm, const kvm_pte_t *entries,
			      unsigned int nr_pages, u64 ipa)
{
	unsigned int i;

	ghost_call("guest_unshare_host", 0);
	for (i = 0; i < nr_pages; i++)
		guest_unshare_page(vm, kvm_pte_to_phys(entries[i]), ipa + i * PAGE_SIZE);
}

/**
 * ghost_host_hold() - The host asked to hold a page that a guest shares, or to release it
 * @phys: the page.
 * @held: whether to hold it.
 * @ret: the answer. The host's lock is held.
 */
void ghost_host_hold(u64 phys, bool held, int ret)
{
	bool borrowed;

	ghost_call(held ? "host_hold_page" : "host_release_page", ret);
	if (!ghost_knows(phys, 1))
		return;

	borrowed = ghost_of(phys)->owner != PKVM_ID_HOST && ghost_of(phys)->shared == GHOST_HOST;
	ghost_expect(phys, "whether a guest shares the page", !ret, borrowed);
	if (!ret)
		ghost_of(phys)->held = held;
	ghost_check_host(phys);
}

static void leave_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	if (ghost_of(phys)->shared == GHOST_HOST)
		vm->state.ghost.nr_shared--;
	else
		vm->state.ghost.nr_private--;

	set_pages(phys, 1, PKVM_ID_HOST, GHOST_ALONE);
	ghost_changed(vm, ipa);
}

/**
 * ghost_guest_relinquish_host() - A guest gave a page back
 * @vm: the guest.
 * @phys: the page.
 * @ipa: where the guest had it. The locks of host and guest are held.
 */
void ghost_guest_relinquish_host(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	ghost_call("guest_relinquish_host", 0);
	if (is_guests(vm, phys, ipa, GHOST_ALONE))
		leave_guest(vm, phys, ipa);
}

/**
 * ghost_host_force_reclaim() - The host took a page by force
 * @vm: the guest that had it.
 * @phys: the page.
 * @ipa: where the guest had it. The locks of host and guest are held.
 */
void ghost_host_force_reclaim(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	ghost_call("host_force_reclaim", 0);
	if (!is_guests(vm, phys, ipa, GHOST_ALONE))
		return;

	ghost_set_add(&vm->state.ghost.poisoned, ipa, ipa + PAGE_SIZE);
	leave_guest(vm, phys, ipa);
}

/**
 * ghost_reclaim_dying() - A page of a dying guest is the host's again
 * @vm: the guest.
 * @phys: the page.
 * @ipa: where the guest had it. The locks of host and guest are held.
 */
void ghost_reclaim_dying(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	ghost_call("reclaim_dying_guest", 0);
	ghost_expect_vm(vm, ipa, "whether the guest is dying", vm->state.is_dying, true);
	if (ghost_knows(phys, 1) && is_guests(vm, phys, ipa, ghost_of(phys)->shared))
		leave_guest(vm, phys, ipa);
}

/**
 * ghost_reclaim_poisoned() - An entry of a dying guest whose page was taken by force is gone
 * @vm: the guest.
 * @ipa: the entry's place. The guest's lock is held.
 */
void ghost_reclaim_poisoned(struct pkvm_hyp_vm *vm, u64 ipa)
{
	ghost_set_remove(&vm->state.ghost.poisoned, ipa, ipa + PAGE_SIZE);
	ghost_changed(vm, ipa);
}

/* EL2 assumes that a range of IPAs is in a set, or not in it: compare both ends of the range. */
static void expect_in_set(struct pkvm_hyp_vm *vm, const struct ghost_set *set, u64 ipa, u64 size,
			  const char *what, bool found)
{
	u64 last = ipa + size - PAGE_SIZE;

	if (set->forgotten)
		return;

	ghost_expect_vm(vm, ipa, what, found, ghost_set_has(set, ipa));
	ghost_expect_vm(vm, last, what, found, ghost_set_has(set, last));
}

/**
 * ghost_guard() - A guard was put on IPAs of a guest, or removed
 * @vm: the guest.
 * @ipa: the first IPA.
 * @size: how many bytes of the IPA space.
 * @guarded: whether there is a guard now. The guest's lock is held.
 */
void ghost_guard(struct pkvm_hyp_vm *vm, u64 ipa, u64 size, bool guarded)
{
	struct ghost_set *set = &vm->state.ghost.guarded;

	ghost_call(guarded ? "guard" : "unguard", 0);
	expect_in_set(vm, set, ipa, size, "whether it was guarded before", !guarded);
	expect_in_set(vm, &vm->state.ghost.windows, ipa, size, "whether it is a window", false);

	if (guarded)
		ghost_set_add(set, ipa, ipa + size);
	else
		ghost_set_remove(set, ipa, ipa + size);
	ghost_changed(vm, ipa);
	ghost_changed(vm, ipa + size - PAGE_SIZE);
}

/**
 * ghost_vm_end() - EL2 freed the stage-2 of a VM
 * @vm: the VM, which has no page any more. Its lock is held.
 */
void ghost_vm_end(struct pkvm_hyp_vm *vm)
{
	const struct ghost_vm *ghost = &vm->state.ghost;

	ghost_call("finalize_teardown_vm", 0);
	ghost_expect_vm(vm, 0, "private granules of a VM that ends", 0, ghost->nr_private);
	ghost_expect_vm(vm, 0, "shared granules of a VM that ends", 0, ghost->nr_shared);
	ghost_expect_vm(vm, 0, "the host's granules in a VM that ends", 0, ghost->nr_borrowed);
}

/*
 * Guards of a protected VM become a window, or a window becomes guards again. A window
 * contains only memory.
 */
static void move_window(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u64 size, bool shared)
{
	struct ghost_vm *ghost = &vm->state.ghost;

	ghost_expect_vm(vm, ipa, "whether memory is in a window",
			ghost_knows(phys, size >> PAGE_SHIFT), true);
	expect_in_set(vm, &ghost->guarded, ipa, size, "whether a window is guarded", true);
	expect_in_set(vm, &ghost->windows, ipa, size, "whether it was a window before", !shared);

	if (shared)
		ghost_set_add(&ghost->windows, ipa, ipa + size);
	else
		ghost_set_remove(&ghost->windows, ipa, ipa + size);
}

/**
 * ghost_host_share_guest() - The host shared pages with a guest
 * @vm: the VM, an np-VM or one that guards the place.
 * @phys: the first page; of an np-VM, it may be no memory.
 * @ipa: where the VM has it.
 * @size: how much, in bytes. The locks of host and guest are held.
 */
void ghost_host_share_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u64 size)
{
	u64 end = phys + size;

	ghost_call("host_share_guest", 0);
	if (vm->kvm.arch.pkvm.enabled)
		move_window(vm, phys, ipa, size, true);
	vm->state.ghost.nr_borrowed += size >> PAGE_SHIFT;
	ghost_changed(vm, ipa);
	if (!ghost_knows(phys, size >> PAGE_SHIFT))
		return;

	for (; phys < end; phys += PAGE_SIZE) {
		ghost_expect(phys, "the owner of what is shared", PKVM_ID_HOST,
			     ghost_of(phys)->owner);
		ghost_expect(phys, "with whom else it is shared", GHOST_ALONE,
			     ghost_of(phys)->shared);
		ghost_of(phys)->count++;
		ghost_check_host(phys);
	}
}

/**
 * ghost_host_unshare_guest() - The host took pages back that it shared with a guest
 * @vm: the VM.
 * @phys: the first page; of an np-VM, it may be no memory.
 * @ipa: where the VM had it.
 * @size: how much, in bytes. The locks of host and guest are held.
 */
void ghost_host_unshare_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u64 size)
{
	u64 end = phys + size;

	ghost_call("host_unshare_guest", 0);
	if (vm->kvm.arch.pkvm.enabled)
		move_window(vm, phys, ipa, size, false);
	vm->state.ghost.nr_borrowed -= size >> PAGE_SHIFT;
	ghost_changed(vm, ipa);
	if (!ghost_knows(phys, size >> PAGE_SHIFT))
		return;

	for (; phys < end; phys += PAGE_SIZE) {
		ghost_expect(phys, "whether it was shared", true, !!ghost_of(phys)->count);
		ghost_of(phys)->count--;
		ghost_check_host(phys);
	}
}
