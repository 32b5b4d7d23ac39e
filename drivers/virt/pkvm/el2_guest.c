// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the guest of el2_guest_code.S by KVM's own hypercall for running vCPUs, and sends it
 * commands through its mailbox, a page that the guest shares.
 *
 * All functions must run in the test case's thread, with the guest's vCPU loaded on its CPU.
 */
#include <linux/irqflags.h>
#include <uapi/linux/psci.h>

#include <asm/esr.h>
#include <asm/kvm_emulate.h>

#include "el2_guest.h"

/* The limit of interrupts during a command. */
#define EL2_MAX_INTERRUPTS	1000

/**
 * el2_to_poc() - Clean and invalidate memory in the caches, to the point of coherency.
 * @p:		Its start.
 * @size:	Its size in bytes.
 *
 * The guest runs with the MMU off, so its accesses bypass the caches. Cache lines have 16 bytes or
 * more.
 */
void el2_to_poc(void *p, size_t size)
{
	unsigned long line = (unsigned long)p;
	unsigned long end = line + size;

	for (; line < end; line += 16)
		asm volatile("dc civac, %0" : : "r" (line) : "memory");
	dsb(sy);
}

static struct kvm_vcpu *el2_guest_vcpu(struct el2_guest *g)
{
	return g->vm->vcpu[0];
}

static enum el2_exit el2_guest_trap(struct el2_guest *g)
{
	struct kvm_vcpu *vcpu = el2_guest_vcpu(g);

	switch (ESR_ELx_EC(vcpu->arch.fault.esr_el2)) {
	case ESR_ELx_EC_HVC64:
		if ((u32)vcpu->arch.ctxt.regs.regs[0] != PSCI_0_2_FN64_CPU_SUSPEND)
			return EL2_EXIT_HVC;
		vcpu->arch.ctxt.regs.regs[0] = PSCI_RET_SUCCESS;
		return EL2_EXIT_PARKED;
	case ESR_ELx_EC_DABT_LOW:
	case ESR_ELx_EC_IABT_LOW:
		return kvm_vcpu_dabt_isvalid(vcpu) ? EL2_EXIT_MMIO : EL2_EXIT_FAULT;
	case ESR_ELx_EC_WFx:
		return EL2_EXIT_WFI;
	case ESR_ELx_EC_SYS64:
		return EL2_EXIT_SYSREG;
	default:
		return EL2_EXIT_OTHER;
	}
}

/**
 * el2_guest_run_once() - Run the guest until its next exit, also by an interrupt.
 * @test:	The test case.
 * @g:		The guest.
 *
 * Return: the reason of the exit.
 */
enum el2_exit el2_guest_run_once(struct kunit *test, struct el2_guest *g)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = kvm_call_hyp_nvhe(__kvm_vcpu_run, el2_guest_vcpu(g));
	local_irq_restore(flags);
	if (ret == ARM_EXCEPTION_IRQ)
		return EL2_EXIT_INTERRUPTED;

	KUNIT_ASSERT_EQ(test, ret, ARM_EXCEPTION_TRAP);
	return el2_guest_trap(g);
}

/**
 * el2_guest_run() - Run the guest until an exit that is no interrupt.
 * @test:	The test case.
 * @g:		The guest.
 *
 * Return: the reason of the exit.
 */
enum el2_exit el2_guest_run(struct kunit *test, struct el2_guest *g)
{
	unsigned int interrupts;
	enum el2_exit exit;

	for (interrupts = 0; interrupts < EL2_MAX_INTERRUPTS; interrupts++) {
		exit = el2_guest_run_once(test, g);
		if (exit != EL2_EXIT_INTERRUPTED)
			return exit;
	}
	KUNIT_FAIL_AND_ABORT(test, "only interrupts end the guest's run");
	return EL2_EXIT_OTHER;
}

