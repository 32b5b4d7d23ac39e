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

#include "pvm_backed.h"

#define PVM_SECRET	0x5ec2e75ec2e75ec2UL
/* The value that the host tries to write. */
#define PVM_FOREIGN	0x405e405e405e405eUL

enum pvm_fate {
	PVM_KEPT,	/* the guest has its page and its secret */
	PVM_LOST,	/* the host has the page, and the guest's accesses fail */
	PVM_BROKEN,	/* neither */
};

int pvm_secrets_create(struct pvm_backed *secrets, int flags, unsigned int nr_pages);
enum pvm_fate pvm_secrets_fate(struct pvm_backed *secrets, unsigned int page);
bool pvm_secrets_in(const void *memory, size_t size);

#endif /* SELFTEST_KVM_PVM_SECRET_H */
