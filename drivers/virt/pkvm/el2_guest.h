/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A protected guest of a few instructions (el2_guest_code.S) and the host that runs it
 * (el2_guest.c).
 */
#ifndef __PKVM_EL2_GUEST_H__
#define __PKVM_EL2_GUEST_H__

/* Commands of the guest. x[] has the arguments, and then the results. */
#define EL2_GUEST_HVC		0	/* HVC with x0..x3 */
#define EL2_GUEST_READ		1	/* x0 = the 64 bits at x1 */
#define EL2_GUEST_WRITE		2	/* the 64 bits at x1 = x2 */
/* Fill all registers with the magic, make exit x0; x0 = the value, x1 = changed registers. */
#define EL2_GUEST_SECRET	3

/* Execute x0 with x1 in x0; x0 = what is in x0 then, x1 = ESR_EL1 of the exception, or 0. */
#define EL2_GUEST_INSN		4

#define EL2_LEAVE_HVC		0	/* HVC with x0 = x1, x1 = x2 */
#define EL2_LEAVE_WFI		1
#define EL2_LEAVE_LOAD		2	/* of the 64 bits at x1 */
#define EL2_LEAVE_STORE		3	/* of x2 at x1 */
#define EL2_LEAVE_SGI		4	/* x1 written to ICC_SGI1R_EL1 */
#define EL2_LEAVE_IRQ		5	/* by interrupts, until the 64 bits at x1 are 0 */

#define EL2_GUEST_MAGIC		0x5ec2e75ec2e75ec8

/* VBAR_EL1 of the guest, as an offset from the start of its code. */
#define EL2_GUEST_VECTORS	0x800

/* The gfns of the guest's code and mailbox. Tests use the gfns from EL2_TEST_GFN on. */
#define EL2_CODE_GFN		0x100
#define EL2_MAILBOX_GFN		0x101
#define EL2_TEST_GFN		0x200

#ifndef __ASSEMBLY__

#include "el2_kunit.h"

extern const char el2_guest_code[], el2_guest_code_end[];

/**
 * struct el2_mailbox - The commands of the host, and the guest's results.
 * @command:	EL2_GUEST_*.
 * @x:		Arguments and results.
 */
struct el2_mailbox {
	u64			command;
	u64			x[4];
};

/* The reason of the guest's exit. */
enum el2_exit {
	EL2_EXIT_PARKED,		/* the guest has done its command */
	EL2_EXIT_HVC,			/* a hypercall that EL2 forwards to the host */
	EL2_EXIT_FAULT,			/* a fault on a missing page */
	EL2_EXIT_MMIO,			/* an access that the host emulates */
	EL2_EXIT_WFI,
	EL2_EXIT_SYSREG,
	EL2_EXIT_INTERRUPTED,		/* only from el2_guest_run_once() */
	EL2_EXIT_OTHER,
};

/**
 * struct el2_guest - A running guest.
 * @vm:		Its VM, of one vCPU, loaded.
 * @is_np:	Whether it is not protected.
 * @mailbox:	The page of its mailbox.
 * @code:	The page of its code.
 */
struct el2_guest {
	struct el2_vm		*vm;
	bool			is_np;
	struct page		*mailbox;
	struct page		*code;
};

void el2_to_poc(void *p, size_t size);
struct el2_guest *el2_guest_boot(struct kunit *test);
struct el2_guest *el2_guest_boot_np(struct kunit *test);
enum el2_exit el2_guest_run(struct kunit *test, struct el2_guest *g);
u64 el2_guest_fault_ipa(struct el2_guest *g);
enum el2_exit el2_guest_run_once(struct kunit *test, struct el2_guest *g);
void el2_guest_tell(struct el2_guest *g, u64 command, u64 x0, u64 x1, u64 x2, u64 x3);
enum el2_exit el2_guest_do(struct kunit *test, struct el2_guest *g, u64 command, u64 x0, u64 x1,
			   u64 x2, u64 x3);
u64 el2_guest_result(struct el2_guest *g, unsigned int n);
s64 el2_guest_hvc(struct kunit *test, struct el2_guest *g, u64 x0, u64 x1, u64 x2, u64 x3);
int el2_guest_hvc_tables(struct kunit *test, struct el2_guest *g, u64 x0, u64 x1, u64 x2);

#endif /* !__ASSEMBLY__ */

#endif /* __PKVM_EL2_GUEST_H__ */
