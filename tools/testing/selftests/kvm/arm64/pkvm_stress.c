// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkvm_stress [SEED [SECONDS]]: four VMs of four vCPUs each, protected and non-protected, that
 * touch, share and unshare memory, on a host that swaps, migrates, splits huge pages and kills
 * VMMs.
 *
 * R1: at the end the host owns all memory, and has reclaimed as many pages as it donated. R3: the
 * memory has no private data of a guest any more. R5: host and EL2 never hang, crash or lose pages.
 *
 * The same seed makes each process do the same again, but the host's scheduling still varies.
 */
#include <errno.h>
#include <linux/compiler.h>
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
#include "stress.h"

/* The number of results in report(). */
#define PLAN			15

#define VMS			4
#define DEFAULT_SECONDS		15
/* The longest time from one killed VM to the next, in microseconds. */
#define MAX_LIFE_US		600000
/* How long a dead VMM's memory may stay inaccessible, in tenths of a second. */
#define DEATH_LIMIT		200
/* The tolerance for the host's free memory, in bytes: less than the memory of two VMs. */
#define FREE_NOISE		(4UL << 20)

struct vm {
	struct stress_vm config;
	uint8_t *mem;
	pid_t pid;
};

struct run {
	struct vm vms[VMS];
	pid_t pressures[STRESS_PRESSURES];
	struct stress_counts *counts;
	uint64_t random;
	unsigned long started;
	unsigned long killed;
	unsigned long ended;
	unsigned long failed;
	unsigned long secrets;
	unsigned long out_of_reach;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static pid_t fork_child(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pid < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	return pid;
}

/* Start a VM in the memory of the dead one, of a random kind; the first VM is not protected. */
static void start(struct run *run, struct vm *vm)
{
	vm->config.seed = stress_random(&run->random);
	vm->config.protected = vm != run->vms && vm->config.seed & 3;
	vm->config.flags = vm->config.seed & 12 ? MAP_SHARED : MAP_PRIVATE;
	for (size_t at = 0; at < STRESS_VM_SIZE; at += getpagesize())
		WRITE_ONCE(*(uint64_t *)(vm->mem + at), STRESS_PLAIN | at);

	vm->pid = fork_child();
	if (!vm->pid) {
		int status = stress_vmm(&vm->config);

		fflush(stdout);
		_exit(status);
	}
	run->started++;
}

/* Check that the host can access the page within bounded time, without further calls. */
static bool reachable(void *page)
{
	for (int i = 0; i < DEATH_LIMIT; i++) {
		if (!pvm_probe(page, PVM_READ))
			return true;
		usleep(100000);
	}
	return false;
}

/* Check that the host can access a dead VM's memory, and that it has no private data. */
static void check_remains(struct run *run, struct vm *vm)
{
	for (size_t at = 0; at < STRESS_VM_SIZE; at += getpagesize()) {
		const uint64_t *page = (uint64_t *)(vm->mem + at);

		if (!reachable(vm->mem + at)) {
			run->out_of_reach++;
			return;
		}
		/* A non-protected VM has no secrets. */
		for (size_t i = 0; i < getpagesize() / 8 && vm->config.protected; i++)
			run->secrets += (READ_ONCE(page[i]) & STRESS_TAG_MASK) == STRESS_SECRET;
	}
}

/* Wait for a VM, which was killed or has finished without an error, and check its memory. */
static void bury(struct run *run, struct vm *vm, int options)
{
	int status;

	if (waitpid(vm->pid, &status, options) != vm->pid)
		return;
	vm->pid = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		run->killed++;
	} else if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		ksft_print_msg("VMM of seed %#lx ended with status %#x\n", vm->config.seed,
			       status);
		run->failed++;
	} else {
		run->ended++;
	}
	check_remains(run, vm);
}

static void check_pressures(struct run *run, int options)
{
	for (int i = 0; i < STRESS_PRESSURES; i++) {
		int status;

		if (!run->pressures[i] || waitpid(run->pressures[i], &status, options) <= 0)
			continue;
		run->pressures[i] = 0;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
			ksft_print_msg("pressure %d ended with status %#x\n", i, status);
			run->failed++;
		} else if (options & WNOHANG) {
			ksft_print_msg("pressure %d was killed by the host\n", i);
			run->failed++;
		}
	}
}

static void prepare(struct run *run, uint64_t seed)
{
	int err = stress_add_swap();

	if (err)
		ksft_exit_fail_msg("no swap: %s\n", strerror(-err));
	run->random = seed;
	run->counts = mmap(NULL, sizeof(*run->counts), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->counts == MAP_FAILED)
		ksft_exit_fail_msg("no memory for counts\n");

	for (int i = 0; i < VMS; i++) {
		struct vm *vm = &run->vms[i];

		vm->config.counts = run->counts;
		vm->config.memfd = memfd_create("memory", MFD_CLOEXEC);
		if (vm->config.memfd < 0 || ftruncate(vm->config.memfd, STRESS_VM_SIZE))
			ksft_exit_fail_msg("memfd: %s\n", strerror(errno));
		vm->mem = mmap(NULL, STRESS_VM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       vm->config.memfd, 0);
		if (vm->mem == MAP_FAILED)
			ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	}
}

