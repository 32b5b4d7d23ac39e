// SPDX-License-Identifier: GPL-2.0-only
/*
 * Isolation of a protected guest's registers (R4; Documentation/virt/kvm/arm/pkvm-isolation.rst).
 * The guest fills its registers with a secret and makes every kind of exit. Then the host's
 * structures must not have the secret, the host's answer must only change the registers that the
 * exit asks for, and EL2 must not follow pointers that the host passes.
 */
#include <linux/arm-smccc.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/perf/arm_pmuv3.h>
#include <linux/pkvm.h>
#include <uapi/linux/psci.h>

#include <asm/esr.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>

#include "el2_guest.h"

#define TEST_IPA	((u64)EL2_TEST_GFN << PAGE_SHIFT)
/* An IPA for which the guest's stage-2 has no table yet. */
#define FAR_IPA		0x1000000000ULL

/* A value that the guest shows the host on purpose. */
#define SHOWN		0x1234567890abcdefULL

/* Of the guest, each until an interrupt. */
#define EL2_COUNTED_RUNS	8
/* PMCNTENSET_EL0: the cycle counter. */
#define CYCLES		BIT(31)

#define POISON		0xbad0bad0bad0bad0ULL

static struct kvm_vcpu *host_vcpu(struct el2_guest *g)
{
	return g->vm->vcpu[0];
}

static bool holds_secret(const void *p, size_t size)
{
	const u32 *word = p;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i] == lower_32_bits(EL2_GUEST_MAGIC) ||
		    word[i] == upper_32_bits(EL2_GUEST_MAGIC))
			return true;
	return false;
}

static void expect_hidden(struct kunit *test, struct el2_guest *g)
{
	KUNIT_EXPECT_FALSE(test, holds_secret(host_vcpu(g), sizeof(struct kvm_vcpu)));
	KUNIT_EXPECT_FALSE(test, holds_secret(g->vm->kvm, sizeof(struct kvm)));
}

/* Overwrite all that a host can change in its vCPU, except x0, which the exit asks for. */
static void answer_with_poison(struct el2_guest *g)
{
	struct kvm_vcpu *vcpu = host_vcpu(g);
	struct kvm_cpu_context *ctxt = &vcpu->arch.ctxt;
	u64 x0 = ctxt->regs.regs[0];

	memset64((u64 *)&ctxt->regs, POISON, sizeof(ctxt->regs) / sizeof(u64));
	memset64((u64 *)&ctxt->fp_regs, POISON, sizeof(ctxt->fp_regs) / sizeof(u64));
	memset64(ctxt->sys_regs, POISON, NR_SYS_REGS);
	ctxt->regs.regs[0] = x0;
	vcpu->arch.hcr_el2 |= HCR_VSE | HCR_TGE | HCR_TVM;
	vcpu->arch.mdcr_el2 = POISON;
	vcpu->arch.vsesr_el2 = POISON;
	vcpu->arch.hw_mmu = (void *)POISON;
	vcpu->arch.debug_ptr = (void *)POISON;
	vcpu->arch.sve_state = (void *)POISON;
	vcpu->arch.fault.esr_el2 = POISON;
	vcpu_set_flag(vcpu, DEBUG_DIRTY);
}

/* Run the guest until it parks. Expect all of its registers to be unchanged. */
static u64 expect_unchanged(struct kunit *test, struct el2_guest *g)
{
	answer_with_poison(g);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 0);
	return el2_guest_result(g, 0);
}

static enum el2_exit leave(struct kunit *test, struct el2_guest *g, u64 way, u64 x1, u64 x2)
{
	return el2_guest_do(test, g, EL2_GUEST_SECRET, way, x1, x2, 0);
}

/* Rule: a forwarded PSCI call shows its function id and arguments, and takes the result. */
static void psci_forwarded(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_HVC, PSCI_0_2_FN64_CPU_SUSPEND, 0x77),
			EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[1], 0x77);
	expect_hidden(test, g);
	host_vcpu(g)->arch.ctxt.regs.regs[0] = PSCI_RET_DENIED;
	KUNIT_EXPECT_EQ(test, (s64)expect_unchanged(test, g), PSCI_RET_DENIED);
}

