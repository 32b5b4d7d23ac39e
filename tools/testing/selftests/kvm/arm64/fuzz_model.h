/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plain model of a protected VM, one byte for each granule of its IPA space, which follows what
 * its guest asks for and says what the answers have to be. See fuzz_model.c.
 */
#ifndef SELFTEST_KVM_FUZZ_MODEL_H
#define SELFTEST_KVM_FUZZ_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "pvm.h"

#define FUZZ_PAGE	((uint64_t)getpagesize())
#define FUZZ_VCPUS	2

/* Large enough for leaves of all sizes: 32 GiB. */
#define FUZZ_SIZE	0x800000000UL
#define FUZZ_GRANULES	(FUZZ_SIZE / FUZZ_PAGE)
/* What a leaf one level up covers, in granules. */
#define FUZZ_BLOCK	(FUZZ_PAGE / sizeof(uint64_t))

/* The pages that the host has for the guest, from this granule on. */
#define FUZZ_DATA	(PVM_DATA_IPA / FUZZ_PAGE)
#define FUZZ_PAGES	1024UL

/* The last granule is memory, and no range goes on from there. */
#define FUZZ_WALL_IPA	(FUZZ_SIZE - FUZZ_PAGE)

/* What a granule is. */
#define FUZZ_NOTHING	0x00
#define FUZZ_GUARDED	0x01
#define FUZZ_OWNED	0x02
#define FUZZ_SHARED	0x04

/* How calls are counted. */
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
	/* The first word of each of the host's pages. */
	uint64_t contents[FUZZ_PAGES];

	/* Granules that are so now, or were given back, ever. */
	uint64_t owned;
	uint64_t shared;
	uint64_t guarded;
	uint64_t relinquished;

	uint64_t calls[FUZZ_KINDS];
	uint64_t succeeded[FUZZ_KINDS];
	uint64_t pages_shared;
	uint64_t pages_unshared;

	/* What ARCH_FEATURES says of these: the machine's own. */
	uint64_t workarounds[3];
};

extern const uint32_t fuzz_workaround_ids[3];

uint64_t fuzz_granules_in(uint64_t ipa, uint64_t granules);
void fuzz_model_set(struct fuzz_model *model, uint64_t ipa, uint64_t n, uint8_t state);
bool fuzz_model_follow(struct fuzz_model *model, const struct pvm_step *asked,
		       const uint64_t *got);

#endif /* SELFTEST_KVM_FUZZ_MODEL_H */
