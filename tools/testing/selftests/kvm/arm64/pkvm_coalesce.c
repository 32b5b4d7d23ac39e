// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkvm_coalesce [MIB]: after the death of a protected VM, the host's stage-2 is as it was before.
 *
 * A guest with MIB MiB accesses its memory granule by granule, shares every 64th granule and
 * relinquishes the next, and the VM dies. Then many small VMs run in turn, and four at once, which
 * die in any order. After each step the host accesses all of its memory once.
 *
 * Rule: the leaves of each level, annotations, tables and references of the host's stage-2 are then
 * those of the snapshot before the first VM. On a host that was booted with
 * kvm-arm.host_s2_coalesce=0 they must differ, which shows that the test detects a difference.
 *
 * Needs a kernel with CONFIG_PKVM_STAGE2_DEBUG.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"
#include "pvm.h"
#include "pvm_dump.h"
#include "pvm_probe.h"

#define PLAN		7
#define SHARE_EVERY	64
#define MIB		0x100000UL
#define DEFAULT_MIB	64
#define SMALL		(4 * MIB)
#define MANY		50
#define AT_ONCE		4
/* The number of stage-2 faults that an idle host may take, such as on MMIO. */
#define STRAY_FAULTS	16
struct totals {
	long value[PVM_DUMP_TOTALS];
};

/* Read the totals of the host's dump. Return the number of its faults so far that mapped memory. */
static long read_totals(struct totals *t)
{
	struct pvm_dump dump;
	int err = pvm_dump_read(&dump, PVM_HOST_DUMP);
	const char *unsound = err ? strerror(-err) : pvm_dump_unsound(&dump, true);
	long faults;

	if (unsound)
		ksft_exit_fail_msg("%s: %s\n", PVM_HOST_DUMP, unsound);
	memcpy(t->value, dump.total, sizeof(t->value));
	faults = dump.faults;
	pvm_dump_free(&dump);
	return faults;
}

static void print_totals(const char *when, const struct totals *t)
{
	ksft_print_msg("%-8s leaves L1 %ld L2 %ld L3 %ld, annotated %ld, tables %ld, refs %ld\n",
		       when, t->value[PVM_DUMP_LEAVES_L1], t->value[PVM_DUMP_LEAVES_L2],
		       t->value[PVM_DUMP_LEAVES_L3], t->value[PVM_DUMP_ANNOTATED],
		       t->value[PVM_DUMP_TABLES], t->value[PVM_DUMP_REFERENCES]);
}

/* Have the host access all of its memory, and read the totals. Return the number of faults. */
static long sweep(const char *when, struct totals *t)
{
	long faults = read_totals(t);

	if (pvm_proc_number(PVM_HOST_SWEEP, "readable") <= 0)
		ksft_exit_fail_msg("%s: cannot be read\n", PVM_HOST_SWEEP);
	faults = read_totals(t) - faults;
	print_totals(when, t);
	return faults;
}