/* Rule: CPU_SUSPEND shows the power state, but not the entry point. */
static void suspend_hides_entry(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC, PSCI_0_2_FN64_CPU_SUSPEND,
					   0x77, EL2_GUEST_MAGIC, EL2_GUEST_MAGIC),
			EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[1], 0x77);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[2], 0);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[3], 0);
}

/* Rule: EL2 updates the host's counts of calls that EL2 answers only when the vCPU is put. */
static void calls_are_counted_late(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct pkvm_vcpu_stat *stat = &host_vcpu(g)->stat.protected;
	struct pkvm_vm_stat *vm_stat = &g->vm->kvm->stat.protected;

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID,
					    EL2_CODE_GFN << PAGE_SHIFT, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, stat->calls_share, 0);
	KUNIT_EXPECT_EQ(test, stat->calls_unshare, 0);
	KUNIT_EXPECT_EQ(test, stat->pages_shared, 0);
	KUNIT_EXPECT_EQ(test, vm_stat->bytes_shared, 0);
	el2_put();
	KUNIT_EXPECT_EQ(test, stat->calls_share, 1);
	KUNIT_EXPECT_EQ(test, stat->calls_unshare, 1);
	KUNIT_EXPECT_EQ(test, stat->pages_shared, 1);
	KUNIT_EXPECT_EQ(test, vm_stat->bytes_shared, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vm_stat->bytes_private, PAGE_SIZE);
}

/* Rule: WFI shows that the vCPU waits. EL2 ignores a pc change or an exception by the host. */
static void wait_for_interrupt(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	host_vcpu(g)->arch.hcr_el2 |= HCR_TWI;
	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_WFI, 0, 0), EL2_EXIT_WFI);
	expect_hidden(test, g);
	kvm_incr_pc(host_vcpu(g));
	expect_unchanged(test, g);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_WFI, 0, 0), EL2_EXIT_WFI);
	vcpu_set_flag(host_vcpu(g), PENDING_EXCEPTION);
	vcpu_set_flag(host_vcpu(g), EXCEPT_AA64_EL1_SYNC);
	expect_unchanged(test, g);
}

/* Make the guest spin, with the secret in its registers, until the flag is 0. */
static void spin_until_cleared(struct el2_guest *g, u64 *flag)
{
	*flag = 1;
	el2_to_poc(flag, sizeof(*flag));
	el2_guest_tell(g, EL2_GUEST_SECRET, EL2_LEAVE_IRQ, TEST_IPA, 0, 0);
}

/* Rule: an exit by an interrupt of the host shows nothing. */
static void interrupt(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);
	enum el2_exit exit;
	u64 *flag;

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
					    TEST_IPA, 0, 0), 0);
	flag = page_address(page);
	spin_until_cleared(g, flag);
	exit = el2_guest_run_once(test, g);
	if (exit == EL2_EXIT_INTERRUPTED)
		exit = el2_guest_run_once(test, g);
	KUNIT_ASSERT_EQ(test, exit, EL2_EXIT_INTERRUPTED);
	expect_hidden(test, g);

	*flag = 0;
	el2_to_poc(flag, sizeof(*flag));
	vcpu_set_flag(host_vcpu(g), PENDING_EXCEPTION);
	vcpu_set_flag(host_vcpu(g), EXCEPT_AA64_EL1_SYNC);
	expect_unchanged(test, g);
}

static u64 count_cycles(void)
{
	isb();
	return read_sysreg(pmccntr_el0);
}

/*
 * Rule: a counter of the host stands still while a protected guest runs, and counts afterwards. The
 * guest spins until an interrupt; what is counted then is the way there and back.
 */
