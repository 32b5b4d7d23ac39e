// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model of a guest that fuzzes the hypervisor: what each call does to its IPA space, and what
 * it returns in each register. It implements the ABI independently of EL2's code, with one
 * exception: EL2 may end a call on a range of guards early, within limits (see may_stop()).
 */
#include <string.h>

#include "kselftest.h"
#include "fuzz_model.h"

#define ANY	0xff

/* ARCH_WORKAROUND_1..3 */
const uint32_t fuzz_workaround_ids[3] = {
	ARM_SMCCC_ARCH_WORKAROUND_1, ARM_SMCCC_ARCH_WORKAROUND_2, ARM_SMCCC_ARCH_WORKAROUND_3,
};

static bool is_data(uint64_t granule)
{
	return granule - FUZZ_DATA < FUZZ_PAGES;
}

/* Count the granules from @first on, up to @limit, that have @state in the bits of @mask. */
static uint64_t run_length(const struct fuzz_model *model, uint64_t first, uint64_t limit,
			   uint8_t mask, uint8_t state)
{
	const uint64_t ones = ~0UL / 0xff;
	uint64_t n = 0;

	while (n < limit) {
		const uint8_t *at = model->granules + first + n;

		/* Compare eight at once, since there are millions of granules. */
		if ((uintptr_t)at % 8 == 0 && limit - n >= 8 &&
		    (*(const uint64_t *)at & ones * mask) == ones * state)
			n += 8;
		else if ((*at & mask) == state)
			n++;
		else
			break;
	}
	return n;
}

static void set_granules(struct fuzz_model *model, uint64_t first, uint64_t n, uint8_t state)
{
	memset(model->granules + first, state, n);
}

/**
 * fuzz_model_set() - Set the initial state of granules
 * @model: the model.
 * @ipa: the IPA of the first granule, in bytes; all were FUZZ_NOTHING.
 * @n: the number of granules.
 * @state: FUZZ_GUARDED, FUZZ_OWNED or FUZZ_SHARED.
 *
 * For one thread at a time.
 */
void fuzz_model_set(struct fuzz_model *model, uint64_t ipa, uint64_t n, uint8_t state)
{
	set_granules(model, ipa / FUZZ_PAGE, n, state);
	model->guarded += state == FUZZ_GUARDED ? n : 0;
	model->owned += state == FUZZ_OWNED ? n : 0;
	model->shared += state == FUZZ_SHARED ? n : 0;
}

static bool answered(const uint64_t *got, int64_t r0, uint64_t r1, uint64_t r2, uint64_t r3)
{
	return (int64_t)got[0] == r0 && got[1] == r1 && got[2] == r2 && got[3] == r3;
}

static bool refused(const uint64_t *got)
{
	return answered(got, HVC_INVALID_PARAMETER, 0, 0, 0);
}

/**
 * fuzz_granules_in() - Count the granules of a range that are in the model
 * @ipa: the start of the range, in bytes.
 * @granules: the length of the range in granules, of any size.
 *
 * Return: the number of granules; 0 if @ipa is not aligned or lies behind the model.
 */
uint64_t fuzz_granules_in(uint64_t ipa, uint64_t granules)
{
	uint64_t first = ipa / FUZZ_PAGE;

	if (ipa % FUZZ_PAGE || first >= FUZZ_GRANULES)
		return 0;
	return granules < FUZZ_GRANULES - first ? granules : FUZZ_GRANULES - first;
}

/* An access to a missing page: the host donates the page. */
static void touch(struct fuzz_model *model, uint64_t granule)
{
	if (is_data(granule) && model->granules[granule] == FUZZ_NOTHING) {
		model->granules[granule] = FUZZ_OWNED;
		model->owned++;
	}
}

/* EL2 asks the host for a page. The host donates all missing pages of the range up to a guard. */
static void give_pages(struct fuzz_model *model, uint64_t first, uint64_t n)
{
	for (uint64_t i = first; i < first + n && is_data(i); i++) {
		if (model->granules[i] == FUZZ_GUARDED)
			break;
		touch(model, i);
	}
}