static bool same(const struct totals *a, const struct totals *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Make a VM with @size bytes. Its guest accesses all of them, shares some, relinquishes some. */
static int fill_vm(struct pvm *vm, size_t size)
{
	size_t page = getpagesize();
	int err = pvm_create(vm, KVM_VM_TYPE_ARM_PROTECTED, 1, size);

	if (err)
		return err;
	err = pvm_command(&vm->vcpus[0], PVM_FILL, PVM_DATA_IPA, 1, size / page, page);
	if (!err)
		err = pvm_command(&vm->vcpus[0], PVM_HVC_SWEEP, HVC_MEM_SHARE, PVM_DATA_IPA,
				  size / page / SHARE_EVERY, SHARE_EVERY * page);
	if (!err)
		err = pvm_command(&vm->vcpus[0], PVM_HVC_SWEEP, HVC_MEM_RELINQUISH,
				  PVM_DATA_IPA + page, size / page / SHARE_EVERY,
				  SHARE_EVERY * page);
	if (!err && vm->vcpus[0].results[0] != size / page / SHARE_EVERY)
		err = -EIO;
	if (err)
		pvm_free(vm);
	return err;
}

/* Wait until the VMs of killed processes are dead. */
static void wait_for_deaths(void)
{
	for (int i = 0; i < 100 && pvm_stat("vms_created") != pvm_stat("vms_destroyed"); i++)
		usleep(100000);
}

static bool one_by_one(void)
{
	struct pvm vm;

	for (int i = 0; i < MANY; i++) {
		if (fill_vm(&vm, SMALL))
			return false;
		pvm_free(&vm);
	}
	return true;
}

/* Each VM has a process, which writes to a pipe when its memory is full, and is killed then. */
static bool all_at_once(void)
{
	pid_t pid[AT_ONCE];
	bool good = true;
	uint8_t order;
	int full[2];
	char done;

	if (pipe(full))
		return false;
	for (int i = 0; i < AT_ONCE; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			return false;
		if (!pid[i]) {
			struct pvm vm;

			done = fill_vm(&vm, SMALL) ? 'n' : 'y';
			if (write(full[1], &done, 1) != 1)
				_exit(1);
			pause();
			_exit(0);
		}
	}
	for (int i = 0; i < AT_ONCE; i++)
		good = read(full[0], &done, 1) == 1 && done == 'y' && good;
	close(full[0]);
	close(full[1]);

	for (int left = AT_ONCE; left; left--) {
		if (getrandom(&order, 1, 0) != 1)
			return false;
		order %= left;
		kill(pid[order], SIGKILL);
		waitpid(pid[order], NULL, 0);
		pid[order] = pid[left - 1];
	}
	wait_for_deaths();
	return good;
}

/* Check whether the host coalesces: by its command line, independently of KVM. */
static bool host_coalesces(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	if (!file || !fgets(line, sizeof(line), file))
		ksft_exit_fail_msg("/proc/cmdline: %s\n", strerror(errno));
	fclose(file);
	return !strstr(line, "kvm-arm.host_s2_coalesce=0");
}

int main(int argc, char *argv[])
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 0) : DEFAULT_MIB) * MIB;
	struct totals before, during, after, now;
	bool coalesces;
	long faults;
	struct pvm vm;

	ksft_print_header();
	if (!pvm_host_is_protected())
		ksft_exit_skip("the host is not protected\n");
	if (access(PVM_HOST_DUMP, R_OK))
		ksft_exit_skip("the kernel has no CONFIG_PKVM_STAGE2_DEBUG\n");
	ksft_set_plan(PLAN);
	coalesces = host_coalesces();

	/* Run a VM before the snapshot, since some memory for the first VM is never freed. */
	if (fill_vm(&vm, SMALL))
		ksft_exit_fail_msg("cannot create a VM\n");
	pvm_free(&vm);
	sweep("before", &before);

	ksft_test_result(!fill_vm(&vm, size), "a VM of %zu MiB touches all of it\n", size / MIB);
	sweep("while", &during);
	ksft_test_result(during.value[PVM_DUMP_ANNOTATED] >= before.value[PVM_DUMP_ANNOTATED] +
			 (long)(size / getpagesize() / SHARE_EVERY * (SHARE_EVERY - 2)),
			 "the host's stage-2 has annotations for its pages\n");
	pvm_free(&vm);
	read_totals(&now);
	print_totals("died", &now);
	faults = sweep("after", &after);
	ksft_print_msg("the sweep took %ld faults for %ld pages\n", faults,
		       (long)(size / getpagesize()));
	ksft_test_result(same(&before, &after) == coalesces, "%s after it died\n",
			 coalesces ? "no change" : "without coalescing, tables remain");
	ksft_test_result(!coalesces || faults < (long)(size / getpagesize()) / 8,
			 "the host's faults map blocks, not pages\n");
	ksft_test_result(sweep("again", &now) < STRAY_FAULTS,
			 "a second sweep takes only stray faults\n");

	ksft_test_result(one_by_one() && (sweep("many", &now), same(&before, &now)) == coalesces,
			 "%d VMs, one after the other: %s\n", MANY,
			 coalesces ? "no change" : "tables remain");
	ksft_test_result(all_at_once() &&
			 (sweep("at once", &now), same(&before, &now)) == coalesces,
			 "%d VMs at once: %s\n", AT_ONCE,
			 coalesces ? "no change" : "tables remain");
	ksft_finished();
}
