// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkvm_emulator [ROUNDS]: the Android Emulator's use of stand-alone memslots, on VMs of both kinds.
 *
 * A VMM maps a buffer of 512 MiB into the guest, close to the top of an IPA space of 40 bits,
 * unmaps it, maps another one whose addresses overlap the first in the host, and unmaps that. Two
 * vCPUs access the first and the last page of the buffer all the time, each from a thread of its
 * own, and so meet each change in the middle of an access.
 *
 * Rule: an access gets to the buffer that is there, or to no memory if there is none. After ROUNDS
 * rounds the host has its memory back, and EL2's tables and counts are what they were.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <linux/sizes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "pvm.h"
#include "pvm_dump.h"
#include "pvm_probe.h"
#include "pvm_window.h"

#define DEFAULT_ROUNDS	20
/* How many rounds of a long run are reported. */
#define REPORT		1000
/* Rounds before the first count, which fill caches. */
#define WARM_UP		20

#define BUFFER_SIZE	((uint64_t)SZ_512M)
#define BUFFER_IPA	((1UL << 40) - SZ_2G)
/* The addresses of the emulator's buffers. */
#define FIRST		((uint8_t *)0x7f14e070000UL)
#define SECOND		((uint8_t *)0x7f14de70000UL)
#define SPAN		((size_t)(FIRST - SECOND) + BUFFER_SIZE)

#define VCPUS		2
/* How often a vCPU stores before it loads, and how long its thread sleeps after that. */
#define STORES		8
#define PAUSE_USEC	50
/* Seconds for an access of each vCPU: enough on a busy machine. */
#define PATIENCE	30
/* Pages that a host may take for itself in a run. One for each round would be more. */
#define LOST_PAGES(rounds)	(128 + (long)(rounds) / 10)

struct access {
	struct pvm_vcpu *vcpu;
	pthread_t thread;
	uint64_t ipa;
	/* What it stores; not 0. */
	uint64_t value;
	/* How many times it has read; written by its thread, like the first error. */
	unsigned long loads;
	int err;
};

struct emulator {
	struct pvm vm;
	struct access access[VCPUS];
	bool end;
};

static struct emulator emulator;

/* What EL2 and the host have. */
struct state {
	long tables;
	long metadata;
	long annotated;
	long held;
	long free;
};

/* The guest stores and loads all the time, and finds 0 where it has not stored since. */
static void *access_buffer(void *arg)
{
	struct access *access = arg;
	uint64_t value;
	int err = 0;

	while (!err && !READ_ONCE(emulator.end)) {
		err = pvm_command(access->vcpu, PVM_FILL, access->ipa, access->value, STORES, 0);
		if (!err)
			err = pvm_load(access->vcpu, access->ipa, &value);
		if (!err && value && value != access->value)
			err = -EBADMSG;
		access->loads++;
		usleep(PAUSE_USEC);
	}
	WRITE_ONCE(access->err, err);
	return NULL;
}

/* The word to which vCPU @i stores, in the buffer at @mem. */
static uint64_t *word_of(uint8_t *mem, int i)
{
	return (uint64_t *)(mem + (i ? BUFFER_SIZE - getpagesize() : 0));
}

static int wait_for_stores(uint8_t *mem)
{
	time_t start = time(NULL);

	for (int i = 0; i < VCPUS; ) {
		struct access *access = &emulator.access[i];

		if (READ_ONCE(*word_of(mem, i)) == access->value) {
			i++;
			continue;
		}
		if (READ_ONCE(access->err) || time(NULL) - start > PATIENCE)
			return READ_ONCE(access->err) ?: -ETIMEDOUT;
		usleep(PAUSE_USEC);
	}
	return 0;
}

/*
 * Map the buffer at @mem until each vCPU has stored to it, and unmap it. Nothing has got to the
 * buffer at @last, which was there before, in the meantime.
 */
static int map_and_unmap(uint8_t *mem, uint8_t *last)
{
	int err = pvm_window_add(&emulator.vm, 0, BUFFER_IPA, BUFFER_SIZE, mem);

	if (!err)
		err = wait_for_stores(mem);
	for (int i = 0; i < VCPUS && !err; i++) {
		if (READ_ONCE(*word_of(last, i)))
			err = -EUCLEAN;
	}
	if (!err)
		err = pvm_window_del(&emulator.vm, 0);
	for (int i = 0; i < VCPUS; i++)
		WRITE_ONCE(*word_of(mem, i), 0);
	return err;
}

