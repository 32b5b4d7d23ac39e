/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations of the benchmark guest: addresses of the machine, stopwatches, console. It
 * runs on one CPU with interrupts masked, and has no locks.
 */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stdbool.h>
#include <stdnoreturn.h>

typedef unsigned char u8;
typedef unsigned long u64;

/* The VMM's 16550 UART, and an address at which the VMM has no device. */
#define UART_BASE		0x3f8UL
#define NO_DEVICE		0x10000UL

/* Unused IPA space for the guard, in windows of 16 MiB that are aligned to their size. */
#define WINDOWS			0x10000000UL
#define WINDOW_GRANULES		(0x1000000UL / GRANULE)

#define GRANULE			4096UL

#define MAX_SAMPLES		8192

/* What has been measured, and the ticks of the stopwatch itself. */
extern u64 samples[MAX_SAMPLES];
extern u64 watch;

/* Granules of the pool, which starts at image_end; a field of the image's header. */
extern const u64 pool_granules;
extern u8 image_end[];

/**
 * time_nothing() - Measure the stopwatch itself.
 *
 * Return: ticks of the virtual counter.
 */
u64 time_nothing(void);

/**
 * time_hvc() - Time one hypercall.
 * @regs: x0 to x3; arguments before, results after.
 *
 * Return: ticks of the virtual counter, including those of the stopwatch.
 */
u64 time_hvc(u64 regs[4]);

/**
 * time_store() - Time the store of one byte.
 * @value: the byte.
 * @address: the address.
 *
 * Return: ticks of the virtual counter, including those of the stopwatch.
 */
u64 time_store(u8 value, u64 address);

/**
 * report() - Sort the samples and print the result of a benchmark, which has ended.
 * @name: its name.
 * @count: how many samples there are.
 */
void report(const char *name, u64 count);

/**
 * windows_populate() - Place the VMM's windows, and have the VMM write to all of their pages.
 *
 * Call this before the guest enrolls in the MMIO guard.
 *
 * Return: false if the VMM has no windows.
 */
bool windows_populate(void);

/** windows_guard() - Guard the windows and what is needed to remove them. */
void windows_guard(void);

/** windows_bench() - Time accesses to windows and their removal; the guest has enrolled. */
void windows_bench(void);

/** bench_ends() - Mark the end of a benchmark in a log of instructions. */
void bench_ends(void);

/** console_text() - Print a string. */
void console_text(const char *text);

/** console_number() - Print a number in decimal. */
void console_number(u64 value);

/** console_hex() - Print a number in hexadecimal, with 0x before it. */
void console_hex(u64 value);

/** guest_off() - End the VM successfully, by PSCI SYSTEM_OFF. */
noreturn void guest_off(void);

/**
 * guest_fail() - Print an error and end the VM, by PSCI SYSTEM_RESET.
 * @what: the error.
 * @value: the value that is wrong, printed behind it.
 */
noreturn void guest_fail(const char *what, u64 value);

/** guest_exception() - Report an exception and end the VM; called by the vectors. */
noreturn void guest_exception(u64 esr, u64 elr, u64 far);

/** guest_main() - Run all benchmarks and end the VM; called by entry.S. */
noreturn void guest_main(void);

#endif /* BENCH_GUEST_H */
