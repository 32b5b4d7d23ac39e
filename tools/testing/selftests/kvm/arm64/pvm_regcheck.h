/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How pkvm_secrets and its guest speak. The guest fills every register that it has with numbers
 * that nothing else has, leaves for the host in one of many ways, and looks whether it still has
 * them all. It is told which way, and tells what it found, by MMIO; see pvm_channel.h for why.
 *
 * Read by C and by the assembler.
 */
#ifndef SELFTEST_KVM_PVM_REGCHECK_H
#define SELFTEST_KVM_PVM_REGCHECK_H

/* Registers of the channel of the register checker, offsets in bytes, 64 bits each. */
#define REGCHECK_COMMAND	0x00	/* read: which way to leave */
#define REGCHECK_ARG		0x08	/* read: an IPA or such */
#define REGCHECK_LOST		0x10	/* written: how many registers have changed */
#define REGCHECK_WHICH		0x18	/* written: the first: 0.. x, 32.. v, 64.. system */
#define REGCHECK_RESULT		0x20	/* written: x0 of a hypercall, what was read */
#define REGCHECK_HELD		0x28	/* written: how many system registers held a secret */
#define REGCHECK_DONE		0x30	/* written: all of these are complete */
#define REGCHECK_SIZE		0x38
/* How many exits a round has of these alone. */
#define REGCHECK_EXITS		7

/* Ways to leave. */
#define REGCHECK_SPIN		0	/* by an interrupt: a few hundred milliseconds of nothing */
#define REGCHECK_WFI		1
#define REGCHECK_MMIO_READ	2	/* of 64 bits at the argument, into x2 */
#define REGCHECK_MMIO_WRITE	3	/* of REGCHECK_SHOWN at the argument */
#define REGCHECK_LOAD		4	/* of memory at the argument, into x2 */
#define REGCHECK_HVC		5	/* x0: the upper half of the command, x1: the argument */
#define REGCHECK_SYSREG		6	/* of registers that trap, none of which there is */
#define REGCHECK_SGI		7	/* ICC_SGI1R_EL1 = the argument */
#define REGCHECK_WAYS		8

/*
 * A secret is 64 bits: the tag and the number of the register that holds it, twice. A register of
 * 32 bits has half of one. x0 and x1, by which all others are checked, have patterns that one
 * instruction can compare with.
 */
#define REGCHECK_TAG		0x5ec2e700
#define REGCHECK_TAG_MASK	0xffffff00
#define REGCHECK_X0		0x7c7c7c7c7c7c7c7c
#define REGCHECK_X1		0x3e3e3e3e3e3e3e3e
/* What an MMIO write may show. */
#define REGCHECK_SHOWN		0x9b11c0de9b11c0de

/* How many of the system registers can hold half a secret at least. */
#define REGCHECK_MIN_HELD	12

#endif /* SELFTEST_KVM_PVM_REGCHECK_H */