static bool follow_share(struct fuzz_model *model, const uint64_t *args, const uint64_t *got)
{
	uint64_t n = fuzz_granules_in(args[1], args[2] ?: 1);
	uint64_t first = args[1] / FUZZ_PAGE;

	if (!n || args[3])
		return refused(got);
	if (model->granules[first] == FUZZ_NOTHING)
		give_pages(model, first, n < PVM_RANGE_MAX ? n : PVM_RANGE_MAX);
	n = run_length(model, first, n < PVM_RANGE_MAX ? n : PVM_RANGE_MAX, ANY, FUZZ_OWNED);
	if (!n)
		return refused(got);

	set_granules(model, first, n, FUZZ_SHARED);
	model->owned -= n;
	model->shared += n;
	model->pages_shared += n;
	return answered(got, HVC_SUCCESS, n, 0, 0);
}

static bool follow_unshare(struct fuzz_model *model, const uint64_t *args, const uint64_t *got)
{
	uint64_t n = fuzz_granules_in(args[1], args[2] ?: 1);
	uint64_t first = args[1] / FUZZ_PAGE;

	if (!n || args[3])
		return refused(got);
	n = run_length(model, first, n < PVM_UNSHARE_MAX ? n : PVM_UNSHARE_MAX, ANY, FUZZ_SHARED);
	if (!n)
		return refused(got);

	set_granules(model, first, n, FUZZ_OWNED);
	model->owned += n;
	model->shared -= n;
	model->pages_unshared += n;
	return answered(got, HVC_SUCCESS, n, 0, 0);
}

static bool follow_relinquish(struct fuzz_model *model, const uint64_t *args, const uint64_t *got)
{
	uint64_t granule = args[1] / FUZZ_PAGE;

	if (!fuzz_granules_in(args[1], 1) || args[2] || args[3] ||
	    model->granules[granule] != FUZZ_OWNED)
		return refused(got);

	model->granules[granule] = FUZZ_NOTHING;
	model->contents[granule - FUZZ_DATA] = 0;
	model->owned--;
	model->relinquished++;
	return answered(got, HVC_SUCCESS, 0, 0, 0);
}

/* Count the granules of a range where the host shares pages. */
static uint64_t windows_in(const struct fuzz_model *model, uint64_t first, uint64_t n)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < FUZZ_WINDOWS; i++) {
		uint64_t at = FUZZ_WINDOW_IPA(i) / FUZZ_PAGE;

		for (uint64_t page = 0; page < FUZZ_WINDOW_PAGES; page++)
			count += at + page - first < n && model->granules[at + page] & FUZZ_WINDOW;
	}
	return count;
}

/**
 * fuzz_model_take() - Take a page of the host from a window, if it is there
 * @model: the model.
 * @i: the window.
 * @page: the page of the memory behind all windows.
 *
 * For one thread at a time.
 */
void fuzz_model_take(struct fuzz_model *model, unsigned int i, uint64_t page)
{
	uint64_t at = FUZZ_WINDOW_IPA(i) / FUZZ_PAGE + page - FUZZ_WINDOW_MEM(i);

	if (page - FUZZ_WINDOW_MEM(i) >= FUZZ_WINDOW_PAGES || !(model->granules[at] & FUZZ_WINDOW))
		return;
	model->granules[at] = FUZZ_GUARDED;
	model->windows--;
	model->guarded++;
}

/*
 * Check whether EL2 may end a call on a range of guards here, before the end of the range: at the
 * border of a leaf that EL2 has to split without a table for it, or after many leaves.
 */
static bool may_stop(uint64_t first, uint64_t done)
{
	return (first + done) % FUZZ_BLOCK == 0 || done >= PVM_RANGE_MAX / 2;
}

/* Put guards where there are none. What is in a window stays there. */
static void add_guards(struct fuzz_model *model, uint64_t first, uint64_t n)
{
	uint64_t end = first + n;

	while (first < end) {
		uint64_t new = run_length(model, first, end - first, ANY, FUZZ_NOTHING);

		set_granules(model, first, new, FUZZ_GUARDED);
		model->guarded += new;
		first += new;
		first += run_length(model, first, end - first, FUZZ_GUARDED, FUZZ_GUARDED);
	}
}

