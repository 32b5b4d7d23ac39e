/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that use KVM's capabilities, for pkvm_caps.
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
 * @use: makes a VM of a type for which KVM reports the capability, by this value, and checks by
 *	USE_CHECK() that it works there; returns 0 or a negative errno.
 * @refused: makes a VM of a type for which KVM does not report it, and tries to use it there, but
 *	not by KVM_ENABLE_CAP; returns the negative errno. NULL if there is no other way to use it.
 * @refusal: the negative errno that @refused must return.
 */
struct pvm_cap {
	uint32_t nr;
	const char *name;
	int (*use)(unsigned long type, int value);
	int (*refused)(unsigned long type);
	int refusal;
};

/* Each array ends with an entry without a name. */
extern const struct pvm_cap pvm_memory_caps[];
extern const struct pvm_cap pvm_irq_caps[];
extern const struct pvm_cap pvm_vcpu_caps[];

/* The name of the capability that is being used. */
extern const char *pvm_used;

void pvm_use_check(bool good, const char *what, const char *file, int line);

/* If the condition is false, print where, and end the test. */
#define USE_CHECK(condition)	pvm_use_check(condition, #condition, __FILE__, __LINE__)

#endif /* SELFTEST_KVM_PVM_CAPS_H */
