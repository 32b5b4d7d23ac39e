/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's side of the tests of protected KVM: what a process meets that touches the memory of a
 * guest, and what the kernel says that it gave to guests and got back.
 */
#ifndef SELFTEST_KVM_PVM_PROBE_H
#define SELFTEST_KVM_PVM_PROBE_H

#include <stdint.h>

enum pvm_access {
	PVM_READ,
	PVM_WRITE,	/* of a zero byte */
	PVM_EXEC,	/* a call: there has to be a RET if the access is allowed */
};

/*
 * Make one access. 0 if it went well, the si_code of its SIGSEGV if that named the right address,
 * else -1. Not for several threads at once.
 */
int pvm_probe(void *address, enum pvm_access access);

/* One of the counters of the host, by its name in /sys/kernel/debug/kvm/pkvm_stats; -1 if none. */
long pvm_stat(const char *name);

/* A number from a file of lines "NAME: NUMBER ..." such as /proc/meminfo; -1 if none. */
long pvm_proc_number(const char *path, const char *name);

/* The host's free memory in KiB, with caches dropped and what is freed late waited for. */
long pvm_free_kib(void);

#endif /* SELFTEST_KVM_PVM_PROBE_H */