/**
 * el2_guest_fault_ipa() - Get the IPA of the guest's fault.
 * @g:	The guest, after EL2_EXIT_FAULT.
 *
 * Return: the IPA in bytes, aligned to a page.
 */
u64 el2_guest_fault_ipa(struct el2_guest *g)
{
	return (el2_guest_vcpu(g)->arch.fault.hpfar_el2 & HPFAR_MASK) << 8;
}

static struct el2_mailbox *el2_mailbox(struct el2_guest *g)
{
	return page_address(g->mailbox);
}

/**
 * el2_guest_tell() - Write a command to the mailbox, which the guest does when it runs next.
 * @g:		The guest, parked.
 * @command:	EL2_GUEST_*.
 * @x0:		First argument.
 * @x1:		Second.
 * @x2:		Third.
 * @x3:		Fourth.
 */
void el2_guest_tell(struct el2_guest *g, u64 command, u64 x0, u64 x1, u64 x2, u64 x3)
{
	*el2_mailbox(g) = (struct el2_mailbox) { .command = command, .x = { x0, x1, x2, x3 } };
	el2_to_poc(el2_mailbox(g), sizeof(struct el2_mailbox));
}

/**
 * el2_guest_do() - Run the guest with a command.
 * @test:	The test case.
 * @g:		The guest, parked.
 * @command:	EL2_GUEST_*.
 * @x0:		First argument.
 * @x1:		Second.
 * @x2:		Third.
 * @x3:		Fourth.
 *
 * Return: the reason of the exit. If it is not EL2_EXIT_PARKED, the command is not done yet.
 */
enum el2_exit el2_guest_do(struct kunit *test, struct el2_guest *g, u64 command, u64 x0, u64 x1,
			   u64 x2, u64 x3)
{
	el2_guest_tell(g, command, x0, x1, x2, x3);
	return el2_guest_run(test, g);
}

/**
 * el2_guest_result() - Get a result of the last command.
 * @g:	The guest, parked.
 * @n:	The number of the result, 0..3.
 *
 * Return: the value.
 */
u64 el2_guest_result(struct el2_guest *g, unsigned int n)
{
	el2_to_poc(el2_mailbox(g), sizeof(struct el2_mailbox));
	return READ_ONCE(el2_mailbox(g)->x[n]);
}

/**
 * el2_guest_hvc() - Have the guest make a hypercall that EL2 answers by itself.
 * @test:	The test case.
 * @g:		The guest, parked.
 * @x0:		Function.
 * @x1:		First argument.
 * @x2:		Second.
 * @x3:		Third.
 *
 * Fails the test if the call exits to the host.
 *
 * Return: x0 after the call.
 */
s64 el2_guest_hvc(struct kunit *test, struct el2_guest *g, u64 x0, u64 x1, u64 x2, u64 x3)
{
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC, x0, x1, x2, x3),
			EL2_EXIT_PARKED);
	return el2_guest_result(g, 0);
}

static struct el2_guest *el2_guest_alloc(struct kunit *test)
{
	struct el2_guest *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, g);
	g->mailbox = el2_page(test);
	g->code = el2_page(test);
	memcpy(page_address(g->code), el2_guest_code, el2_guest_code_end - el2_guest_code);

	return g;
}

static void el2_guest_set_entry(struct el2_guest *g)
{
	struct kvm_cpu_context *ctxt = &el2_guest_vcpu(g)->arch.ctxt;

	ctxt->regs.pc = EL2_CODE_GFN << PAGE_SHIFT;
	ctxt->regs.regs[0] = EL2_MAILBOX_GFN << PAGE_SHIFT;
}

/**
 * el2_guest_boot() - Create a protected VM, and run its guest until it parks.
 * @test:	The test case; ends if that fails.
 *
 * Return: the guest, parked, with its mailbox shared.
 */
struct el2_guest *el2_guest_boot(struct kunit *test)
{
	struct el2_guest *g = el2_guest_alloc(test);

