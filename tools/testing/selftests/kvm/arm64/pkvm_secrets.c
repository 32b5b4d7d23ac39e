// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile VMM searches for the contents of a protected guest's registers, and tries to change
 * them.
 *
 * R4: at an exit the host can read, and answer, only the registers that belong to that kind of
 * exit. The guest (pvm_regcheck.S) puts a secret into every register that can hold one, makes every
 * kind of exit, and reports whether all registers have kept their values. At each return of KVM_RUN
 * the VMM searches all state that it can read, and writes to all that it can write to.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "processor.h"
#include "pvm.h"
#include "pvm_regcheck.h"
#include "pvm_probe.h"

extern const uint8_t pvm_regcheck_code[], pvm_regcheck_code_end[];

#define REGCHECK_IPA	0xa0000000UL
#define LATE_IPA	0xb0000000UL	/* memory that the VMM adds only after a failed KVM_RUN */
#define DEVICE_IPA	0x40000UL
#define LATE_VALUE	0x1a7e1a7e1a7e1a7eUL
#define DEVICE_VALUE	0xdefacedefacedefaUL
#define DIST_IPA	0x3fff0000UL
#define REDIST_IPA	0x3ffb0000UL
#define MAX_REGS	1024
#define TIMEOUT		60
/* The limit of interrupted runs in a round. */
#define MAX_INTERRUPTS	200
/* The limit of rounds that spin without an interrupt. */
#define MAX_ROUNDS	20

struct vmm {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	int gic;
	uint8_t *regcheck;
	size_t regcheck_size;
	uint64_t *late;
	bool kept_back;
	struct kvm_reg_list *regs;

	/* What the VMM found in this round, and which writes succeeded. */
	unsigned int exits;
	unsigned int found;
	unsigned int readable;
	unsigned int writable;

	/* The report of the guest at the end of a round. */
	uint64_t reported[REGCHECK_SIZE / 8];
};

FIXTURE(secrets) {
	struct vmm v;
};

FIXTURE_VARIANT(secrets) {
	bool guarded;
};

FIXTURE_VARIANT_ADD(secrets, plain) { .guarded = false };
FIXTURE_VARIANT_ADD(secrets, guarded) { .guarded = true };

static void on_alarm(int signal)
{
}

static int set_attr(int fd, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr device = {
		.group = group, .attr = attr, .addr = (uintptr_t)value,
	};

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &device) ? -errno : 0;
}

static int make_gic(struct pvm *vm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = DIST_IPA, redist = REDIST_IPA;
	int err;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &device))
		return -errno;
	err = set_attr(device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	if (!err)
		err = set_attr(device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			       KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist);
	if (!err)
		err = set_attr(device.fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			       KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	return err ? err : (int)device.fd;
}

FIXTURE_SETUP(secrets)
{
	const struct itimerval tick = { .it_interval.tv_usec = 50000, .it_value.tv_usec = 50000 };
	const struct sigaction action = { .sa_handler = on_alarm };
	size_t size = pvm_regcheck_code_end - pvm_regcheck_code;

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->v.vm, KVM_VM_TYPE_ARM_PROTECTED, 2, 0));
	self->v.vcpu = &self->v.vm.vcpus[0];
	self->v.gic = make_gic(&self->v.vm);
	ASSERT_LE(0, self->v.gic);

	self->v.regcheck_size = (size + getpagesize() - 1) / getpagesize() * getpagesize();
	self->v.regcheck = mmap(NULL, self->v.regcheck_size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	self->v.late = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->v.regcheck);
	ASSERT_NE(MAP_FAILED, self->v.late);
	memcpy(self->v.regcheck, pvm_regcheck_code, size);
	__builtin___clear_cache((char *)self->v.regcheck, (char *)self->v.regcheck + size);
	*self->v.late = LATE_VALUE;
	ASSERT_EQ(0, pvm_set_slot(&self->v.vm, PVM_FREE_SLOT, 0, REGCHECK_IPA,
				  self->v.regcheck_size, self->v.regcheck));
	ASSERT_EQ(0, pvm_set_slot(&self->v.vm, PVM_FREE_SLOT + 1, 0, LATE_IPA, getpagesize(),
				  self->v.late));
	ASSERT_EQ(0, pvm_set_reg(self->v.vcpu, ARM64_CORE_REG(regs.pc), REGCHECK_IPA));

	self->v.regs = calloc(1, sizeof(*self->v.regs) + MAX_REGS * sizeof(uint64_t));
	ASSERT_NE(NULL, self->v.regs);
	self->v.regs->n = MAX_REGS;
	ASSERT_EQ(0, ioctl(self->v.vcpu->fd, KVM_GET_REG_LIST, self->v.regs));
	ASSERT_LT(50, self->v.regs->n);
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &tick, NULL));
}

