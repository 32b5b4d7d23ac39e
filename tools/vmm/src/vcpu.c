// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU and its exits (vcpu.h).
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "stats.h"
#include "vcpu.h"

#define KICK_SIGNAL	SIGUSR1
#define KIB		1024
/* Bytes of memory per byte of page tables, and bytes for what else the VM may lock. */
#define LOCKED_PER_TABLE_PAGE	512
#define LOCKED_FOR_VM		(1024 * KIB)
#define CORE_REG(field)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 KVM_REG_ARM_CORE_REG(field))

static __thread struct kvm_run *running;

/*
 * The signal may arrive just before KVM_RUN enters the kernel; immediate_exit then makes KVM_RUN
 * return at once. It is never cleared, as a vCPU is kicked only to end.
 */
static void kick(int signal)
{
	(void)signal;
	if (running)
		running->immediate_exit = 1;
}

int vcpu_install_kick(void)
{
	/* Without SA_RESTART, so that the kick also ends a blocked write of console output. */
	const struct sigaction action = { .sa_handler = kick };

	return sigaction(KICK_SIGNAL, &action, NULL) ? -errno : 0;
}

int vcpu_kick_signal(void)
{
	return KICK_SIGNAL;
}

int vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int index)
{
	int sve = KVM_ARM_VCPU_SVE;
	struct kvm_vcpu_init init;
	const char *what;
	void *run;
	int err;

	vcpu->vm = vm;
	vcpu->windows = NULL;
	vcpu->index = index;
	vcpu->run = NULL;

	what = "KVM_CREATE_VCPU";
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		goto fail;

	what = "mmap";
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		goto fail;
	vcpu->run = run;

	what = "KVM_ARM_PREFERRED_TARGET";
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		goto fail;

	what = "KVM_ARM_VCPU_INIT";
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2 | vm->vcpu_features;
	if (index)
		init.features[0] |= 1U << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		goto fail;

	what = "KVM_ARM_VCPU_FINALIZE";
	if (vm->vcpu_features & 1U << KVM_ARM_VCPU_SVE &&
	    ioctl(vcpu->fd, KVM_ARM_VCPU_FINALIZE, &sve))
		goto fail;
	return 0;

fail:
	err = -errno;
	log_err("vCPU %u: %s: %s", index, what, strerror(-err));
	return err;
}

static int set_register(struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	const struct kvm_one_reg reg = {
		.id = id,
		.addr = (uintptr_t)&value,
	};
	int err;

	if (!ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg))
		return 0;
	err = -errno;
	log_err("vCPU %u: KVM_SET_ONE_REG %#lx: %s", vcpu->index, id, strerror(-err));
	return err;
}

int vcpu_set_entry(struct vcpu *vcpu, uint64_t pc, uint64_t x0)
{
	int err = set_register(vcpu, CORE_REG(regs.pc), pc);

	return err ? err : set_register(vcpu, CORE_REG(regs.regs[0]), x0);
}

/* Report the guest's pc; that of a protected guest is not readable. */
static void log_place(const struct vcpu *vcpu)
{
	uint64_t pc;
	const struct kvm_one_reg reg = {
		.id = CORE_REG(regs.pc),
		.addr = (uintptr_t)&pc,
	};

	if (!vcpu->vm->protected_vm && !ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg))
		log_err("vCPU %u: pc is %#lx", vcpu->index, pc);
}

/*
 * KVM locks a page when the guest first uses it, so the VMM cannot check the limit before the
 * run. When it is reached, report the limit, what the VM needs at most, and how to raise it.
 */
static void explain_locked_memory(const struct vm *vm)
{
	const uint64_t need = (vm->memory_size + vm->memory_size / LOCKED_PER_TABLE_PAGE +
			       LOCKED_FOR_VM) / KIB;
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return;
	log_err("the pages of a protected VM are locked: RLIMIT_MEMLOCK allows %llu KiB, this VM needs up to %lu KiB",
		(unsigned long long)limit.rlim_cur / KIB, need);
	log_err("raise it by 'ulimit -l %lu' (as root, or with memlock in /etc/security/limits.conf), or give the VMM CAP_IPC_LOCK",
		need);
}

static void explain_failed_run(const struct vcpu *vcpu, int err)
{
	log_err("vCPU %u: KVM_RUN: %s", vcpu->index, strerror(-err));
	if (err == -ENOMEM && vcpu->vm->protected_vm)
		explain_locked_memory(vcpu->vm);
	log_place(vcpu);
}

static int handle_system_event(struct vcpu *vcpu)
{
	uint32_t type = vcpu->run->system_event.type;

	stat_add(STAT_EXITS_SYSTEM_EVENT, 1);
	switch (type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return EXIT_GUEST_OFF;
	case KVM_SYSTEM_EVENT_RESET:
		return EXIT_GUEST_RESET;
	default:
		log_err("vCPU %u: unexpected system event %u", vcpu->index, type);
		return EXIT_VMM_ERROR;
	}
}

static void handle_mmio(struct vcpu *vcpu, const struct bus *bus)
{
	struct kvm_run *run = vcpu->run;

	stat_add(run->mmio.is_write ? STAT_EXITS_MMIO_WRITE : STAT_EXITS_MMIO_READ, 1);
	if (!bus_access(bus, run->mmio.phys_addr, run->mmio.data, run->mmio.len,
			run->mmio.is_write))
		stat_add(STAT_EXITS_MMIO_UNMAPPED, 1);
}

static int handle_other(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	stat_add(STAT_EXITS_OTHER, 1);
	switch (run->exit_reason) {
	case KVM_EXIT_FAIL_ENTRY:
		log_err("vCPU %u: the guest cannot be entered, reason %#llx", vcpu->index,
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		log_err("vCPU %u: KVM internal error %u", vcpu->index,
			run->internal.suberror);
		break;
	default:
		log_err("vCPU %u: unexpected exit reason %u", vcpu->index, run->exit_reason);
		break;
	}
	log_place(vcpu);
	return EXIT_VMM_ERROR;
}

int vcpu_run(struct vcpu *vcpu, const struct bus *bus, bool (*stopping)(void))
{
	unsigned int repairs = 0;
	int status = VCPU_STOPPED;

	running = vcpu->run;
	atomic_signal_fence(memory_order_seq_cst);
	while (!stopping() && status == VCPU_STOPPED) {
		if (ioctl(vcpu->fd, KVM_RUN, 0)) {
			int err = -errno;

			if (err == -EINTR || err == -EAGAIN) {
				stat_add(STAT_EXITS_INTERRUPTED, 1);
				continue;
			}
			/* Perhaps the file of a window has become shorter. */
			if (err == -EFAULT && vcpu->windows &&
			    windows_repair(vcpu->windows, &repairs))
				continue;
			explain_failed_run(vcpu, err);
			status = EXIT_VMM_ERROR;
			break;
		}
		stat_add(STAT_EXITS, 1);
		switch (vcpu->run->exit_reason) {
		case KVM_EXIT_MMIO:
			handle_mmio(vcpu, bus);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			status = handle_system_event(vcpu);
			break;
		default:
			status = handle_other(vcpu);
			break;
		}
	}
	atomic_signal_fence(memory_order_seq_cst);
	running = NULL;
	return status;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->vm->run_size);
	vcpu->run = NULL;
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	vcpu->fd = -1;
}