	g->vm = el2_vm_create(test, 1);
	el2_guest_set_entry(g);

	KUNIT_ASSERT_EQ(test, el2_load(g->vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, g->code, EL2_CODE_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, g->mailbox, EL2_MAILBOX_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_ASSERT_TRUE(test, el2_readable(g->mailbox));
	return g;
}

/* Above the value of every field of an ID register, but not 0b1111: "none" in a signed field. */
#define EL2_SHOW_ALL	0x7777777777777777ULL

/**
 * el2_guest_boot_np() - Start a non-protected guest.
 * @test:	The test case.
 *
 * Its ID registers as the host sets them have all features, and it has pointer authentication.
 *
 * Return: the guest, parked.
 */
struct el2_guest *el2_guest_boot_np(struct kunit *test)
{
	struct el2_guest *g = el2_guest_alloc(test);
	struct kvm_vcpu *vcpu;

	el2_to_poc(page_address(g->code), PAGE_SIZE);
	g->is_np = true;
	g->vm = el2_np_vm_alloc(test, 1);
	memset64(g->vm->kvm->arch.id_regs, EL2_SHOW_ALL, KVM_ARM_ID_REG_NUM);
	__set_bit(KVM_ARM_VCPU_PTRAUTH_ADDRESS, g->vm->kvm->arch.vcpu_features);
	__set_bit(KVM_ARM_VCPU_PTRAUTH_GENERIC, g->vm->kvm->arch.vcpu_features);
	KUNIT_ASSERT_EQ(test, el2_init_vm(g->vm), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(g->vm, 0), 0);

	vcpu = el2_guest_vcpu(g);
	vcpu->arch.hcr_el2 = HCR_RW;
	vcpu->arch.mdcr_el2 = MDCR_EL2_TDA;
	vcpu->arch.ctxt.regs.pstate = PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;
	ctxt_sys_reg(&vcpu->arch.ctxt, SCTLR_EL1) = INIT_SCTLR_EL1_MMU_OFF;
	el2_guest_set_entry(g);

	KUNIT_ASSERT_EQ(test, el2_load(g->vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(g->code), EL2_CODE_GFN, 1,
					   KVM_PGTABLE_PROT_RWX), 0);
	KUNIT_ASSERT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(g->mailbox), EL2_MAILBOX_GFN,
					   1, KVM_PGTABLE_PROT_RW), 0);
	/* EL2 forwards the MEM_SHARE of a non-protected guest to the host, which ignores it. */
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_HVC);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	return g;
}

/**
 * el2_guest_hvc_tables() - As el2_guest_hvc(), and give EL2 the tables that it needs.
 * @test:	The test case; ends if the call does not end.
 * @g:		The guest.
 * @x0:		Argument 0.
 * @x1:		Argument 1.
 * @x2:		Argument 2.
 *
 * Return: how many tables EL2 asked for first, 0 if none.
 */
int el2_guest_hvc_tables(struct kunit *test, struct el2_guest *g, u64 x0, u64 x1, u64 x2)
{
	enum el2_exit exit = el2_guest_do(test, g, EL2_GUEST_HVC, x0, x1, x2, 0);
	struct kvm_vcpu *vcpu = el2_guest_vcpu(g);
	unsigned int before, wanted = 0, i;

	for (i = 0; exit == EL2_EXIT_HVC && i < 4; i++) {
		wanted = wanted ?: vcpu->arch.ctxt.regs.regs[1];
		el2_topup(test, g->vm, 0);
		before = vcpu->arch.pkvm_memcache.nr_pages;
		KUNIT_ASSERT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_vcpu_refill_memcache), 0);
		g->vm->metadata += before - vcpu->arch.pkvm_memcache.nr_pages;
		exit = el2_guest_run(test, g);
	}
	KUNIT_ASSERT_EQ(test, exit, EL2_EXIT_PARKED);
	return wanted;
}