FIXTURE_TEARDOWN(secrets)
{
	close(self->v.gic);
	pvm_free(&self->v.vm);
	munmap(self->v.regcheck, self->v.regcheck_size);
	munmap(self->v.late, getpagesize());
	free(self->v.regs);
}

/* Search memory for a secret or half of one. */
static void search(struct vmm *v, const char *where, const void *memory, size_t size)
{
	const uint32_t *words = memory;

	for (size_t i = 0; i < size / sizeof(*words); i++) {
		uint32_t word = READ_ONCE(words[i]);

		if ((word & REGCHECK_TAG_MASK) != REGCHECK_TAG && word != (uint32_t)REGCHECK_X0 &&
		    word != (uint32_t)REGCHECK_X1)
			continue;
		if (!v->found++)
			printf("# exit %u: %s, byte %zu: %#x\n", v->exits, where, i * 4, word);
	}
}

static void search_ioctl(struct vmm *v, const char *name, unsigned long request)
{
	uint8_t buffer[4096] __aligned(8) = {};

	if (!ioctl(v->vcpu->fd, request, buffer))
		search(v, name, buffer, sizeof(buffer));
}

static void search_registers(struct vmm *v)
{
	for (uint64_t i = 0; i < v->regs->n; i++) {
		uint8_t value[2048] __aligned(8) = {};
		struct kvm_one_reg reg = {
			.id = v->regs->reg[i], .addr = (uintptr_t)value,
		};

		if (ioctl(v->vcpu->fd, KVM_GET_ONE_REG, &reg))
			continue;
		v->readable++;
		search(v, "KVM_GET_ONE_REG", value, sizeof(value));
	}
}

static void search_gic(struct vmm *v, uint32_t group, uint64_t first, uint64_t last,
		       uint64_t step)
{
	for (uint64_t attr = first; attr <= last; attr += step) {
		uint64_t value = 0;
		struct kvm_device_attr device = {
			.group = group, .attr = attr, .addr = (uintptr_t)&value,
		};

		if (!ioctl(v->gic, KVM_GET_DEVICE_ATTR, &device))
			search(v, "vGIC", &value, sizeof(value));
	}
}

static void search_stats(struct vmm *v)
{
	int fd = ioctl(v->vcpu->fd, KVM_GET_STATS_FD, NULL);
	uint8_t buffer[8192] __aligned(8) = {};

	if (fd < 0)
		return;
	if (read(fd, buffer, sizeof(buffer)) > 0)
		search(v, "statistics", buffer, sizeof(buffer));
	close(fd);
}

/* Search all state of a vCPU that a VMM can read. */
static void look(struct vmm *v)
{
	v->exits++;
	search(v, "kvm_run", v->vcpu->run, v->vm.run_size);
	search_registers(v);
	search_ioctl(v, "KVM_GET_VCPU_EVENTS", KVM_GET_VCPU_EVENTS);
	search_ioctl(v, "KVM_GET_MP_STATE", KVM_GET_MP_STATE);
	search_ioctl(v, "KVM_GET_REGS", KVM_GET_REGS);
	search_ioctl(v, "KVM_GET_SREGS", KVM_GET_SREGS);
	search_ioctl(v, "KVM_GET_FPU", KVM_GET_FPU);
	search_stats(v);
	/* ICC registers of vCPU 0, then pending, active and priorities of the first interrupts. */
	search_gic(v, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, 0xc000, 0xc7ff, 1);
	search_gic(v, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, 0x10000, 0x10500, 4);
	search_gic(v, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, 0x600, 4);
}