static bool follow_guard(struct fuzz_model *model, const uint64_t *args, const uint64_t *got)
{
	uint32_t id = args[0];
	bool map = id == HVC_GUARD_MAP || id == HVC_RGUARD_MAP;
	bool range = id == HVC_RGUARD_MAP || id == HVC_RGUARD_UNMAP;
	uint64_t n = fuzz_granules_in(args[1], range ? args[2] : 1);
	uint64_t first = args[1] / FUZZ_PAGE;
	uint64_t done = range ? got[1] : 1;

	if (!n || (range && args[3]))
		return refused(got);
	if (map)
		n = run_length(model, first, n, FUZZ_OWNED | FUZZ_SHARED, FUZZ_NOTHING);
	else
		n = run_length(model, first, n, FUZZ_GUARDED, FUZZ_GUARDED);
	if (!n)
		return refused(got);
	if (!done || done > n || (done < n && !may_stop(first, done)))
		return false;

	if (map) {
		add_guards(model, first, done);
	} else {
		uint64_t windows = windows_in(model, first, done);

		model->guarded -= done - windows;
		model->windows -= windows;
		set_granules(model, first, done, FUZZ_NOTHING);
	}
	return answered(got, HVC_SUCCESS, range ? done : 0, 0, 0);
}

static int64_t arch_feature(const struct fuzz_model *model, uint32_t id)
{
	for (int i = 0; i < 3; i++) {
		if (id == fuzz_workaround_ids[i])
			return model->workarounds[i];
	}
	return id == HVC_SMCCC_VERSION || id == HVC_ARCH_FEATURES ? 0 : HVC_NOT_SUPPORTED;
}

static int64_t psci_feature(uint32_t id)
{
	static const uint32_t known[] = {
		PSCI_0_2_FN_PSCI_VERSION, PSCI_0_2_FN_CPU_SUSPEND, PSCI_0_2_FN64_CPU_SUSPEND,
		PSCI_0_2_FN_CPU_OFF, PSCI_0_2_FN_CPU_ON, PSCI_0_2_FN64_CPU_ON,
		PSCI_0_2_FN_AFFINITY_INFO, PSCI_0_2_FN64_AFFINITY_INFO,
		PSCI_0_2_FN_MIGRATE_INFO_TYPE, PSCI_0_2_FN_SYSTEM_OFF, PSCI_0_2_FN_SYSTEM_RESET,
		PSCI_1_0_FN_PSCI_FEATURES, PSCI_1_1_FN_SYSTEM_RESET2, PSCI_1_1_FN64_SYSTEM_RESET2,
		ARM_SMCCC_VERSION_FUNC_ID,
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (id == known[i])
			return 0;
	}
	return HVC_NOT_SUPPORTED;
}

/* All vCPUs are on, and MPIDR_EL1.Aff0 is their index. -2: INVALID_PARAMETERS. */
static int64_t affinity_info(uint64_t affinity, uint64_t level)
{
	static const unsigned int shifts[] = { 0, 8, 16, 32 };

	if (level > 3 || affinity & ~0xff00ffffffUL)
		return -2;
	return affinity >> shifts[level] < (level ? 1 : FUZZ_VCPUS) ? 0 : -2;
}

static int64_t psci(const uint64_t *args)
{
	uint32_t id = args[0];
	uint64_t mask = id & 1U << 30 ? ~0UL : UINT32_MAX;

	switch (id) {
	case HVC_PSCI_VERSION:
		return 0x10001;
	case HVC_PSCI_FEATURES:
		return psci_feature(args[1]);
	case PSCI_0_2_FN_CPU_ON:
	case HVC_PSCI_CPU_ON:
		/* ALREADY_ON */
		return (args[1] & mask & 0xff00ffffffUL) == (args[1] & mask) &&
		       (args[1] & mask) < FUZZ_VCPUS ? -4 : -2;
	case PSCI_0_2_FN_AFFINITY_INFO:
	case HVC_PSCI_AFFINITY_INFO:
		return affinity_info(args[1] & mask, args[2] & mask);
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
		/* No trusted OS that needs migration. */
		return 2;
	default:
		return HVC_NOT_SUPPORTED;
	}
}

static bool is_psci(uint32_t id)
{
	return (id & ~(1U << 30)) - HVC_PSCI_VERSION < 0x20;
}

static enum fuzz_kind kind_of(uint32_t id)
{
	switch (id) {
	case HVC_SMCCC_VERSION:
	case HVC_ARCH_FEATURES:
	case HVC_CALL_UID:
	case HVC_FEATURES:
	case HVC_HYP_MEMINFO:
	case HVC_GUARD_INFO:
		return FUZZ_INFO;
	case HVC_MEM_SHARE:
		return FUZZ_SHARE;
	case HVC_MEM_UNSHARE:
		return FUZZ_UNSHARE;
	case HVC_MEM_RELINQUISH:
		return FUZZ_RELINQUISH;
	case HVC_GUARD_ENROLL:
	case HVC_GUARD_MAP:
	case HVC_GUARD_UNMAP:
	case HVC_RGUARD_MAP:
	case HVC_RGUARD_UNMAP:
		return FUZZ_GUARD;
	default:
		return is_psci(id) ? FUZZ_PSCI : FUZZ_UNKNOWN;
	}
}

