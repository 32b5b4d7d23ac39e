// SPDX-License-Identifier: GPL-2.0-only
/*
 * Initialises EL3's registers and the GIC, so that EL2 finds a CPU as after a boot without
 * secure firmware, and dispatches SMCs.
 */
#include <stdalign.h>

#include <linux/arm-smccc.h>

#include "../../../drivers/virt/pkvm/el2_ffa.h"
#include "spmc.h"

#define TRNG_VERSION_1_0	0x10000

/*
 * NS, RES1, HCE, RW, and the enables of features that EL3 would trap otherwise: APK, API, ATA,
 * FGTEn, ECVEn, HXEn, EnTP2, TCR2En, SCTLR2En, PIEn. QEMU ignores those that the CPU lacks.
 */
#define SCR_EL3_VALUE		(BIT(0) | BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(16) |	\
				 BIT(17) | BIT(26) | BIT(27) | BIT(28) | BIT(38) |	\
				 BIT(41) | BIT(43) | BIT(44) | BIT(45))
/* EZ and ESM, so that SVE and SME are not trapped. */
#define CPTR_EL3_VALUE		(BIT(8) | BIT(12))
/* Only RES1 bits: MMU and caches are off. */
#define SCTLR_EL2_VALUE		0x30c50830UL
#define ID_SVE_SHIFT		32
#define ID_SME_SHIFT		24
/* All vector lengths, and FA64 of SME. */
#define ZCR_EL3_VALUE		0xfUL
#define SMCR_EL3_VALUE		(0xfUL | BIT(31))

#define GICD			0x08000000UL
#define GICD_CTLR		0x0
#define GICD_TYPER		0x4
#define GICD_IGROUPR		0x80
#define GICR			0x080a0000UL
#define GICR_STRIDE		0x20000
#define GICR_WAKER		0x14
#define GICR_IGROUPR0		0x10080
/* ARE for both security states, non-secure group 1. */
#define GICD_CTLR_VALUE		(BIT(5) | BIT(4) | BIT(1))

alignas(16) uint8_t stacks[SPMC_MAX_CPUS << SPMC_STACK_SHIFT];

#define read_reg(reg)							\
	({								\
		uint64_t __value;					\
									\
		__asm__ volatile("mrs %0, " #reg : "=r" (__value));	\
		__value;						\
	})

#define write_reg(value, reg)						\
	({								\
		__asm__ volatile("msr " #reg ", %0" : : "r" ((uint64_t)(value)));	\
	})

/* Put all interrupts into non-secure group 1. */
static void gic_init_cpu(uint64_t cpu)
{
	uint64_t gicr = GICR + cpu * GICR_STRIDE;
	unsigned int i, words;

	if (!cpu) {
		words = (mmio_read(GICD + GICD_TYPER) & 0x1f) + 1;
		mmio_write(GICD + GICD_CTLR, GICD_CTLR_VALUE);
		for (i = 1; i < words; i++)
			mmio_write(GICD + GICD_IGROUPR + 4 * i, ~0u);
	}

	/* Clear ProcessorSleep, and wait until ChildrenAsleep is clear. */
	mmio_write(gicr + GICR_WAKER, mmio_read(gicr + GICR_WAKER) & ~2u);
	while (mmio_read(gicr + GICR_WAKER) & 4u)
		;
	mmio_write(gicr + GICR_IGROUPR0, ~0u);

	/* ICC_SRE_EL3: use system registers, also at EL2. */
	write_reg(0xf, S3_6_C12_C12_5);
	__asm__ volatile("isb");
}

/**
 * spmc_cpu_reset() - Initialise EL3 of a CPU
 * @cpu: its number.
 *
 * Called by entry.S on the CPU itself. CPU 0 will start the kernel; the others wait for CPU_ON.
 */
void spmc_cpu_reset(uint64_t cpu)
{
	write_reg(SCR_EL3_VALUE, scr_el3);
	write_reg(CPTR_EL3_VALUE, cptr_el3);
	write_reg(SCTLR_EL2_VALUE, sctlr_el2);
	write_reg(0, hcr_el2);
	__asm__ volatile("isb");

	if (read_reg(id_aa64pfr0_el1) >> ID_SVE_SHIFT & 0xf)
		write_reg(ZCR_EL3_VALUE, S3_6_C1_C2_0);
	if (read_reg(id_aa64pfr1_el1) >> ID_SME_SHIFT & 0xf)
		write_reg(SMCR_EL3_VALUE, S3_6_C1_C2_6);

	gic_init_cpu(cpu);
	if (!cpu)
		psci_boot();
}

/**
 * spmc_lock() - Take a lock
 * @lock: the lock, 0 if it is free.
 */
void spmc_lock(uint32_t *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		;
}

/**
 * spmc_unlock() - Release a lock
 * @lock: the lock.
 */
void spmc_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/**
 * spmc_handle_smc() - Handle an SMC (Arm DEN0028)
 * @regs: the caller's registers, which get the result.
 * @cpu: number of the calling CPU.
 *
 * Called by entry.S. An unknown function returns NOT_SUPPORTED.
 *
 * Return: true if the CPU is now off.
 */
bool spmc_handle_smc(struct spmc_regs *regs, uint64_t cpu)
{
	uint32_t fid = regs->x[0];

	if (psci_is_call(fid))
		return psci_handle(regs, cpu);

	if (ffa_is_call(fid)) {
		ffa_handle(regs);
		return false;
	}

	switch (fid) {
	case ARM_SMCCC_VERSION_FUNC_ID:
		regs->x[0] = ARM_SMCCC_VERSION_1_2;
		break;
	case ARM_SMCCC_ARCH_FEATURES_FUNC_ID:
		if (regs->x[1] == ARM_SMCCC_VERSION_FUNC_ID ||
		    regs->x[1] == ARM_SMCCC_ARCH_FEATURES_FUNC_ID)
			regs->x[0] = SMCCC_RET_SUCCESS;
		else
			regs->x[0] = SMCCC_RET_NOT_SUPPORTED;
		break;
	/* Entropy that a test recognises. */
	case ARM_SMCCC_TRNG_VERSION:
		regs->x[0] = TRNG_VERSION_1_0;
		break;
	case ARM_SMCCC_TRNG_FEATURES:
		if (regs->x[1] == ARM_SMCCC_TRNG_VERSION ||
		    regs->x[1] == ARM_SMCCC_TRNG_FEATURES ||
		    regs->x[1] == ARM_SMCCC_TRNG_RND64)
			regs->x[0] = SMCCC_RET_SUCCESS;
		else
			regs->x[0] = SMCCC_RET_NOT_SUPPORTED;
		break;
	case ARM_SMCCC_TRNG_RND64:
		regs->x[0] = SMCCC_RET_SUCCESS;
		regs->x[1] = SPMC_ENTROPY + 1;
		regs->x[2] = SPMC_ENTROPY + 2;
		regs->x[3] = SPMC_ENTROPY + 3;
		break;
	default:
		regs->x[0] = SMCCC_RET_NOT_SUPPORTED;
	}

	return false;
}
