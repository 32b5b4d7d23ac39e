/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of a protected VM, one byte for each granule of its IPA space, which makes the guest's
 * calls and predicts their results. See fuzz_model.c.
 */
#ifndef SELFTEST_KVM_FUZZ_MODEL_H
#define SELFTEST_KVM_FUZZ_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "pvm.h"

#define FUZZ_PAGE	((uint64_t)getpagesize())
#define FUZZ_VCPUS	2

/* The size of the model, 32 GiB, has room for leaves of all sizes. */
#define FUZZ_SIZE	0x800000000UL
#define FUZZ_GRANULES	(FUZZ_SIZE / FUZZ_PAGE)
/* The size of a block one level above pages, in granules. */
#define FUZZ_BLOCK	(FUZZ_PAGE / sizeof(uint64_t))

/* The guest's data: the first granule and the number of pages. */
#define FUZZ_DATA	(PVM_DATA_IPA / FUZZ_PAGE)
#define FUZZ_PAGES	1024UL

/*
 * Two windows of the guest, each across the border of a block, and the memory behind them, which is
 * the same for the half of each. FUZZ_WINDOW_MEM(i) is the page where window i begins.
 */
#define FUZZ_WINDOWS		2
#define FUZZ_WINDOW_PAGES	16UL
#define FUZZ_WINDOW_MEM(i)	((i) * FUZZ_WINDOW_PAGES / 2)
#define FUZZ_WINDOW_MEM_PAGES	(FUZZ_WINDOW_MEM(FUZZ_WINDOWS - 1) + FUZZ_WINDOW_PAGES)
#define FUZZ_BORDER_IPA(i)	(0x20000000UL + (i) * FUZZ_BLOCK * FUZZ_PAGE)
#define FUZZ_WINDOW_IPA(i)	\
	(FUZZ_BORDER_IPA(1 + 2 * (i)) - FUZZ_WINDOW_PAGES / 2 * FUZZ_PAGE)
/* Where the host offers memory that may be the guest's, behind the windows. */
#define FUZZ_OFFER_IPA		FUZZ_BORDER_IPA(2 * FUZZ_WINDOWS)

/* The last granule of the model is memory, which ends each range of guards. */
#define FUZZ_WALL_IPA	(FUZZ_SIZE - FUZZ_PAGE)

/* The states of a granule. */
#define FUZZ_NOTHING	0x00
#define FUZZ_GUARDED	0x01
#define FUZZ_OWNED	0x02
#define FUZZ_SHARED	0x04
/* With FUZZ_GUARDED: the host shares a page there. */
#define FUZZ_WINDOW	0x08

/* The kinds of calls, for counting. */
enum fuzz_kind {
	FUZZ_INFO,
	FUZZ_SHARE,
	FUZZ_UNSHARE,
	FUZZ_RELINQUISH,
	FUZZ_GUARD,
	FUZZ_PSCI,
	FUZZ_UNKNOWN,
	FUZZ_KINDS,
};

struct fuzz_model {
	uint8_t *granules;
	/* The first word of each data page. */
	uint64_t contents[FUZZ_PAGES];

	/* The first word of each page behind the windows, and whether each window has its slot. */
	uint64_t window_contents[FUZZ_WINDOW_MEM_PAGES];
	bool has_window[FUZZ_WINDOWS];
	bool enrolled;
	/* How often the guest has faulted a page of a window in. */
	uint64_t window_faults;

	/* The number of granules now in each state; relinquished counts all calls. */
	uint64_t owned;
	uint64_t shared;
	uint64_t guarded;
	uint64_t windows;
	uint64_t relinquished;

	uint64_t calls[FUZZ_KINDS];
	uint64_t succeeded[FUZZ_KINDS];
	uint64_t pages_shared;
	uint64_t pages_unshared;

	/* The answers of ARCH_FEATURES for these, which depend on the CPU. */
	uint64_t workarounds[3];
};

extern const uint32_t fuzz_workaround_ids[3];

uint64_t fuzz_granules_in(uint64_t ipa, uint64_t granules);
void fuzz_model_set(struct fuzz_model *model, uint64_t ipa, uint64_t n, uint8_t state);
void fuzz_model_take(struct fuzz_model *model, unsigned int i, uint64_t page);
bool fuzz_model_follow(struct fuzz_model *model, const struct pvm_step *asked,
		       const uint64_t *got);

#endif /* SELFTEST_KVM_FUZZ_MODEL_H */
