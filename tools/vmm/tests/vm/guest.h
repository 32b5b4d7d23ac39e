/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that entry.S and guest.c of the test guest share.
 */
#ifndef VMM_TEST_GUEST_H
#define VMM_TEST_GUEST_H

#include <stdint.h>

/* Number of the case, and whether the VM is protected; vm.py writes it. */
extern const uint64_t parameter;

/* The address at which CPU_ON starts a CPU, with its number in x0. */
extern const char secondary_entry[];

void guest_main(uint64_t cpu);
void guest_exception(void);

#endif /* VMM_TEST_GUEST_H */