static void counters_stand_still(struct kunit *test)
{
	unsigned int ver = SYS_FIELD_GET(ID_AA64DFR0_EL1, PMUVer, read_cpuid(ID_AA64DFR0_EL1));
	u64 pmcr, enabled, filter, before, host, guest, start, host_ns, guest_ns = 0;
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);
	unsigned int i;
	u64 *flag = page_address(page);

	if (!ver || ver == ID_AA64DFR0_EL1_PMUVer_IMP_DEF)
		kunit_skip(test, "the CPU has no PMU");

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
					    TEST_IPA, 0, 0), 0);
	spin_until_cleared(g, flag);

	pmcr = read_sysreg(pmcr_el0);
	enabled = read_sysreg(pmcntenset_el0);
	filter = read_sysreg(pmccfiltr_el0);
	write_sysreg(0, pmccfiltr_el0);
	write_sysreg(CYCLES, pmcntenset_el0);
	write_sysreg(pmcr | ARMV8_PMU_PMCR_E | ARMV8_PMU_PMCR_LC, pmcr_el0);

	start = ktime_get_ns();
	before = count_cycles();
	mdelay(1);
	host = count_cycles() - before;
	host_ns = ktime_get_ns() - start;

	before = count_cycles();
	/* The first run may meet an interrupt that was pending, and end at once. */
	for (i = 0; i < EL2_COUNTED_RUNS; i++) {
		start = ktime_get_ns();
		el2_guest_run_once(test, g);
		guest_ns += ktime_get_ns() - start;
	}
	guest = count_cycles() - before;

	KUNIT_EXPECT_EQ(test, read_sysreg(pmcntenset_el0), enabled | CYCLES);
	write_sysreg(CYCLES & ~enabled, pmcntenclr_el0);
	write_sysreg(filter, pmccfiltr_el0);
	write_sysreg(pmcr, pmcr_el0);

	*flag = 0;
	el2_to_poc(flag, sizeof(*flag));
	expect_unchanged(test, g);

	/*
	 * It does count, and less than half as much for each microsecond while the guest runs. The
	 * way there and back counts, and how long the guest runs depends on the interrupts.
	 */
	KUNIT_EXPECT_GT(test, host, 0);
	KUNIT_EXPECT_GT(test, guest_ns, 0);
	KUNIT_EXPECT_LT(test, div64_u64(guest * 2, guest_ns / 1000 + 1),
			div64_u64(host, host_ns / 1000 + 1));
}

/* Rule: an MMIO write shows only the value, and the host advances the guest when it is done. */
static void mmio_store(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_STORE, TEST_IPA + 0x18, SHOWN),
			EL2_EXIT_MMIO);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[0], SHOWN);
	KUNIT_EXPECT_EQ(test, el2_guest_fault_ipa(g), TEST_IPA);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.fault.far_el2, 0x18);
	KUNIT_EXPECT_EQ(test, kvm_vcpu_dabt_get_rd(host_vcpu(g)), 0);
	expect_hidden(test, g);

	/* Without an answer of the host the guest repeats the access. */
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_MMIO);
	kvm_incr_pc(host_vcpu(g));
	expect_unchanged(test, g);
}

/* Rule: the host returns the value of an MMIO read, and changes no other register. */
static void mmio_load(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_LOAD, TEST_IPA, 0), EL2_EXIT_MMIO);
	expect_hidden(test, g);
	host_vcpu(g)->arch.ctxt.regs.regs[0] = SHOWN;
	kvm_incr_pc(host_vcpu(g));
	KUNIT_EXPECT_EQ(test, expect_unchanged(test, g), SHOWN);
}

/* Rule: after ENROLL a fault shows only a page-aligned IPA, and whether it is a write. */
static void memory_fault(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);
	u64 pattern = *(u64 *)page_address(page);

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g,
					    ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID,
					    0, 0, 0), 0);
	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_STORE, TEST_IPA + 8, SHOWN),
			EL2_EXIT_FAULT);
	KUNIT_EXPECT_EQ(test, el2_guest_fault_ipa(g), TEST_IPA);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.fault.far_el2, 0);
	KUNIT_EXPECT_TRUE(test, kvm_vcpu_dabt_iswrite(host_vcpu(g)));
	KUNIT_EXPECT_NE(test, host_vcpu(g)->arch.ctxt.regs.regs[0], SHOWN);
	expect_hidden(test, g);

	/* EL2 does not let the host skip the instruction of a fault. */
	kvm_incr_pc(host_vcpu(g));
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_FAULT);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	expect_unchanged(test, g);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_LOAD, TEST_IPA, 0), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), pattern);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 0);
}

