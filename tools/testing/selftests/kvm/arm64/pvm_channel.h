/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a test and its guest speak: the guest reads its next command from, and writes what came of it
 * to, an IPA that no memslot covers, so that each access is an MMIO exit to the test. No page is
 * shared for it: what a test says of the state of memory is not changed by the talking.
 *
 * Read by C and by the assembler.
 */
#ifndef SELFTEST_KVM_PVM_CHANNEL_H
#define SELFTEST_KVM_PVM_CHANNEL_H

/* Registers of the channel, offsets in bytes, 64 bits each. */
#define PVM_COMMAND		0x00	/* read: what to do next */
#define PVM_ARG			0x08	/* read: arguments 0..3 */
#define PVM_RESULT		0x28	/* written: results 0..3 */
#define PVM_DONE		0x48	/* written: the results are complete */
#define PVM_EXC_ESR		0x50	/* written: the command ended in an exception, */
#define PVM_EXC_FAR		0x58	/* with these syndrome registers, */
#define PVM_EXC_ELR		0x60	/* the last of which completes it */
#define PVM_CHANNEL_SIZE	0x1000

/* HVC #0 with arguments 0..3 in x0..x3; results: x0..x3. */
#define PVM_HVC			0
/* Result 0: the 64 bits at IPA argument 0. */
#define PVM_LOAD		1
/* Store argument 1 at IPA argument 0. */
#define PVM_STORE		2
/* Store argument 1 at the start of argument 2 areas, argument 3 bytes apart from argument 0 on. */
#define PVM_FILL		3
/*
 * Hypercall argument 0 with x1 = argument 1 and x2 = x3 = 0, argument 2 times, x1 growing by
 * argument 3 each time. Result 0: how many of them returned x0 = 0; result 1: how many x0 = -3.
 */
#define PVM_HVC_SWEEP		4
/* Never come back. */
#define PVM_SPIN		5
/* As PVM_HVC, by SMC #0. */
#define PVM_SMC			6
/* Set every 64 bits of z0..z31 to argument 0. Result 0: how many bytes each of them has. */
#define PVM_SVE_FILL		7
/* Result 0: how many 64 bits of z0..z31 are not argument 0; result 1: as of PVM_SVE_FILL. */
#define PVM_SVE_CHECK		8
/*
 * Do the argument 1 steps that are in memory from argument 0 on, PVM_STEP_SIZE bytes each, one
 * after the other: the number of a command, which is PVM_HVC, PVM_LOAD or PVM_STORE, and its four
 * arguments, in place of which its results are written.
 */
#define PVM_BATCH		9
#define PVM_STEP_SIZE		64
/*
 * Execute argument 0, the code of one instruction, with arguments 1..3 in x0..x2. It may use these
 * and x3 and no other general register. Results: x0..x3.
 */
#define PVM_INSN		10

#endif /* SELFTEST_KVM_PVM_CHANNEL_H */