static int run_rounds(unsigned long rounds)
{
	for (unsigned long i = 0; i < rounds; i++) {
		int err = map_and_unmap(FIRST, SECOND) ?: map_and_unmap(SECOND, FIRST);

		if (err) {
			ksft_print_msg("round %lu: %s\n", i, strerror(-err));
			return err;
		}
		if ((i + 1) % REPORT == 0)
			ksft_print_msg("%lu rounds so far\n", i + 1);
	}
	return 0;
}

static void read_state(struct state *state)
{
	struct pvm_dump dump;

	if (pvm_dump_read(&dump, PVM_HOST_DUMP))
		ksft_exit_fail_msg("there is no dump of the host's stage-2\n");
	state->annotated = dump.total[PVM_DUMP_ANNOTATED];
	pvm_dump_free(&dump);
	state->tables = pvm_proc_number("/proc/meminfo", "SecPageTables");
	state->metadata = pvm_stat("metadata_pages_donated") - pvm_stat("metadata_pages_returned");
	state->held = pvm_window_held();
	state->free = pvm_free_pages();
}

static bool same_state(const struct state *before, unsigned long rounds)
{
	struct state now;

	read_state(&now);
	ksft_print_msg("tables %ld to %ld KiB, metadata %ld to %ld, annotated %ld to %ld\n",
		       before->tables, now.tables, before->metadata, now.metadata,
		       before->annotated, now.annotated);
	ksft_print_msg("shared %ld to %ld, free %ld to %ld pages\n", before->held, now.held,
		       before->free, now.free);
	return now.tables == before->tables && now.metadata == before->metadata &&
	       now.annotated == before->annotated && now.held == before->held &&
	       before->free - now.free < LOST_PAGES(rounds);
}

static int begin(unsigned long type)
{
	struct pvm *vm = &emulator.vm;
	int err = pvm_create(vm, type, VCPUS, 0);

	if (err)
		return err;
	emulator.end = false;
	/* Without the buffer the guest reads zeroes, and what it writes is lost. */
	vm->zero_ipa = BUFFER_IPA;
	vm->zero_size = BUFFER_SIZE;
	if (type == KVM_VM_TYPE_ARM_PROTECTED &&
	    (pvm_enroll(vm) || pvm_window_guard(&vm->vcpus[0], BUFFER_IPA, BUFFER_SIZE) < 0))
		return -EIO;
	err = pvm_cpu_on(vm, 1);
	for (int i = 0; i < VCPUS && !err; i++) {
		struct access *access = &emulator.access[i];

		*access = (struct access) {
			.vcpu = &vm->vcpus[i],
			.ipa = BUFFER_IPA + (i ? BUFFER_SIZE - getpagesize() : 0),
			.value = i + 1,
		};
		err = -pthread_create(&access->thread, NULL, access_buffer, access);
	}
	return err;
}

static void end(void)
{
	WRITE_ONCE(emulator.end, true);
	for (int i = 0; i < VCPUS; i++)
		pthread_join(emulator.access[i].thread, NULL);
}

static void test(const char *name, unsigned long type, unsigned long rounds)
{
	struct timespec from, to;
	struct state before;
	int err = begin(type);

	if (err)
		ksft_exit_fail_msg("%s: no VM: %s\n", name, strerror(-err));
	err = run_rounds(WARM_UP);
	read_state(&before);
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (!err)
		err = run_rounds(rounds);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ksft_print_msg("%s: %lu rounds in %ld s, %lu and %lu loads\n", name, rounds,
		       to.tv_sec - from.tv_sec, emulator.access[0].loads, emulator.access[1].loads);
	ksft_test_result(!err, "%s_buffers_come_and_go\n", name);
	ksft_test_result(same_state(&before, rounds), "%s_nothing_is_left\n", name);
	end();
	pvm_free(&emulator.vm);
	ksft_test_result(pvm_stat("metadata_pages_donated") == pvm_stat("metadata_pages_returned"),
			 "%s_is_gone\n", name);
}

int main(int argc, char *argv[])
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : DEFAULT_ROUNDS;
	int log;

	ksft_print_header();
	if (!pvm_host_is_protected())
		ksft_exit_skip("the host is not protected\n");
	if (argc > 2 || !rounds)
		ksft_exit_fail_msg("usage: pkvm_emulator [ROUNDS]\n");
	ksft_set_plan(7);
	log = pvm_log_open();
	if (mmap(SECOND, SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
		 MAP_FIXED_NOREPLACE, -1, 0) != SECOND)
		ksft_exit_fail_msg("the addresses of the buffers are in use\n");

	test("protected", KVM_VM_TYPE_ARM_PROTECTED, rounds);
	test("np", 0, rounds);
	ksft_test_result(log >= 0 && !pvm_log_complains(log), "the_host_does_not_complain\n");
	ksft_finished();
}
