// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkvm_starts [SEED [STARTS]]: VMs with two vCPUs, protected and non-protected, that start, work
 * for a moment and die, four at a time, on a host whose CPUs are all busy.
 *
 * Rule: KVM_RUN never fails. It failed once when host and EL2 disagreed about which vCPU is loaded
 * on a CPU, after a thread was preempted or migrated at a bad moment. So the threads of each VM
 * compete with others and migrate between CPUs. All four VMs die before the next four start: the
 * kernel patches its scheduler at the first and the last VM, which thus happens as often as
 * possible.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "pvm.h"
#include "pvm_probe.h"

#define AT_A_TIME		4
#define DEFAULT_STARTS		40
#define COMPETITORS		2
/* The number of stores and loads of a vCPU, which sometimes migrates in between. */
#define STEPS			8
#define PAGES			4

static int failures;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void move(uint64_t *random)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(next_random(random) % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

struct job {
	struct pvm_vcpu *vcpu;
	uint64_t random;
	int err;
};

static int work(struct job *job)
{
	uint64_t base = PVM_DATA_IPA + job->vcpu->index * PAGES * getpagesize();

	for (int i = 0; i < STEPS; i++) {
		uint64_t ipa = base + next_random(&job->random) % PAGES * getpagesize();
		uint64_t value = next_random(&job->random), got;
		int err;

		if (i % 4 == 0)
			move(&job->random);
		err = pvm_store(job->vcpu, ipa, value);
		if (!err)
			err = pvm_load(job->vcpu, ipa, &got);
		if (err)
			return err;
		if (got != value)
			return -EBADMSG;
	}
	return 0;
}

static void *work_thread(void *arg)
{
	struct job *job = arg;

	job->err = work(job);
	return NULL;
}

/* Run one VM from its creation to its death. Return 0 or a negative errno. */
static int start_vm(uint64_t random)
{
	unsigned long type = random & 1 ? KVM_VM_TYPE_ARM_PROTECTED : 0;
	struct job jobs[2] = { { .random = random | 1 }, { .random = ~random | 1 } };
	pthread_t thread;
	struct pvm vm;
	int err;

	err = pvm_create(&vm, type, 2, 2 * PAGES * getpagesize());
	if (err)
		return err;
	jobs[0].vcpu = &vm.vcpus[0];
	jobs[1].vcpu = &vm.vcpus[1];
	err = pvm_cpu_on(&vm, 1);
	if (!err && pthread_create(&thread, NULL, work_thread, &jobs[1]))
		err = -EAGAIN;
	if (!err) {
		jobs[0].err = work(&jobs[0]);
		pthread_join(thread, NULL);
		err = jobs[0].err ?: jobs[1].err;
	}
	pvm_free(&vm);
	return err;
}

/* Keep the host's CPUs busy, with a sleep now and then. */
static void compete(uint64_t random)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		unsigned int spin = next_random(&random) % 10000;

		while (spin--)
			next_random(&random);
		usleep(next_random(&random) % 2000);
	}
}

static pid_t start_child(uint64_t random)
{
	pid_t pid = fork();
	int err;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = start_vm(random);
	if (err)
		printf("# VM with seed %#llx: %s\n", (unsigned long long)random, strerror(-err));
	fflush(stdout);
	_exit(err ? 1 : 0);
}

static void start_some(unsigned int number, uint64_t *random)
{
	pid_t pids[AT_A_TIME];

	for (unsigned int i = 0; i < number; i++)
		pids[i] = start_child(next_random(random));
	for (unsigned int i = 0; i < number; i++) {
		int status;

		if (pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status)
			failures++;
	}
}

int main(int argc, char *argv[])
{
	unsigned long starts = argc > 2 ? strtoul(argv[2], NULL, 0) : DEFAULT_STARTS;
	uint64_t random = argc > 1 ? strtoull(argv[1], NULL, 0) | 1 : time(NULL) | 1;
	pid_t competitors[COMPETITORS];
	struct timespec before, after;
	unsigned long done = 0;
	int log;

	ksft_print_header();
	if (!pvm_host_is_protected())
		ksft_exit_skip("the host is not protected\n");
	if (argc > 3 || !starts)
		ksft_exit_fail_msg("usage: pkvm_starts [SEED [STARTS]]\n");
	ksft_set_plan(3);
	fflush(stdout);

	log = pvm_log_open();
	for (int i = 0; i < COMPETITORS; i++) {
		competitors[i] = fork();
		if (!competitors[i])
			compete(random + 2 * i);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	while (done < starts && !failures) {
		unsigned int number = starts - done < AT_A_TIME ? starts - done : AT_A_TIME;

		start_some(number, &random);
		done += number;
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	for (int i = 0; i < COMPETITORS; i++) {
		if (competitors[i] > 0)
			kill(competitors[i], SIGKILL);
	}

	ksft_print_msg("%lu VMs started, %d failed, %ld s\n", done, failures,
		       (long)(after.tv_sec - before.tv_sec));
	ksft_test_result(!failures, "no_start_failed\n");
	ksft_test_result(log >= 0 && !pvm_log_complains(log), "the_log_has_no_complaint\n");
	ksft_test_result(pvm_stat("pages_donated") == pvm_pages_returned(),
			 "all_pages_came_back\n");
	ksft_finished();
}