/* Write to all registers that a VMM can write to. None of the writes may reach the guest. */
static void write_registers(struct vmm *v)
{
	struct kvm_vcpu_events events = {
		.exception = { .serror_pending = 1, .ext_dabt_pending = 1 },
	};

	for (uint64_t i = 0; i < v->regs->n; i++) {
		uint8_t value[2048] __aligned(8);
		struct kvm_one_reg reg = {
			.id = v->regs->reg[i], .addr = (uintptr_t)value,
		};

		memset(value, 0x11, sizeof(value));
		if (!ioctl(v->vcpu->fd, KVM_SET_ONE_REG, &reg) || errno != EPERM)
			v->writable++;
	}
	if (!ioctl(v->vcpu->fd, KVM_SET_VCPU_EVENTS, &events) || errno != EPERM)
		v->writable++;
	/* arm64 has no registers in kvm_run, so this must have no effect. */
	v->vcpu->run->kvm_dirty_regs = ~0ULL;
	memset(&v->vcpu->run->s, 0x11, sizeof(v->vcpu->run->s));
}

/* Make calls that may succeed or fail, but must not affect the guest. */
static void disturb(struct vmm *v)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};
	struct kvm_mp_state state = { KVM_MP_STATE_STOPPED };
	struct kvm_vcpu_init init;

	ioctl(v->vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
	if (!ioctl(v->vm.fd, KVM_ARM_PREFERRED_TARGET, &init)) {
		init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
		ioctl(v->vcpu->fd, KVM_ARM_VCPU_INIT, &init);
	}
	ioctl(v->vcpu->fd, KVM_SET_MP_STATE, &state);
	state.mp_state = KVM_MP_STATE_RUNNABLE;
	ioctl(v->vcpu->fd, KVM_SET_MP_STATE, &state);

	/* A KVM_RUN that returns without entering the guest. */
	v->vcpu->run->immediate_exit = 1;
	ioctl(v->vcpu->fd, KVM_RUN, NULL);
	v->vcpu->run->immediate_exit = 0;
}

/* Handle an MMIO exit. Return 0 at the end of the round, -EAGAIN before, -EPROTO if unexpected. */
static int serve(struct vmm *v, uint64_t command, uint64_t arg)
{
	struct kvm_run *run = v->vcpu->run;
	uint64_t offset = run->mmio.phys_addr - v->vcpu->channel;
	uint64_t value = DEVICE_VALUE;

	if (run->mmio.len != 8)
		return -EPROTO;
	memcpy(&value, run->mmio.data, sizeof(value));
	if (run->mmio.is_write) {
		/* A change of the value after the exit must have no effect. */
		memset(run->mmio.data, 0x11, sizeof(run->mmio.data));
		if (run->mmio.phys_addr == DEVICE_IPA)
			return value == REGCHECK_SHOWN ? -EAGAIN : -EPROTO;
		if (offset >= REGCHECK_SIZE)
			return -EPROTO;
		v->reported[offset / 8] = value;
		return offset == REGCHECK_DONE ? 0 : -EAGAIN;
	}

	if (run->mmio.phys_addr == DEVICE_IPA)
		value = DEVICE_VALUE;
	else if (offset == REGCHECK_COMMAND)
		value = command;
	else if (offset == REGCHECK_ARG)
		value = arg;
	else
		return -EPROTO;
	memcpy(run->mmio.data, &value, sizeof(value));
	return -EAGAIN;
}

/*
 * Have the guest make one round with one kind of exit. Return 0 after the round, -ESHUTDOWN if the
 * VM is off, or another negative errno. The late memory is added at the first fault.
 */
