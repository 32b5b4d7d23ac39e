/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The windows of a guest that fuzzes the hypervisor, and the host that takes them away and puts
 * them back between its batches. See fuzz_windows.c.
 */
#ifndef SELFTEST_KVM_FUZZ_WINDOWS_H
#define SELFTEST_KVM_FUZZ_WINDOWS_H

#include "fuzz_model.h"

struct fuzz_windows {
	struct pvm *vm;
	struct fuzz_model *model;
	/* The memory of all windows, a memfd's. */
	int fd;
	uint8_t *mem;
	/* What the host has offered that is the guest's own, and that is the host's. */
	uint64_t refused;
	uint64_t shown;
};

int fuzz_windows_create(struct fuzz_windows *windows, struct pvm *vm, struct fuzz_model *model);
int fuzz_windows_change(struct fuzz_windows *windows, uint64_t random);
int fuzz_windows_offer(struct fuzz_windows *windows, uint8_t *data, uint64_t page);
bool fuzz_windows_hold(const struct fuzz_windows *windows);

#endif /* SELFTEST_KVM_FUZZ_WINDOWS_H */
