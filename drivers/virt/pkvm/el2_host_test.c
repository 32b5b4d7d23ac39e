// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps R5 and R4: whatever a host does to its own CPU and to non-protected vCPUs, EL2 neither
 * panics nor acts on values of the host that it has not checked.
 */
#include <linux/cpufeature.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/uaccess.h>

#include <asm/daifflags.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_pkvm_debug.h>
#include <asm/sysreg.h>

#include "el2_guest.h"

/* el2_host_code.S */
extern const char el2_skip_vectors[];

/* Rule (R4): EL2 checks by itself which of the host's trace and debug buffers are in use. */
static void flags_of_a_vcpu(struct kunit *test)
{
	struct el2_vm *vm = el2_np_vm_create(test, 1);
	struct kvm_vcpu *vcpu = vm->vcpu[0];
	unsigned int iflags;
	unsigned long flags;
	int ret;

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	for (iflags = 0; iflags <= 0xff; iflags++) {
		vcpu->arch.ctxt.regs.pc = EL2_CODE_GFN << PAGE_SHIFT;
		vcpu->arch.ctxt.regs.pstate = PSR_MODE_EL1h | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;
		vcpu->arch.iflags = iflags;
		local_irq_save(flags);
		ret = kvm_call_hyp_nvhe(__kvm_vcpu_run, vcpu);
		local_irq_restore(flags);
		/* No memory is mapped at its pc; some flags make the state illegal. */
		KUNIT_EXPECT_TRUE_MSG(test, ret == ARM_EXCEPTION_TRAP ||
				      ret == ARM_EXCEPTION_IRQ || ret == ARM_EXCEPTION_IL,
				      "iflags 0x%x: %d", iflags, ret);
	}
}

/* Read SMCR_EL1. Return the syndrome of the exception, or 0 if there was none. */
static u64 syndrome_of_sme(void)
{
	register u64 esr asm("x0");
	unsigned long daif = local_daif_save();
	u64 vbar = read_sysreg(vbar_el1);
	u64 cpacr = read_sysreg(cpacr_el1);

	write_sysreg(cpacr | CPACR_EL1_SMEN_EL1EN | CPACR_EL1_SMEN_EL0EN, cpacr_el1);
	write_sysreg((unsigned long)el2_skip_vectors, vbar_el1);
	isb();
	esr = 0;
	/* SMCR_EL1 */
	asm volatile("mrs xzr, S3_0_C1_C2_6" : "+r" (esr));
	write_sysreg(vbar, vbar_el1);
	write_sysreg(cpacr, cpacr_el1);
	isb();
	local_daif_restore(daif);

	return esr;
}

/* Rule (R5): EL2 injects an undefined instruction exception for a trap that it does not handle. */
static void unknown_trap(struct kunit *test)
{
	u64 pfr1 = read_cpuid(ID_AA64PFR1_EL1);
	struct el2_guest *g;

	if (system_supports_sme() || !FIELD_GET(ID_AA64PFR1_EL1_SME_MASK, pfr1))
		kunit_skip(test, "needs a CPU with SME and a kernel without");

	/* EL2 restores the host's traps after a guest has run. */
	g = el2_guest_boot(test);
	KUNIT_EXPECT_EQ(test, syndrome_of_sme(),
			(ESR_ELx_EC_UNKNOWN << ESR_ELx_EC_SHIFT) | ESR_ELx_IL);
	KUNIT_EXPECT_TRUE(test, el2_readable(g->mailbox));
}

/* Rule (R5): EL2 refuses to run a vCPU while the host uses SME, without a pending SError. */
static void run_with_sme(struct kunit *test)
{
	struct el2_vm *vm = el2_np_vm_create(test, 1);
	struct kvm_vcpu *vcpu = vm->vcpu[0];
	unsigned long flags;
	int refused, ret;

	if (kvm_call_hyp_nvhe(__pkvm_debug, PKVM_DEBUG_HOST_SME, false))
		kunit_skip(test, "needs CONFIG_NVHE_EL2_DEBUG");

	vcpu->arch.hcr_el2 = HCR_RW;
	vcpu->arch.ctxt.regs.pstate = PSR_MODE_EL1h | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);

	local_irq_save(flags);
	kvm_call_hyp_nvhe(__pkvm_debug, PKVM_DEBUG_HOST_SME, true);
	refused = kvm_call_hyp_nvhe(__kvm_vcpu_run, vcpu);
	kvm_call_hyp_nvhe(__pkvm_debug, PKVM_DEBUG_HOST_SME, false);
	ret = kvm_call_hyp_nvhe(__kvm_vcpu_run, vcpu);
	local_irq_restore(flags);

	KUNIT_EXPECT_EQ(test, refused, ARM_EXCEPTION_IL);
	/* No memory is mapped at its pc. */
	KUNIT_EXPECT_TRUE_MSG(test, ret == ARM_EXCEPTION_TRAP || ret == ARM_EXCEPTION_IRQ, "%d",
			      ret);
}

/* Rule (R1): EL2 owns the memory in which the boot loader left the firmware, for good. */
static void pristine_firmware(struct kunit *test)
{
	struct device_node *node;
	struct el2_vm *vm;
	struct resource res;
	u64 value, pfn;
	void *mem;
	int ret;

	node = of_find_compatible_node(NULL, NULL, "linux,pkvm-guest-firmware-memory");
	if (!node)
		kunit_skip(test, "the boot loader left no firmware");
	ret = of_address_to_resource(node, 0, &res);
	of_node_put(node);
	KUNIT_ASSERT_EQ(test, ret, 0);

	mem = memremap(res.start, resource_size(&res), MEMREMAP_WB);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, mem, sizeof(value)), -EFAULT);
	KUNIT_EXPECT_EQ(test, el2_write(mem, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, mem + resource_size(&res) -
						       sizeof(value), sizeof(value)), -EFAULT);
	memunmap(mem);

	pfn = PHYS_PFN(res.start);
	KUNIT_EXPECT_LT(test, (int)kvm_call_hyp_nvhe(__pkvm_host_share_hyp, pfn), 0);
	KUNIT_EXPECT_LT(test, (int)kvm_call_hyp_nvhe(__pkvm_host_unshare_hyp, pfn), 0);
	KUNIT_EXPECT_LT(test, el2_force_reclaim(pfn), 0);
	vm = el2_vm_create(test, 1);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	el2_topup(test, vm, 0);
	KUNIT_EXPECT_LT(test, el2_donate_raw(vm, 0, &pfn, 0, 1), 0);
	el2_put();
	vm = el2_np_vm_create(test, 1);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_EXPECT_LT(test, el2_np_share(test, vm, pfn, 0, 1, KVM_PGTABLE_PROT_RW), 0);
	KUNIT_EXPECT_LT(test, el2_np_share(test, vm, pfn, 0, 1, KVM_PGTABLE_PROT_RW |
							     KVM_PGTABLE_PROT_DEVICE), 0);
	el2_put();
}

static struct kunit_case el2_host_cases[] = {
	KUNIT_CASE(flags_of_a_vcpu),
	KUNIT_CASE(unknown_trap),
	KUNIT_CASE(run_with_sme),
	KUNIT_CASE(pristine_firmware),
	{}
};

static struct kunit_suite el2_host_suite = {
	.name		= "pkvm_el2_host",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_host_cases,
};

kunit_test_suite(el2_host_suite);