/* Make a call in the model. Return whether the guest got the predicted results. */
static bool follow_call(struct fuzz_model *model, const uint64_t *args, const uint64_t *got)
{
	uint32_t id = args[0];

	switch (id) {
	case HVC_SMCCC_VERSION:
		return answered(got, 0x10001, 0, 0, 0);
	case HVC_ARCH_FEATURES:
		return answered(got, arch_feature(model, args[1]), 0, 0, 0);
	case HVC_CALL_UID:
		return answered(got, ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_0,
				ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_1,
				ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_2,
				ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_3);
	case HVC_FEATURES:
		return answered(got, PKVM_GUEST_FEATURES, 0, 0, 0);
	case HVC_HYP_MEMINFO:
	case HVC_GUARD_INFO:
		if (args[1] || args[2] || args[3])
			return refused(got);
		return answered(got, FUZZ_PAGE, 1, 0, 0);
	case HVC_MEM_SHARE:
		return follow_share(model, args, got);
	case HVC_MEM_UNSHARE:
		return follow_unshare(model, args, got);
	case HVC_MEM_RELINQUISH:
		return follow_relinquish(model, args, got);
	case HVC_GUARD_ENROLL:
		model->enrolled = true;
		return answered(got, HVC_SUCCESS, 0, 0, 0);
	case HVC_GUARD_MAP:
	case HVC_GUARD_UNMAP:
	case HVC_RGUARD_MAP:
	case HVC_RGUARD_UNMAP:
		return follow_guard(model, args, got);
	default:
		return answered(got, is_psci(id) ? psci(args) : HVC_NOT_SUPPORTED, 0, 0, 0);
	}
}

/* An access to a guarded IPA: to the page of the host if there is a slot, else MMIO of zeroes. */
static bool follow_window(struct fuzz_model *model, unsigned int i, const struct pvm_step *asked,
			  const uint64_t *got)
{
	uint64_t at = asked->regs[0] / FUZZ_PAGE;
	uint64_t page = at - FUZZ_WINDOW_IPA(i) / FUZZ_PAGE + FUZZ_WINDOW_MEM(i);

	if (!model->enrolled || !model->has_window[i])
		return asked->command == PVM_STORE || !got[0];
	if (!(model->granules[at] & FUZZ_WINDOW)) {
		model->granules[at] |= FUZZ_WINDOW;
		model->guarded--;
		model->windows++;
		model->window_faults++;
	}
	if (asked->command == PVM_LOAD)
		return got[0] == model->window_contents[page];
	model->window_contents[page] = asked->regs[1];
	return true;
}

static bool follow_touch(struct fuzz_model *model, const struct pvm_step *asked,
			 const uint64_t *got)
{
	uint64_t page = asked->regs[0] / FUZZ_PAGE - FUZZ_DATA;

	for (unsigned int i = 0; i < FUZZ_WINDOWS; i++) {
		if (asked->regs[0] - FUZZ_WINDOW_IPA(i) < FUZZ_WINDOW_PAGES * FUZZ_PAGE)
			return follow_window(model, i, asked, got);
	}
	touch(model, FUZZ_DATA + page);
	if (asked->command == PVM_LOAD)
		return got[0] == model->contents[page];
	model->contents[page] = asked->regs[1];
	return true;
}

/**
 * fuzz_model_follow() - Make a step of the guest in the model
 * @model: the model.
 * @asked: the step of the guest.
 * @got: x0..x3 of the guest after the step.
 *
 * For one thread at a time.
 *
 * Return: whether @got is what the model predicts. If not, the model must not be used any more.
 */
bool fuzz_model_follow(struct fuzz_model *model, const struct pvm_step *asked,
		       const uint64_t *got)
{
	enum fuzz_kind kind = kind_of(asked->regs[0]);

	if (asked->command != PVM_HVC)
		return follow_touch(model, asked, got);
	model->calls[kind]++;
	model->succeeded[kind] += (int64_t)got[0] >= 0;
	return follow_call(model, asked->regs, got);
}

