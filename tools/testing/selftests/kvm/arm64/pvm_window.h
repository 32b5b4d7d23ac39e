/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows of VMs, for tests: memslots with KVM_MEM_ARM_STANDALONE, and the guards that a protected
 * guest needs for them.
 */
#ifndef SELFTEST_KVM_PVM_WINDOW_H
#define SELFTEST_KVM_PVM_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "pvm.h"

/* The IPA of windows, far from all other memory and channels. */
#define PVM_WINDOW_IPA		0x200000000UL

int64_t pvm_window_guard(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t size);
int pvm_window_add(struct pvm *vm, unsigned int window, uint64_t ipa, uint64_t size, void *mem);
int pvm_window_del(struct pvm *vm, unsigned int window);

uint64_t *pvm_window_word(uint8_t *mem, unsigned int page);
uint64_t pvm_window_pattern(unsigned int page);
void pvm_window_fill(uint8_t *mem, unsigned int nr);
int pvm_window_check(struct pvm_vcpu *vcpu, uint64_t ipa, unsigned int nr);

long pvm_window_pages(struct pvm *vm);
long pvm_window_held(void);
int pvm_window_returned(uint8_t *mem, size_t size);

#endif /* SELFTEST_KVM_PVM_WINDOW_H */
