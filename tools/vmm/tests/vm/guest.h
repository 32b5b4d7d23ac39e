/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What entry.S and guest.c of the test guest need of each other.
 */
#ifndef VMM_TEST_GUEST_H
#define VMM_TEST_GUEST_H

#include <stdint.h>

/* Which case, and whether the VM is protected; vm.py writes it. */
extern const uint64_t parameter;

/* Where CPU_ON starts a CPU, its number in x0. */
extern const char secondary_entry[];

void guest_main(uint64_t cpu);
void guest_exception(void);

#endif /* VMM_TEST_GUEST_H */
