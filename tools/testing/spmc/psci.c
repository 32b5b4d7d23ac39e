// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI 1.1 (Arm DEN0022), as far as a kernel on QEMU's virt machine needs it. With secure=on
 * and a firmware, QEMU does not implement PSCI itself.
 */
#include <linux/arm-smccc.h>
#include <linux/psci.h>

#include "spmc.h"

#define MPIDR_AFFINITY		0xff00ffffffUL

/* A PL061 in secure state. One of its pins powers the machine off, another resets it. */
#define GPIO			0x090b0000UL
#define GPIO_DATA		0x000
#define GPIO_DIR		0x400
#define GPIO_OFF		BIT(0)
#define GPIO_RESET		BIT(1)

static struct spmc_cpu cpus[SPMC_MAX_CPUS];
static uint32_t lock;

/**
 * psci_boot() - Make CPU 0 start the kernel
 *
 * Called once, on CPU 0, before spmc_cpu_wait().
 */
void psci_boot(void)
{
	cpus[0].entry = SPMC_KERNEL;
	cpus[0].context = SPMC_DEVTREE;
	__atomic_store_n(&cpus[0].state, SPMC_PENDING, __ATOMIC_RELEASE);
}

/**
 * spmc_cpu_wait() - Wait until this CPU is started
 * @cpu: number of this CPU.
 *
 * Takes the lock of the CPUs' power states.
 *
 * Return: entry point and context of the CPU.
 */
struct spmc_cpu *spmc_cpu_wait(uint64_t cpu)
{
	while (__atomic_load_n(&cpus[cpu].state, __ATOMIC_ACQUIRE) != SPMC_PENDING)
		__asm__ volatile("wfe");

	spmc_lock(&lock);
	cpus[cpu].state = SPMC_ON;
	spmc_unlock(&lock);

	return &cpus[cpu];
}

static long cpu_on(uint64_t target, uint64_t entry, uint64_t context)
{
	struct spmc_cpu *cpu = &cpus[target & 0xff];
	long ret = PSCI_RET_SUCCESS;

	if (target & ~0xffUL || target >= SPMC_MAX_CPUS)
		return PSCI_RET_INVALID_PARAMS;

	spmc_lock(&lock);
	if (cpu->state == SPMC_OFF) {
		cpu->entry = entry;
		cpu->context = context;
		__atomic_store_n(&cpu->state, SPMC_PENDING, __ATOMIC_RELEASE);
		__asm__ volatile("dsb sy; sev");
	} else {
		ret = cpu->state == SPMC_ON ? PSCI_RET_ALREADY_ON : PSCI_RET_ON_PENDING;
	}
	spmc_unlock(&lock);

	return ret;
}

static long affinity_info(uint64_t target)
{
	static const long answer[] = {
		[SPMC_OFF] = PSCI_0_2_AFFINITY_LEVEL_OFF,
		[SPMC_PENDING] = PSCI_0_2_AFFINITY_LEVEL_ON_PENDING,
		[SPMC_ON] = PSCI_0_2_AFFINITY_LEVEL_ON,
	};

	if (target & ~0xffUL || target >= SPMC_MAX_CPUS)
		return PSCI_RET_INVALID_PARAMS;

	return answer[__atomic_load_n(&cpus[target].state, __ATOMIC_ACQUIRE)];
}

static void machine_pin(uint32_t pin)
{
	mmio_write(GPIO + GPIO_DIR, mmio_read(GPIO + GPIO_DIR) | pin);
	/* Bits 9:2 of the address are the mask of the pins that a write changes. */
	mmio_write(GPIO + GPIO_DATA + (pin << 2), 0);
	mmio_write(GPIO + GPIO_DATA + (pin << 2), pin);
	for (;;)
		__asm__ volatile("wfi");
}

static long features(uint32_t fid)
{
	switch (fid & ~PSCI_0_2_64BIT) {
	case PSCI_0_2_FN_PSCI_VERSION:
	case PSCI_0_2_FN_CPU_OFF:
	case PSCI_0_2_FN_CPU_ON:
	case PSCI_0_2_FN_AFFINITY_INFO:
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
	case PSCI_0_2_FN_SYSTEM_OFF:
	case PSCI_0_2_FN_SYSTEM_RESET:
	case PSCI_1_0_FN_PSCI_FEATURES:
	case ARM_SMCCC_VERSION_FUNC_ID:
		return PSCI_RET_SUCCESS;
	default:
		return PSCI_RET_NOT_SUPPORTED;
	}
}

/**
 * psci_is_call() - Check whether a function id belongs to PSCI
 * @fid: the function id.
 *
 * Return: true if so.
 */
bool psci_is_call(uint32_t fid)
{
	return (fid & ~PSCI_0_2_64BIT) - PSCI_0_2_FN_BASE < 0x20;
}

/**
 * psci_handle() - Handle a PSCI call (Arm DEN0022)
 * @regs: the caller's registers, which get the result.
 * @cpu: number of the calling CPU.
 *
 * Takes the lock of the CPUs' power states. An unknown function returns NOT_SUPPORTED.
 *
 * Return: true if the CPU is now off.
 */
bool psci_handle(struct spmc_regs *regs, uint64_t cpu)
{
	uint32_t fid = regs->x[0];
	uint64_t target = regs->x[1] & MPIDR_AFFINITY;

	switch (fid & ~PSCI_0_2_64BIT) {
	case PSCI_0_2_FN_PSCI_VERSION:
		regs->x[0] = PSCI_VERSION(1, 1);
		break;
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
		regs->x[0] = PSCI_0_2_TOS_MP;
		break;
	case PSCI_1_0_FN_PSCI_FEATURES:
		regs->x[0] = features(regs->x[1]);
		break;
	case PSCI_0_2_FN_CPU_ON:
		regs->x[0] = cpu_on(target, regs->x[2], regs->x[3]);
		break;
	case PSCI_0_2_FN_AFFINITY_INFO:
		regs->x[0] = affinity_info(target);
		break;
	case PSCI_0_2_FN_CPU_OFF:
		__atomic_store_n(&cpus[cpu].state, SPMC_OFF, __ATOMIC_RELEASE);
		return true;
	case PSCI_0_2_FN_SYSTEM_OFF:
		machine_pin(GPIO_OFF);
		break;
	case PSCI_0_2_FN_SYSTEM_RESET:
		machine_pin(GPIO_RESET);
		break;
	default:
		regs->x[0] = PSCI_RET_NOT_SUPPORTED;
	}

	return false;
}