static int go(struct vmm *v, uint64_t command, uint64_t arg)
{
	unsigned int interrupts = 0;
	int ret = -EAGAIN;

	memset(v->reported, 0, sizeof(v->reported));
	v->exits = 0;
	v->found = 0;
	v->readable = 0;
	v->writable = 0;
	while (ret == -EAGAIN) {
		int err = ioctl(v->vcpu->fd, KVM_RUN, NULL) ? errno : 0;

		look(v);
		write_registers(v);
		if (err)
			disturb(v);
		interrupts = err ? interrupts + 1 : 0;
		if (interrupts > MAX_INTERRUPTS)
			return -ETIMEDOUT;
		if (err == EFAULT && v->kept_back) {
			mprotect(v->late, getpagesize(), PROT_READ | PROT_WRITE);
			v->kept_back = false;
		} else if (err && err != EINTR && err != EAGAIN) {
			return -err;
		}
		if (err)
			continue;

		switch (v->vcpu->run->exit_reason) {
		case KVM_EXIT_MMIO:
			ret = serve(v, command, arg);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			ret = -ESHUTDOWN;
			break;
		default:
			ret = -EPROTO;
		}
	}
	return ret;
}

#define hvc(function)	(REGCHECK_HVC | (uint64_t)(function) << 32)

/* Expect a round in which the VMM finds no secret and changes nothing, and the guest loses none. */
static void expect_kept(struct __test_metadata *const _metadata, struct vmm *v, uint64_t command,
			uint64_t arg)
{
	EXPECT_EQ(0, go(v, command, arg));
	EXPECT_EQ(0, v->found);
	EXPECT_EQ(0, v->readable);
	EXPECT_EQ(0, v->writable);
	EXPECT_EQ(0, v->reported[REGCHECK_LOST / 8]) {
		TH_LOG("command %#lx: the first changed register is %lu", command,
		       v->reported[REGCHECK_WHICH / 8]);
	}
	EXPECT_LE(REGCHECK_MIN_HELD, v->reported[REGCHECK_HELD / 8]);
}

static uint64_t result(const struct vmm *v)
{
	return v->reported[REGCHECK_RESULT / 8];
}

static int enroll(struct vmm *v)
{
	int err = go(v, hvc(HVC_GUARD_MAP), v->vcpu->channel);

	if (!err)
		err = go(v, hvc(HVC_GUARD_MAP), DEVICE_IPA);
	if (!err)
		err = go(v, hvc(HVC_GUARD_ENROLL), 0);
	return err ? err : (int)result(v);
}

/* Set up LATE_IPA, at which KVM_RUN fails until the VMM adds the memory. */
static void keep_back(struct __test_metadata *const _metadata, struct vmm *v)
{
	ASSERT_EQ(0, mprotect(v->late, getpagesize(), PROT_NONE));
	v->kept_back = true;
}

TEST_F_TIMEOUT(secrets, interrupt, TIMEOUT)
{
	unsigned int rounds = 0;

	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	/* Repeat until the guest was interrupted, which may not happen on a busy machine. */
	do {
		expect_kept(_metadata, &self->v, REGCHECK_SPIN, 0);
	} while (self->v.exits <= REGCHECK_EXITS && ++rounds < MAX_ROUNDS);
	EXPECT_LT(REGCHECK_EXITS, self->v.exits);
}

TEST_F_TIMEOUT(secrets, wait_for_interrupt, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	for (int i = 0; i < 3; i++)
		expect_kept(_metadata, &self->v, REGCHECK_WFI, 0);
}

TEST_F_TIMEOUT(secrets, mmio_read, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	expect_kept(_metadata, &self->v, REGCHECK_MMIO_READ, DEVICE_IPA);
	EXPECT_EQ(DEVICE_VALUE, result(&self->v));
}

TEST_F_TIMEOUT(secrets, mmio_write, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	expect_kept(_metadata, &self->v, REGCHECK_MMIO_WRITE, DEVICE_IPA);
}

