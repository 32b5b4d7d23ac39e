/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secure firmware for tests on QEMU's virt machine with secure=on: enough of EL3 to start Linux
 * at EL2, PSCI, and an SPMC for FF-A memory sharing (Arm DEN0077A 1.1) with one trusted
 * application.
 *
 * It runs only under QEMU: its locks use exclusive accesses to Device memory, which hardware
 * need not support.
 */
#ifndef __SPMC_H__
#define __SPMC_H__

#define SPMC_MAX_CPUS		8
#define SPMC_STACK_SHIFT	12
#define SPMC_EC_SMC64		0x17

/* EL2 with its own stack pointer, all interrupts masked. */
#define SPMC_SPSR_EL2		0x3c9

/* Addresses at which QEMU's loader devices put the kernel and its device tree. */
#define SPMC_KERNEL		0x40200000UL
#define SPMC_DEVTREE		0x4f000000UL

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

#define BIT(n)			(1UL << (n))

/* Access to 32-bit device registers. */
static inline uint32_t mmio_read(uint64_t addr)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r" (value) : "r" (addr) : "memory");

	return value;
}

static inline void mmio_write(uint64_t addr, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" : : "r" (value), "r" (addr) : "memory");
}

/**
 * struct spmc_cpu - The PSCI state of a CPU. entry.S uses the first two members.
 * @entry:	Address at which it starts at EL2.
 * @context:	Value of x0 when it starts.
 * @state:	enum spmc_power.
 */
struct spmc_cpu {
	uint64_t entry;
	uint64_t context;
	uint32_t state;
};

/**
 * enum spmc_power - The power state of a CPU.
 * @SPMC_OFF:		It waits at EL3.
 * @SPMC_PENDING:	CPU_ON was called for it, but it has not started yet.
 * @SPMC_ON:		It runs.
 */
enum spmc_power {
	SPMC_OFF,
	SPMC_PENDING,
	SPMC_ON,
};

/* x0..x30 of the caller. */
struct spmc_regs {
	uint64_t x[31];
};

/* main.c */
void spmc_cpu_reset(uint64_t cpu);
bool spmc_handle_smc(struct spmc_regs *regs, uint64_t cpu);
void spmc_lock(uint32_t *lock);
void spmc_unlock(uint32_t *lock);

/* psci.c */
void psci_boot(void);
struct spmc_cpu *spmc_cpu_wait(uint64_t cpu);
bool psci_is_call(uint32_t fid);
bool psci_handle(struct spmc_regs *regs, uint64_t cpu);

/* ffa.c */
bool ffa_is_call(uint32_t fid);
void ffa_handle(struct spmc_regs *regs);

#endif /* __ASSEMBLER__ */

#endif /* __SPMC_H__ */
