/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How each capability of KVM is used, for the test that holds what a VM says of itself against what
 * it does.
 */
#ifndef SELFTEST_KVM_PVM_CAPS_H
#define SELFTEST_KVM_PVM_CAPS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/**
 * struct pvm_cap - A capability
 * @nr: its number.
 * @name: its name.
 * @use: uses what it stands for, in a VM of a type that affirms it by a value, and sees it work,
 *	by USE_CHECK(): 0, or a negative errno.
 * @refused: not NULL: tries to use it in a VM of a type that denies it, other than by
 *	KVM_ENABLE_CAP: the negative errno.
 * @refusal: the errno, negative, that it is refused with.
 */
struct pvm_cap {
	uint32_t nr;
	const char *name;
	int (*use)(unsigned long type, int value);
	int (*refused)(unsigned long type);
	int refusal;
};

/* Each ends with an entry without a name. */
extern const struct pvm_cap pvm_memory_caps[];
extern const struct pvm_cap pvm_irq_caps[];
extern const struct pvm_cap pvm_vcpu_caps[];

/* Whose use is under way. */
extern const char *pvm_used;

void pvm_use_check(bool good, const char *what, const char *file, int line);

/* A use that does not work ends the test, and says where. */
#define USE_CHECK(condition)	pvm_use_check(condition, #condition, __FILE__, __LINE__)

#endif /* SELFTEST_KVM_PVM_CAPS_H */