/* Kill a VM at random moments, and start another in its place. */
static void work(struct run *run, unsigned long seconds)
{
	double end = now() + seconds;

	for (int i = 0; i < STRESS_PRESSURES; i++) {
		uint64_t seed = stress_random(&run->random);

		run->pressures[i] = fork_child();
		if (!run->pressures[i])
			_exit(stress_pressure(i, seed));
	}
	while (now() < end && !run->failed && !run->out_of_reach) {
		struct vm *victim = &run->vms[stress_random(&run->random) % VMS];

		usleep(stress_random(&run->random) % MAX_LIFE_US);
		if (victim->pid) {
			kill(victim->pid, SIGKILL);
			bury(run, victim, 0);
		}
		for (int i = 0; i < VMS; i++) {
			if (run->vms[i].pid)
				bury(run, &run->vms[i], WNOHANG);
			if (!run->vms[i].pid)
				start(run, &run->vms[i]);
		}
		check_pressures(run, WNOHANG);
	}

	for (int i = 0; i < VMS; i++) {
		if (run->vms[i].pid) {
			kill(run->vms[i].pid, SIGKILL);
			bury(run, &run->vms[i], 0);
		}
	}
	for (int i = 0; i < STRESS_PRESSURES; i++) {
		if (run->pressures[i])
			kill(run->pressures[i], SIGKILL);
	}
	check_pressures(run, 0);
}

static void expect_equal(const char *what, long left, long right)
{
	if (left != right)
		ksft_print_msg("%s: %ld and %ld\n", what, left, right);
	ksft_test_result(left == right && left >= 0, "%s\n", what);
}

/* Fail if the run had none of these events, so that each run tests something. */
static void expect_some(const char *what, long count)
{
	ksft_print_msg("%s: %ld\n", what, count);
	ksft_test_result(count > 0, "there_were_%s\n", what);
}

static void report(const struct run *run, long free_before)
{
	const struct stress_counts *counts = run->counts;
	long free_after;

	for (int i = 0; i < VMS; i++)
		munmap(run->vms[i].mem, STRESS_VM_SIZE);
	for (int i = 0; i < VMS; i++)
		close(run->vms[i].config.memfd);
	free_after = pvm_free_pages();

	ksft_test_result(!run->failed, "all_vms_found_their_memory_as_it_was\n");
	ksft_test_result(!run->out_of_reach, "the_memory_of_dead_vms_is_the_hosts\n");
	ksft_test_result(!run->secrets, "no_secret_is_left_in_it\n");
	expect_equal("all_pages_came_back", pvm_stat("pages_donated"), pvm_pages_returned());
	expect_equal("shared_pages_add_up", pvm_stat("pages_shared"),
		     pvm_stat("pages_unshared") + pvm_stat("pages_reclaimed_shared"));
	expect_equal("all_metadata_came_back", pvm_stat("metadata_pages_donated"),
		     pvm_stat("metadata_pages_returned"));
	/* None of the host's actions here may reclaim a page by force. */
	expect_equal("no_page_was_taken_by_force", pvm_stat("pages_forced"), 0);
	expect_equal("all_vms_are_gone", pvm_stat("vms_created"), pvm_stat("vms_destroyed"));
	ksft_print_msg("free pages: %ld before, %ld after\n", free_before, free_after);
	ksft_test_result(free_before > 0 && free_after >= free_before -
			 (long)(FREE_NOISE / getpagesize()), "free_memory_is_back\n");

	expect_some("vms_killed", run->killed);
	expect_some("loads", counts->loads);
	expect_some("shares", counts->shares);
	expect_some("unshares", counts->unshares);
	expect_some("refused_calls", counts->refused);
	expect_some("host_accesses_denied", counts->host_denied);
	ksft_print_msg("started %lu VMs, of which %lu ended by themselves; %lu stores\n",
		       run->started, run->ended, counts->stores);
}

int main(int argc, char *argv[])
{
	/* Events in /proc/vmstat that the host must have had during the run. */
	static const char * const done[] = {
		"pswpout", "pswpin", "pgmigrate_success", "thp_split_pmd", "cow_ksm",
	};
	unsigned long seconds = argc > 2 ? strtoul(argv[2], NULL, 0) : DEFAULT_SECONDS;
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : now() * 1e9;
	long before[ARRAY_SIZE(done)], free_before;
	struct run run = {};

	ksft_print_header();
	if (!pvm_host_is_protected())
		ksft_exit_skip("the host is not protected\n");
	if (argc > 3 || !seconds)
		ksft_exit_fail_msg("usage: pkvm_stress [SEED [SECONDS]]\n");
	ksft_set_plan(PLAN + ARRAY_SIZE(done));
	ksft_print_msg("pkvm_stress %#lx %lu\n", seed, seconds);

	prepare(&run, seed);
	free_before = pvm_free_pages();
	for (size_t i = 0; i < ARRAY_SIZE(done); i++)
		before[i] = pvm_vmstat(done[i]);
	work(&run, seconds);
	report(&run, free_before);
	for (size_t i = 0; i < ARRAY_SIZE(done); i++)
		expect_some(done[i], pvm_vmstat(done[i]) - before[i]);
	ksft_finished();
}
