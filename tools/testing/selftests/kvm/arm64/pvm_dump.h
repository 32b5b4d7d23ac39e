/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dumps of stage-2 tables in debugfs, for tests that compare them with what guest and host did.
 */
#ifndef SELFTEST_KVM_PVM_DUMP_H
#define SELFTEST_KVM_PVM_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PVM_HOST_DUMP		"/sys/kernel/debug/kvm/host_stage2_page_tables"
#define PVM_HOST_SWEEP		"/sys/kernel/debug/kvm/host_stage2_sweep"

/* Totals of a dump, in this order. */
enum pvm_dump_total {
	PVM_DUMP_LEAVES_L1,
	PVM_DUMP_LEAVES_L2,
	PVM_DUMP_LEAVES_L3,
	PVM_DUMP_ANNOTATED,
	PVM_DUMP_TABLES,
	PVM_DUMP_REFERENCES,
	PVM_DUMP_TOTALS,
};

/* A line of a dump: a run of adjacent entries that are equal. */
struct pvm_dump_run {
	uint64_t start;
	uint64_t last;
	int level;
	unsigned int nr;
	unsigned long kib;
	char what[64];
};

struct pvm_dump {
	struct pvm_dump_run *run;
	size_t nr_runs;
	long total[PVM_DUMP_TOTALS];
	/* The number of tables of the first level, to which no entry points. */
	long roots;
	/* The number of faults that the host has taken so far; -1 in the dump of a VM. */
	long faults;
};

int pvm_dump_parse(struct pvm_dump *dump, char *text);
int pvm_dump_read(struct pvm_dump *dump, const char *path);
void pvm_dump_free(struct pvm_dump *dump);
const char *pvm_dump_unsound(const struct pvm_dump *dump, bool host);
const struct pvm_dump_run *pvm_dump_at(const struct pvm_dump *dump, uint64_t address);

#endif /* SELFTEST_KVM_PVM_DUMP_H */
