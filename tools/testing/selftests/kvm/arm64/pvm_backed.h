/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected VMs with one memslot, whose memory is anonymous, a memfd's or another file's, for tests
 * of what the host can do with that memory and with the file.
 */
#ifndef SELFTEST_KVM_PVM_BACKED_H
#define SELFTEST_KVM_PVM_BACKED_H

#include <stddef.h>
#include <stdint.h>

#include "pvm.h"

struct pvm_backed {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	unsigned int nr_pages;
	size_t size;
	/* The file with the memory, unless that is anonymous. */
	int fd;
	uint8_t *mem;
	/* For pvm_log_complains(). */
	int log;
	/* pages_forced before there was the VM. */
	long forced;
};

int pvm_backed_create(struct pvm_backed *backed, int fd, int flags, unsigned int nr_pages);
void pvm_backed_free(struct pvm_backed *backed);
long pvm_backed_forced(struct pvm_backed *backed);

#endif /* SELFTEST_KVM_PVM_BACKED_H */