/* Rule: MEM_SHARE of missing pages shows their IPA and number, and EL2 retries it. */
static void call_for_a_page(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_HVC,
				    ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID, TEST_IPA),
			EL2_EXIT_HVC);
	KUNIT_EXPECT_EQ(test, (u32)host_vcpu(g)->arch.ctxt.regs.regs[0],
			ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[1], TEST_IPA);
	KUNIT_EXPECT_GE(test, host_vcpu(g)->arch.ctxt.regs.regs[2], 1);
	expect_hidden(test, g);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_EXPECT_EQ(test, expect_unchanged(test, g), 0);
	KUNIT_EXPECT_TRUE(test, el2_readable(page));

	/* A host without a page injects an abort, and the call fails. */
	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_HVC,
				    ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
				    TEST_IPA + PAGE_SIZE), EL2_EXIT_HVC);
	vcpu_set_flag(host_vcpu(g), PENDING_EXCEPTION);
	vcpu_set_flag(host_vcpu(g), EXCEPT_AA64_EL1_SYNC);
	KUNIT_EXPECT_EQ(test, (s64)expect_unchanged(test, g), SMCCC_RET_INVALID_PARAMETER);
}

/* Rule: a guard call that needs tables shows their number, and succeeds once EL2 has them. */
static void call_for_tables(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct kvm_hyp_memcache *mc = &host_vcpu(g)->arch.pkvm_memcache;
	unsigned long before;
	u64 ipa = FAR_IPA;

	/* EL2 may have a stock of pages for the first guards. */
	while (leave(test, g, EL2_LEAVE_HVC, ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID, ipa) ==
	       EL2_EXIT_PARKED && ipa < FAR_IPA + (8ULL << 30)) {
		KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
		ipa += BIT_ULL(30);
	}

	KUNIT_EXPECT_EQ(test, (u32)host_vcpu(g)->arch.ctxt.regs.regs[0],
			ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID);
	KUNIT_EXPECT_GE(test, host_vcpu(g)->arch.ctxt.regs.regs[1], 1);
	KUNIT_EXPECT_LE(test, host_vcpu(g)->arch.ctxt.regs.regs[1], 3);
	expect_hidden(test, g);

	/* EL2 asks again if the host donates nothing. */
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_HVC);

	el2_topup(test, g->vm, 0);
	before = mc->nr_pages;
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_vcpu_refill_memcache), 0);
	g->vm->metadata += before - mc->nr_pages;
	KUNIT_EXPECT_LT(test, mc->nr_pages, before);
	KUNIT_EXPECT_EQ(test, expect_unchanged(test, g), 0);
}

/* Rule: an SGI shows the value written, which the host's GIC emulation needs. */
static void sgi(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_SGI, 0x3000001, 0), EL2_EXIT_SYSREG);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[0], 0x3000001);
	expect_hidden(test, g);
	expect_unchanged(test, g);
}

/* Rule: EL2 reads the entry point once; the host cannot move a guest that runs. */
static void entry_read_once(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	el2_put();
	host_vcpu(g)->arch.ctxt.regs.pc = POISON;
	KUNIT_ASSERT_EQ(test, el2_load(g->vm, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_VERSION_FUNC_ID, 0, 0, 0),
			ARM_SMCCC_VERSION_1_1);
}

/* Rule: after SYSTEM_OFF no vCPU of the VM runs, and the host can tear the VM down. */
static void nothing_runs_after_system_off(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, leave(test, g, EL2_LEAVE_HVC, PSCI_0_2_FN_SYSTEM_OFF, 0),
			EL2_EXIT_HVC);
	expect_hidden(test, g);
	KUNIT_EXPECT_EQ(test, el2_guest_run_once(test, g), EL2_EXIT_INTERRUPTED);
	KUNIT_EXPECT_EQ(test, el2_guest_run_once(test, g), EL2_EXIT_INTERRUPTED);
}

/* Rule: the host starts only vCPU 0, and only the guest starts another. */
static void secondary_waits(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 2);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 1), 0);
	vm->vcpu[1]->arch.ctxt.regs.pc = (u64)EL2_CODE_GFN << PAGE_SHIFT;
	vm->vcpu[1]->arch.mp_state.mp_state = KVM_MP_STATE_RUNNABLE;
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__kvm_vcpu_run, vm->vcpu[1]),
			ARM_EXCEPTION_IL);
}

