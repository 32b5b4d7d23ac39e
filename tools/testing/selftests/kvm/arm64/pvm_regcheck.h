/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The channel between pkvm_secrets and its guest. In each round the guest fills its registers with
 * unique numbers, makes one kind of exit, and checks whether it still has all of them. It reads the
 * kind of exit from the channel, and writes its report there, by MMIO as in pvm_channel.h.
 *
 * C and assembly code include this file.
 */
#ifndef SELFTEST_KVM_PVM_REGCHECK_H
#define SELFTEST_KVM_PVM_REGCHECK_H

/* Registers of the channel of the register checker, offsets in bytes, 64 bits each. */
#define REGCHECK_COMMAND	0x00	/* read: the kind of exit */
#define REGCHECK_ARG		0x08	/* read: an IPA or such */
#define REGCHECK_LOST		0x10	/* written: the number of changed registers */
#define REGCHECK_WHICH		0x18	/* written: the first one: 0.. x, 32.. v, 64.. system */
#define REGCHECK_RESULT		0x20	/* written: x0 of a hypercall, what was read */
#define REGCHECK_HELD		0x28	/* written: the number of system registers with a secret */
#define REGCHECK_DONE		0x30	/* written: the report is complete */
#define REGCHECK_SIZE		0x38
/* The number of exits of a round for these registers. */
#define REGCHECK_EXITS		7

/* Kinds of exits. */
#define REGCHECK_SPIN		0	/* an interrupt, in a loop of some hundred milliseconds */
#define REGCHECK_WFI		1
#define REGCHECK_MMIO_READ	2	/* of 64 bits at the argument, into x2 */
#define REGCHECK_MMIO_WRITE	3	/* of REGCHECK_SHOWN at the argument */
#define REGCHECK_LOAD		4	/* of memory at the argument, into x2 */
#define REGCHECK_HVC		5	/* x0: the upper half of the command, x1: the argument */
#define REGCHECK_SYSREG		6	/* accesses to registers that trap and do not exist */
#define REGCHECK_SGI		7	/* ICC_SGI1R_EL1 = the argument */
#define REGCHECK_WAYS		8

/*
 * A secret has 64 bits: twice the tag and the number of the register. A register of 32 bits has
 * half a secret. x0 and x1, which the guest needs to check all others, have patterns that one
 * instruction can compare with.
 */
#define REGCHECK_TAG		0x5ec2e700
#define REGCHECK_TAG_MASK	0xffffff00
#define REGCHECK_X0		0x7c7c7c7c7c7c7c7c
#define REGCHECK_X1		0x3e3e3e3e3e3e3e3e
/* The value of an MMIO write, which the host may read. */
#define REGCHECK_SHOWN		0x9b11c0de9b11c0de

/* The least number of system registers that hold half a secret or more. */
#define REGCHECK_MIN_HELD	12

#endif /* SELFTEST_KVM_PVM_REGCHECK_H */
