// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host of a guest that fuzzes the hypervisor, as far as windows go. Between the batches of the
 * guest, while no vCPU runs, it deletes and adds the slots of windows, punches holes into their
 * memory, writes to it, and answers a fault with memory that is the guest's own.
 *
 * R1: what the guest owns is never in a window. R2: what the host takes back, the guest loses.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_windows.h"

/* The first slot for windows, and the one for memory that is not only the host's. */
#define WINDOW_SLOT	(PVM_FREE_SLOT + 8)
#define OFFER_SLOT	(WINDOW_SLOT + FUZZ_WINDOWS)

static int put_slot(struct fuzz_windows *windows, unsigned int i)
{
	return pvm_set_slot(windows->vm, WINDOW_SLOT + i, KVM_MEM_ARM_STANDALONE,
			    FUZZ_WINDOW_IPA(i), FUZZ_WINDOW_PAGES * FUZZ_PAGE,
			    windows->mem + FUZZ_WINDOW_MEM(i) * FUZZ_PAGE);
}

static int put_guards(struct fuzz_windows *windows, uint64_t ipa, uint64_t n)
{
	if (pvm_range(&windows->vm->vcpus[0], HVC_RGUARD_MAP, ipa, n) < 0)
		return -EIO;
	fuzz_model_set(windows->model, ipa, n, FUZZ_GUARDED);
	return 0;
}

/**
 * fuzz_windows_create() - Make the windows of a guest
 * @windows: set to them.
 * @vm: the VM. MMIO around the windows reads as zero from now on.
 * @model: the model of its guest, which has not guarded the IPAs of windows yet.
 *
 * Each window is in one slot, over the same memory in part. While no vCPU of @vm runs.
 *
 * Return: 0 or a negative errno.
 */
int fuzz_windows_create(struct fuzz_windows *windows, struct pvm *vm, struct fuzz_model *model)
{
	size_t size = FUZZ_WINDOW_MEM_PAGES * FUZZ_PAGE;
	int err = 0;

	*windows = (struct fuzz_windows) { .vm = vm, .model = model };
	windows->fd = memfd_create("windows", MFD_CLOEXEC);
	if (windows->fd < 0 || ftruncate(windows->fd, size))
		return -errno;
	windows->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, windows->fd, 0);
	if (windows->mem == MAP_FAILED)
		return -errno;

	vm->zero_ipa = FUZZ_WINDOW_IPA(0);
	vm->zero_size = FUZZ_OFFER_IPA + FUZZ_PAGE - vm->zero_ipa;
	for (unsigned int i = 0; i < FUZZ_WINDOWS && !err; i++) {
		err = put_slot(windows, i);
		model->has_window[i] = !err;
		if (!err)
			err = put_guards(windows, FUZZ_WINDOW_IPA(i), FUZZ_WINDOW_PAGES);
	}
	return err ?: put_guards(windows, FUZZ_OFFER_IPA, 1);
}

/* Delete the slot of a window, or put it back. */
static int toggle(struct fuzz_windows *windows, unsigned int i)
{
	int err;

	if (!windows->model->has_window[i]) {
		windows->model->has_window[i] = true;
		return put_slot(windows, i);
	}
	err = pvm_set_slot(windows->vm, WINDOW_SLOT + i, 0, 0, 0, NULL);
	windows->model->has_window[i] = false;
	for (uint64_t page = 0; page < FUZZ_WINDOW_MEM_PAGES; page++)
		fuzz_model_take(windows->model, i, page);
	return err;
}

static int punch(struct fuzz_windows *windows, uint64_t page)
{
	if (fallocate(windows->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page * FUZZ_PAGE,
		      FUZZ_PAGE))
		return -errno;
	for (unsigned int i = 0; i < FUZZ_WINDOWS; i++)
		fuzz_model_take(windows->model, i, page);
	windows->model->window_contents[page] = 0;
	return 0;
}

/**
 * fuzz_windows_change() - Change windows, or their memory, as a host may at any time
 * @windows: the windows.
 * @random: says what to change.
 *
 * The model follows. While no vCPU of the VM runs.
 *
 * Return: 0 or a negative errno.
 */
int fuzz_windows_change(struct fuzz_windows *windows, uint64_t random)
{
	uint64_t page = random / 16 % FUZZ_WINDOW_MEM_PAGES;

	switch (random % 16) {
	case 0 ... 3:
		return toggle(windows, random / 16 % FUZZ_WINDOWS);
	case 4 ... 7:
		return punch(windows, page);
	default:
		windows->model->window_contents[page] = random;
		WRITE_ONCE(*(uint64_t *)(windows->mem + page * FUZZ_PAGE), random);
		return 0;
	}
}

/**
 * fuzz_windows_offer() - Answer a fault in a window with memory of the guest's
 * @windows: the windows.
 * @data: the memory behind the guest's data.
 * @page: the page of it that the host offers.
 *
 * The guest reads one page of IPA space, which it guards. If it owns @page, KVM_RUN has to fail,
 * and the access is MMIO once the slot is gone; else it reads what is in @page. Does nothing with a
 * page that the guest shares: the host would hold it after that, and calls on ranges end there.
 * While no vCPU of the VM runs.
 *
 * Return: 0; -EUCLEAN if the guest reads what it must not; another negative errno if a call fails.
 */
int fuzz_windows_offer(struct fuzz_windows *windows, uint8_t *data, uint64_t page)
{
	struct fuzz_model *model = windows->model;
	struct pvm_vcpu *vcpu = &windows->vm->vcpus[0];
	uint8_t state = model->granules[FUZZ_DATA + page];
	bool own = state == FUZZ_OWNED;
	uint64_t value;
	int err;

	if (!model->enrolled || state == FUZZ_SHARED ||
	    model->granules[FUZZ_OFFER_IPA / FUZZ_PAGE] != FUZZ_GUARDED)
		return 0;
	err = pvm_set_slot(windows->vm, OFFER_SLOT, KVM_MEM_ARM_STANDALONE, FUZZ_OFFER_IPA,
			   FUZZ_PAGE, data + page * FUZZ_PAGE);
	if (err)
		return err;
	err = pvm_load(vcpu, FUZZ_OFFER_IPA, &value);
	if (err != (own ? -EFAULT : 0) || (!own && value != model->contents[page]))
		return -EUCLEAN;
	windows->refused += own;
	windows->shown += !own;

	err = pvm_set_slot(windows->vm, OFFER_SLOT, 0, 0, 0, NULL);
	if (err || !own)
		return err;
	err = pvm_run(vcpu);
	if (!err && vcpu->results[0])
		err = -EUCLEAN;
	return err;
}

/**
 * fuzz_windows_hold() - Check what the host sees of the memory of windows
 * @windows: the windows.
 *
 * While no vCPU of the VM runs.
 *
 * Return: whether each page has the contents that the model predicts.
 */
bool fuzz_windows_hold(const struct fuzz_windows *windows)
{
	for (uint64_t page = 0; page < FUZZ_WINDOW_MEM_PAGES; page++) {
		if (READ_ONCE(*(uint64_t *)(windows->mem + page * FUZZ_PAGE)) !=
		    windows->model->window_contents[page])
			return false;
	}
	return true;
}
