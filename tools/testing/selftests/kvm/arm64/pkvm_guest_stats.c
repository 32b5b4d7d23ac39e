// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's statistics of a protected VM: the binary statistics, the files in the VM's debugfs folder,
 * and, after its death, the totals of the host.
 *
 * Rule: they are exact and agree. KVM counts a call once, under its kind, whether EL2 granted it or
 * not and however often it waited for pages. KVM counts an exit under its reason.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define PAGE		((uint64_t)getpagesize())
#define PAGES		16UL
#define DEVICE_IPA	0x20000000UL

/* MMIO exits of a command: reads of the command and its arguments, writes of its results. */
#define EXITS_OF_COMMAND	10

FIXTURE(stats) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	struct pvm_vcpu *other;
};

FIXTURE_SETUP(stats)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
	self->other = &self->vm.vcpus[1];
	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
}

FIXTURE_TEARDOWN(stats)
{
	pvm_free(&self->vm);
}

/* Read a statistic in debugfs, which adds up the vCPUs. */
static long debugfs_stat(const struct pvm *vm, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(), vm->fd, name);
	return pvm_number(path);
}

/* Check a statistic of the VM. */
static void expect_vm(struct __test_metadata *const _metadata, const struct pvm *vm,
		      const char *name, long value)
{
	EXPECT_EQ(value, pvm_kvm_stat(vm->fd, name)) {
		TH_LOG("%s", name);
	}
	EXPECT_EQ(value, debugfs_stat(vm, name)) {
		TH_LOG("%s in debugfs", name);
	}
}

/* Check a statistic of each of the two vCPUs. */
static void expect_vcpus(struct __test_metadata *const _metadata, const struct pvm *vm,
			 const char *name, long value0, long value1)
{
	EXPECT_EQ(value0, pvm_kvm_stat(vm->vcpus[0].fd, name)) {
		TH_LOG("%s of vCPU 0", name);
	}
	EXPECT_EQ(value1, pvm_kvm_stat(vm->vcpus[1].fd, name)) {
		TH_LOG("%s of vCPU 1", name);
	}
	EXPECT_EQ(value0 + value1, debugfs_stat(vm, name)) {
		TH_LOG("%s in debugfs", name);
	}
}

static void expect_bytes(struct __test_metadata *const _metadata, const struct pvm *vm,
			 long private, long shared, long guarded, long relinquished)
{
	expect_vm(_metadata, vm, "protected_bytes_private", private * PAGE);
	expect_vm(_metadata, vm, "protected_bytes_shared", shared * PAGE);
	expect_vm(_metadata, vm, "protected_bytes_guarded", guarded * PAGE);
	expect_vm(_metadata, vm, "protected_bytes_relinquished", relinquished * PAGE);
}

/* Bytes: the memory that is now in each state, and the bytes relinquished so far. */
TEST_F(stats, bytes)
{
	/* The page with the code. */
	expect_bytes(_metadata, &self->vm, 1, 0, 0, 0);
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, 6, PAGE));
	expect_bytes(_metadata, &self->vm, 7, 0, 0, 0);
	ASSERT_EQ(1, pvm_range(self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, 4));
	expect_bytes(_metadata, &self->vm, 3, 4, 0, 0);
	/* The guest shares a page that the host has not donated yet. */
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->other, PVM_DATA_IPA + 8 * PAGE));
	expect_bytes(_metadata, &self->vm, 3, 5, 0, 0);
	ASSERT_EQ(1, pvm_range(self->other, HVC_MEM_UNSHARE, PVM_DATA_IPA, 3));
	expect_bytes(_metadata, &self->vm, 6, 2, 0, 0);
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->other, PVM_DATA_IPA + PAGE));
	expect_bytes(_metadata, &self->vm, 4, 2, 0, 2);
	ASSERT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	expect_bytes(_metadata, &self->vm, 4, 2, 0, 2);
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 1));
	expect_bytes(_metadata, &self->vm, 5, 2, 0, 2);

	ASSERT_LT(0, pvm_range(self->vcpu, HVC_RGUARD_MAP, DEVICE_IPA, 1024));
	ASSERT_LT(0, pvm_range(self->other, HVC_RGUARD_MAP, DEVICE_IPA, 1024));
	expect_bytes(_metadata, &self->vm, 5, 2, 1024, 2);
	ASSERT_LT(0, pvm_range(self->other, HVC_RGUARD_UNMAP, DEVICE_IPA + PAGE, 7));
	expect_bytes(_metadata, &self->vm, 5, 2, 1017, 2);
}