TEST_F_TIMEOUT(secrets, memory_fault, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	keep_back(_metadata, &self->v);
	expect_kept(_metadata, &self->v, REGCHECK_LOAD, LATE_IPA);
	EXPECT_FALSE(self->v.kept_back);
	EXPECT_EQ(LATE_VALUE, result(&self->v));
}

TEST_F_TIMEOUT(secrets, share_that_needs_a_page, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	keep_back(_metadata, &self->v);
	expect_kept(_metadata, &self->v, hvc(HVC_MEM_SHARE), LATE_IPA);
	EXPECT_FALSE(self->v.kept_back);
	EXPECT_EQ(HVC_SUCCESS, (int64_t)result(&self->v));
	EXPECT_EQ(LATE_VALUE, READ_ONCE(*self->v.late));
	expect_kept(_metadata, &self->v, hvc(HVC_MEM_UNSHARE), LATE_IPA);
	EXPECT_EQ(HVC_SUCCESS, (int64_t)result(&self->v));
	/* Then a call that EL2 refuses. */
	expect_kept(_metadata, &self->v, hvc(HVC_MEM_UNSHARE), LATE_IPA);
	EXPECT_EQ(HVC_INVALID_PARAMETER, (int64_t)result(&self->v));
}

TEST_F_TIMEOUT(secrets, psci, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	expect_kept(_metadata, &self->v, hvc(HVC_PSCI_VERSION), 0);
	expect_kept(_metadata, &self->v, hvc(HVC_PSCI_AFFINITY_INFO), 1);
	EXPECT_EQ(1, result(&self->v));
	expect_kept(_metadata, &self->v, hvc(HVC_PSCI_SUSPEND), 0);
	expect_kept(_metadata, &self->v, hvc(HVC_PSCI_CPU_ON), 1);
}

TEST_F_TIMEOUT(secrets, system_off, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	expect_kept(_metadata, &self->v, REGCHECK_MMIO_WRITE, DEVICE_IPA);
	EXPECT_EQ(-ESHUTDOWN, go(&self->v, hvc(HVC_PSCI_SYSTEM_OFF), 0));
	EXPECT_EQ(0, self->v.found);
	look(&self->v);
	EXPECT_EQ(0, self->v.found);
	EXPECT_EQ(0, self->v.readable);
}

TEST_F_TIMEOUT(secrets, system_registers, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	expect_kept(_metadata, &self->v, REGCHECK_SYSREG, 0);
}

/* An SGI without a target. The host may read its value, which is no secret. */
TEST_F_TIMEOUT(secrets, sgi, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	expect_kept(_metadata, &self->v, REGCHECK_SGI, 0x3000000);
}

/* All kinds of exits in one VM: none reveals state that an earlier one left. */
TEST_F_TIMEOUT(secrets, all_in_turn, TIMEOUT)
{
	if (variant->guarded)
		ASSERT_EQ(0, enroll(&self->v));
	for (int round = 0; round < 2; round++) {
		expect_kept(_metadata, &self->v, REGCHECK_MMIO_READ, DEVICE_IPA);
		expect_kept(_metadata, &self->v, REGCHECK_WFI, 0);
		expect_kept(_metadata, &self->v, REGCHECK_MMIO_WRITE, DEVICE_IPA);
		expect_kept(_metadata, &self->v, REGCHECK_SYSREG, 0);
		expect_kept(_metadata, &self->v, hvc(HVC_MEM_SHARE), LATE_IPA);
		expect_kept(_metadata, &self->v, REGCHECK_SGI, 0x3000000);
		expect_kept(_metadata, &self->v, hvc(HVC_MEM_UNSHARE), LATE_IPA);
		expect_kept(_metadata, &self->v, hvc(HVC_FEATURES), 0);
		expect_kept(_metadata, &self->v, REGCHECK_LOAD, LATE_IPA);
		EXPECT_EQ(LATE_VALUE, result(&self->v));
	}
}

TEST_HARNESS_MAIN
