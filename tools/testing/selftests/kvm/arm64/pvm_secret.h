/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A protected VM with secrets in its memory, for tests of the host's access paths to private pages.
 * Each access ends in one of two ways: it fails and the guest keeps the page, or the host reclaims
 * the page by force, zeroed, and the guest's next access fails.
 */
#ifndef SELFTEST_KVM_PVM_SECRET_H
#define SELFTEST_KVM_PVM_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pvm.h"

#define PVM_SECRET	0x5ec2e75ec2e75ec2UL
/* The value that the host tries to write. */
#define PVM_FOREIGN	0x405e405e405e405eUL

enum pvm_fate {
	PVM_KEPT,	/* the guest has its page and its secret */
	PVM_LOST,	/* the host has the page, and the guest's accesses fail */
	PVM_BROKEN,	/* neither */
};

struct pvm_secrets {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	unsigned int nr_pages;
	size_t size;
	/* The memfd with the memory, for MAP_SHARED. */
	int fd;
	uint8_t *mem;
	int log;
	/* pages_forced before there was the VM. */
	long forced;
};

int pvm_secrets_create(struct pvm_secrets *secrets, int flags, unsigned int nr_pages);
void pvm_secrets_free(struct pvm_secrets *secrets);
long pvm_secrets_forced(struct pvm_secrets *secrets);
enum pvm_fate pvm_secrets_fate(struct pvm_secrets *secrets, unsigned int page);
bool pvm_secrets_in(const void *memory, size_t size);

#endif /* SELFTEST_KVM_PVM_SECRET_H */