struct made {
	uint32_t function;
	uint64_t x1;
	uint64_t x2;
	int64_t answer;
};

/* Make calls of all kinds, of each kind at least one that EL2 refuses. */
static int make_calls(struct pvm_vcpu *vcpu, uint64_t ipa)
{
	const struct made calls[] = {
		{ HVC_FEATURES, 0, 0, PKVM_GUEST_FEATURES },
		{ HVC_SMCCC_VERSION, 0, 0, 0x10001 },
		{ HVC_HYP_MEMINFO, 1, 0, HVC_INVALID_PARAMETER },
		{ HVC_GUARD_INFO, 0, 0, PAGE },
		{ HVC_MEM_SHARE, ipa, 0, 0 },
		{ HVC_MEM_SHARE, ipa, 0, HVC_INVALID_PARAMETER },
		{ HVC_MEM_SHARE, ipa + 1, 0, HVC_INVALID_PARAMETER },
		{ HVC_MEM_UNSHARE, ipa, 7, 0 },
		{ HVC_MEM_UNSHARE, ipa, 0, HVC_INVALID_PARAMETER },
		{ HVC_MEM_RELINQUISH, ipa, 0, 0 },
		{ HVC_MEM_RELINQUISH, ipa, 0, HVC_INVALID_PARAMETER },
		{ HVC_GUARD_MAP, ipa, 0, 0 },
		{ HVC_RGUARD_UNMAP, ipa, 1, 0 },
		{ HVC_RGUARD_MAP, ipa, 0, HVC_INVALID_PARAMETER },
		{ HVC_PSCI_VERSION, 0, 0, 0x10001 },
		{ HVC_PSCI_CPU_ON, 99, 0, -2 },
		{ 0xc600003e, 0, 0, HVC_NOT_SUPPORTED },
		{ 0x12345678, 0, 0, HVC_NOT_SUPPORTED },
		{ 0x84000060, 0, 0, HVC_NOT_SUPPORTED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int64_t answer = pvm_hvc(vcpu, calls[i].function, calls[i].x1, calls[i].x2, 0);

		if (answer != calls[i].answer) {
			printf("# call %zu: unexpected result %ld\n", i, answer);
			return -1;
		}
	}
	return ARRAY_SIZE(calls);
}

/* Calls of each kind, granted or not. The totals include them only after the VM's death. */
TEST_F(stats, calls)
{
	static const struct {
		const char *name;
		long each;
	} kinds[] = {
		{ "protected_calls_info", 4 }, { "protected_calls_share", 3 },
		{ "protected_calls_unshare", 2 }, { "protected_calls_relinquish", 2 },
		{ "protected_calls_guard", 3 }, { "protected_calls_psci", 2 },
		{ "protected_calls_unknown", 3 }, { "protected_pages_shared", 1 },
		{ "protected_pages_unshared", 1 },
	};
	long totals[ARRAY_SIZE(kinds)];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		totals[i] = pvm_stat(kinds[i].name + strlen("protected_"));
	/* The host has not donated the pages yet: some calls wait, and the guest repeats them. */
	ASSERT_LT(0, make_calls(self->vcpu, PVM_DATA_IPA));
	ASSERT_LT(0, make_calls(self->vcpu, PVM_DATA_IPA + PAGE));
	ASSERT_LT(0, make_calls(self->other, PVM_DATA_IPA + 2 * PAGE));

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* The setup made one more PSCI call, CPU_ON. */
		long psci = !strcmp(kinds[i].name, "protected_calls_psci");

		expect_vcpus(_metadata, &self->vm, kinds[i].name, 2 * kinds[i].each + psci,
			     kinds[i].each);
		EXPECT_EQ(totals[i], pvm_stat(kinds[i].name + strlen("protected_")));
	}
	pvm_kill(&self->vm);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		long psci = !strcmp(kinds[i].name, "protected_calls_psci");

		EXPECT_EQ(totals[i] + 3 * kinds[i].each + psci,
			  pvm_stat(kinds[i].name + strlen("protected_"))) {
			TH_LOG("%s", kinds[i].name);
		}
	}
}

static void ignore_signal(int signal)
{
}

