/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The channel between a test and its guest. The guest reads its next command from an IPA without a
 * memslot, and writes the results there, so that each access is an MMIO exit to the test. The
 * channel needs no shared page and so does not affect the memory state that a test checks.
 *
 * C and assembly code include this file.
 */
#ifndef SELFTEST_KVM_PVM_CHANNEL_H
#define SELFTEST_KVM_PVM_CHANNEL_H

/* Registers of the channel, offsets in bytes, 64 bits each. */
#define PVM_COMMAND		0x00	/* read: what to do next */
#define PVM_ARG			0x08	/* read: arguments 0..3 */
#define PVM_RESULT		0x28	/* written: results 0..3 */
#define PVM_DONE		0x48	/* written: the results are complete */
#define PVM_EXC_ESR		0x50	/* written: ESR_EL1 of an exception in the command */
#define PVM_EXC_FAR		0x58	/* written: FAR_EL1 */
#define PVM_EXC_ELR		0x60	/* written: ELR_EL1, which ends the command */
#define PVM_CHANNEL_SIZE	0x1000

/* HVC #0 with arguments 0..3 in x0..x3; results: x0..x3. */
#define PVM_HVC			0
/* Result 0: the 64 bits at IPA argument 0. */
#define PVM_LOAD		1
/* Store argument 1 at IPA argument 0. */
#define PVM_STORE		2
/* Store argument 1 at argument 2 IPAs, the first at argument 0, argument 3 bytes apart. */
#define PVM_FILL		3
/*
 * Hypercall argument 0 with x1 = argument 1 and x2 = x3 = 0, argument 2 times, x1 growing by
 * argument 3 each time. Result 0: how many of them returned x0 = 0; result 1: how many x0 = -3.
 */
#define PVM_HVC_SWEEP		4
/* Loop forever. */
#define PVM_SPIN		5
/* SMC #0, as PVM_HVC. */
#define PVM_SMC			6
/* Set every 64 bits of z0..z31 to argument 0. Result 0: how many bytes each of them has. */
#define PVM_SVE_FILL		7
/* Result 0: how many 64 bits of z0..z31 are not argument 0; result 1: result 0 of PVM_SVE_FILL. */
#define PVM_SVE_CHECK		8
/*
 * Do the argument 1 steps in memory from IPA argument 0 on, PVM_STEP_SIZE bytes each, in order. A
 * step has the number of a command, PVM_HVC, PVM_LOAD or PVM_STORE, and its four arguments. The
 * guest overwrites the arguments with the results.
 */
#define PVM_BATCH		9
#define PVM_STEP_SIZE		64
/*
 * Execute the instruction whose encoding is argument 0, with arguments 1..3 in x0..x2. It must use
 * no general register but x0..x3. Results: x0..x3.
 */
#define PVM_INSN		10

#endif /* SELFTEST_KVM_PVM_CHANNEL_H */
