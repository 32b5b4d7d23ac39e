/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How pkvm_secrets and its guest speak. The guest fills every register that it has with numbers
 * that nothing else has, leaves for the host in one of many ways, and looks whether it still has
 * them all. It is told which way, and tells what it found, by MMIO; see pvm_channel.h for why.
 *
 * Read by C and by the assembler.
 */
#ifndef SELFTEST_KVM_PVM_KEEPER_H
#define SELFTEST_KVM_PVM_KEEPER_H

/* Registers of the keeper's channel, offsets in bytes, 64 bits each. */
#define KEEPER_COMMAND		0x00	/* read: which way to leave */
#define KEEPER_ARG		0x08	/* read: an IPA or such */
#define KEEPER_LOST		0x10	/* written: how many registers have changed */
#define KEEPER_WHICH		0x18	/* written: the first: 0.. x, 32.. v, 64.. system */
#define KEEPER_RESULT		0x20	/* written: x0 of a hypercall, what was read */
#define KEEPER_HELD		0x28	/* written: how many system registers held a secret */
#define KEEPER_DONE		0x30	/* written: all of these are complete */
#define KEEPER_SIZE		0x38
/* How many exits a round has of these alone. */
#define KEEPER_EXITS		7

/* Ways to leave. */
#define KEEPER_SPIN		0	/* by an interrupt: a few hundred milliseconds of nothing */
#define KEEPER_WFI		1
#define KEEPER_MMIO_READ	2	/* of 64 bits at the argument, into x2 */
#define KEEPER_MMIO_WRITE	3	/* of KEEPER_SHOWN at the argument */
#define KEEPER_LOAD		4	/* of memory at the argument, into x2 */
#define KEEPER_HVC		5	/* x0: the upper half of the command, x1: the argument */
#define KEEPER_SYSREG		6	/* of registers that trap, none of which there is */
#define KEEPER_SGI		7	/* ICC_SGI1R_EL1 = the argument */
#define KEEPER_WAYS		8

/*
 * A secret is 64 bits: the tag and the number of the register that holds it, twice. A register of
 * 32 bits has half of one. x0 and x1, by which all others are checked, have patterns that one
 * instruction can compare with.
 */
#define KEEPER_TAG		0x5ec2e700
#define KEEPER_TAG_MASK		0xffffff00
#define KEEPER_X0		0x7c7c7c7c7c7c7c7c
#define KEEPER_X1		0x3e3e3e3e3e3e3e3e
/* What an MMIO write may show. */
#define KEEPER_SHOWN		0x9b11c0de9b11c0de

/* How many of the system registers can hold half a secret at least. */
#define KEEPER_MIN_HELD		12

#endif /* SELFTEST_KVM_PVM_KEEPER_H */