/* Exits for each reason. */
TEST_F(stats, exits)
{
	const struct sigaction action = { .sa_handler = ignore_signal };
	const struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
	uint64_t value;
	long mmio, interrupts;

	/* CPU_ON, and the fault on the page with the code. */
	expect_vcpus(_metadata, &self->vm, "protected_exits_mmio", EXITS_OF_COMMAND, 0);
	expect_vcpus(_metadata, &self->vm, "protected_exits_psci", 1, 0);
	expect_vcpus(_metadata, &self->vm, "protected_exits_fault", 1, 0);

	/* Three more calls of vCPU 0. From here on a fault on missing memory is not MMIO. */
	ASSERT_EQ(HVC_SUCCESS, pvm_enroll(&self->vm));
	ASSERT_EQ(0, pvm_load(self->other, PVM_CODE_IPA, &value));
	ASSERT_EQ(0, pvm_command(self->other, PVM_FILL, PVM_DATA_IPA, 1, 5, PAGE));
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, 6, PAGE));
	expect_vcpus(_metadata, &self->vm, "protected_exits_fault", 2, 5);
	expect_vcpus(_metadata, &self->vm, "protected_exits_mmio", 5 * EXITS_OF_COMMAND,
		     2 * EXITS_OF_COMMAND);

	/* Only MEM_SHARE of a missing page exits for a page. */
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	expect_vcpus(_metadata, &self->vm, "protected_exits_page", 0, 0);
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->other, PVM_DATA_IPA + 8 * PAGE));
	expect_vcpus(_metadata, &self->vm, "protected_exits_page", 0, 1);

	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA + PAGE));
	ASSERT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA + PAGE));
	expect_vcpus(_metadata, &self->vm, "protected_exits_relinquish", 1, 0);

	expect_vcpus(_metadata, &self->vm, "protected_exits_wfx", 0, 0);
	expect_vcpus(_metadata, &self->vm, "protected_exits_sgi", 0, 0);

	/* Guards so far from each other that each needs tables, more than EL2 has in stock. */
	for (uint64_t i = 0; i < 16; i++)
		ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->other, HVC_GUARD_MAP,
					       0x100000000UL + (i << 31), 0, 0));
	EXPECT_LT(0, pvm_kvm_stat(self->other->fd, "protected_exits_tables"));
	EXPECT_GE(16, pvm_kvm_stat(self->other->fd, "protected_exits_tables"));
	EXPECT_EQ(16, pvm_kvm_stat(self->other->fd, "protected_calls_guard"));

	/* Only an interrupt ends the spin. The guest reads the command and its arguments before. */
	interrupts = pvm_kvm_stat(self->other->fd, "protected_exits_interrupt");
	mmio = pvm_kvm_stat(self->other->fd, "protected_exits_mmio");
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &soon, NULL));
	EXPECT_EQ(-EINTR, pvm_command(self->other, PVM_SPIN, 0, 0, 0, 0));
	EXPECT_LT(interrupts, pvm_kvm_stat(self->other->fd, "protected_exits_interrupt"));
	EXPECT_EQ(mmio + 5, pvm_kvm_stat(self->other->fd, "protected_exits_mmio"));

	EXPECT_EQ(-ESHUTDOWN, pvm_command(self->vcpu, PVM_HVC, HVC_PSCI_SYSTEM_OFF, 0, 0, 0));
	expect_vcpus(_metadata, &self->vm, "protected_exits_psci", 2, 0);
}

/* These statistics stay 0 for a non-protected VM. */
TEST_F(stats, np_vm)
{
	struct pvm np;
	uint64_t value;

	ASSERT_EQ(0, pvm_create(&np, 0, 1, PAGES * PAGE));
	ASSERT_EQ(0, pvm_store(&np.vcpus[0], PVM_DATA_IPA, 1));
	ASSERT_EQ(0, pvm_load(&np.vcpus[0], PVM_DATA_IPA, &value));
	EXPECT_EQ(0, pvm_kvm_stat(np.fd, "protected_bytes_private"));
	EXPECT_EQ(0, pvm_kvm_stat(np.vcpus[0].fd, "protected_exits_mmio"));
	EXPECT_LT(0, pvm_kvm_stat(np.vcpus[0].fd, "exits"));
	pvm_free(&np);
}

TEST_HARNESS_MAIN