/* Pass a pointer to all calls of the base kernel that trust the host's pointers. */
static void pass_pointer(void *p)
{
	kvm_call_hyp_nvhe(__kvm_adjust_pc, p);
	kvm_call_hyp_nvhe(__vgic_v3_save_vmcr_aprs, p);
	kvm_call_hyp_nvhe(__vgic_v3_restore_vmcr_aprs, p);
	kvm_call_hyp_nvhe(__kvm_vcpu_run, p);
}

/*
 * Rule (R4): EL2 follows no pointer in a hypercall after boot, with or without a loaded vCPU. The
 * test can only check that EL2 survives, and that the page keeps its contents.
 */
static void pointers_not_followed(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);
	void *pointers[] = {
		NULL, (void *)8, (void *)~7UL, page_address(page), page_address(g->code),
		g->vm->kvm, pass_pointer,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pointers); i++) {
		pass_pointer(pointers[i]);
		el2_put();
		pass_pointer(pointers[i]);
		KUNIT_ASSERT_EQ(test, el2_load(g->vm, 0), 0);
	}
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_VERSION_FUNC_ID, 0, 0, 0),
			ARM_SMCCC_VERSION_1_1);
}

/* Keep changing the fields that EL2 reads of a vCPU, on another CPU. */
static int scribble(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	u64 next = 1;

	while (!kthread_should_stop()) {
		next = next * 6364136223846793005ULL + 1442695040888963407ULL;
		WRITE_ONCE(vcpu->arch.vgic_cpu.vgic_v3.used_lrs, next >> 32);
		WRITE_ONCE(vcpu->arch.hcr_el2, next);
		WRITE_ONCE(vcpu->arch.iflags, next >> 40);
		WRITE_ONCE(vcpu->arch.ctxt.regs.regs[0], next);
		WRITE_ONCE(vcpu->arch.debug_ptr, (void *)next);
		WRITE_ONCE(vcpu->arch.sve_max_vl, next >> 8);
		WRITE_ONCE(vcpu->arch.vgic_cpu.vgic_v3.vgic_vmcr, next >> 16);
		cpu_relax();
	}
	return 0;
}

/*
 * Rule (R4, R5): if the host changes pinned memory while EL2 uses it, nothing changes for the guest
 * except the results of its PSCI calls.
 */
static void racing_host_writes(struct kunit *test)
{
	struct task_struct *task;
	struct el2_guest *g;
	unsigned int i;

	if (!cpu_online(EL2_OTHER_CPU))
		kunit_skip(test, "needs two CPUs");

	g = el2_guest_boot(test);
	task = kthread_create(scribble, host_vcpu(g), "pkvm-scribble");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kthread_bind(task, EL2_OTHER_CPU);
	wake_up_process(task);

	for (i = 0; i < 2000; i++) {
		el2_guest_tell(g, EL2_GUEST_SECRET, EL2_LEAVE_HVC, PSCI_0_2_FN64_CPU_SUSPEND, 0, 0);
		while (el2_guest_run_once(test, g) == EL2_EXIT_INTERRUPTED)
			;
		while (el2_guest_run_once(test, g) == EL2_EXIT_INTERRUPTED)
			;
		KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 0);
		if (el2_guest_result(g, 1))
			break;
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, i, 2000);
}

static struct kunit_case el2_isolation_cases[] = {
	KUNIT_CASE(psci_forwarded),
	KUNIT_CASE(suspend_hides_entry),
	KUNIT_CASE(calls_are_counted_late),
	KUNIT_CASE(wait_for_interrupt),
	KUNIT_CASE(interrupt),
	KUNIT_CASE(counters_stand_still),
	KUNIT_CASE(mmio_store),
	KUNIT_CASE(mmio_load),
	KUNIT_CASE(memory_fault),
	KUNIT_CASE(call_for_a_page),
	KUNIT_CASE(call_for_tables),
	KUNIT_CASE(sgi),
	KUNIT_CASE(entry_read_once),
	KUNIT_CASE(nothing_runs_after_system_off),
	KUNIT_CASE(secondary_waits),
	KUNIT_CASE(pointers_not_followed),
	KUNIT_CASE(racing_host_writes),
	{}
};

static struct kunit_suite el2_isolation_suite = {
	.name		= "pkvm_el2_isolation",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_isolation_cases,
};

kunit_test_suite(el2_isolation_suite);
