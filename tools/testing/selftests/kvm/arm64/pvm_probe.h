/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers for the host in tests of protected KVM: accesses of a process to guest memory, the
 * kernel's counts of donated and reclaimed pages, and its log.
 */
#ifndef SELFTEST_KVM_PVM_PROBE_H
#define SELFTEST_KVM_PVM_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a fault of a protected guest donates the populated pages around it, too: Y or N. */
#define PVM_FAULT_AROUND	"/sys/module/kvm/parameters/pkvm_fault_around"

enum pvm_access {
	PVM_READ,
	PVM_WRITE,	/* of a zero byte */
	PVM_EXEC,	/* a call; an executable page must start with a RET */
};

int pvm_probe(void *address, enum pvm_access access);
uint64_t pvm_pfn(const void *address);
int pvm_map_file(void *memory, size_t size);
int pvm_force(int fd, size_t at);

long pvm_stat(const char *name);
long pvm_pages_returned(void);
long pvm_kvm_stat(int fd, const char *name);
long pvm_vmstat(const char *name);
long pvm_proc_number(const char *path, const char *name);
long pvm_number(const char *path);
int pvm_write(const char *path, const char *text);
long pvm_free_pages(void);

int pvm_log_open(void);
bool pvm_log_complains(int log);

#endif /* SELFTEST_KVM_PVM_PROBE_H */
