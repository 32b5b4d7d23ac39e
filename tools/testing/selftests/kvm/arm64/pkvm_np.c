// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a non-protected VM, of which EL2 has a copy on a protected host.
 *
 * Rule: the guest has the values that user space sets, and user space reads the values that the
 * guest leaves. EL2 also delivers an exception that user space injects, and switches the offset of
 * the virtual counter between guest and host.
 */
#include <linux/bits.h>

#include "kvm_test_harness.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"

#define CORE(name)	ARM64_CORE_REG(name)
#define SYS(name)	KVM_ARM64_SYS_REG(SYS_##name)
#define FP_REG(n)	(KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE |	\
			 KVM_REG_ARM_CORE_REG(fp_regs.vregs[n]))

/* The guest's access to one of its registers. */
#define DEFINE_ACCESS(reg)							\
static uint64_t get_##reg(void) { return read_sysreg_s(SYS_##reg); }		\
static void set_##reg(uint64_t value) { write_sysreg_s(value, SYS_##reg); }

DEFINE_ACCESS(TPIDR_EL0)
DEFINE_ACCESS(TPIDRRO_EL0)
DEFINE_ACCESS(TPIDR_EL1)
DEFINE_ACCESS(TTBR1_EL1)
DEFINE_ACCESS(ESR_EL1)
DEFINE_ACCESS(FAR_EL1)
DEFINE_ACCESS(VBAR_EL1)
DEFINE_ACCESS(CONTEXTIDR_EL1)
DEFINE_ACCESS(ELR_EL1)
DEFINE_ACCESS(SPSR_EL1)

#define REG(reg, id)	{ #reg, id, get_##reg, set_##reg }

/* Registers that keep any value, and whose values do not affect how this guest runs. */
static const struct {
	const char *name;
	uint64_t id;
	uint64_t (*get)(void);
	void (*set)(uint64_t value);
} regs[] = {
	REG(TPIDR_EL0, SYS(TPIDR_EL0)),
	REG(TPIDRRO_EL0, SYS(TPIDRRO_EL0)),
	REG(TPIDR_EL1, SYS(TPIDR_EL1)),
	REG(TTBR1_EL1, SYS(TTBR1_EL1)),
	REG(ESR_EL1, SYS(ESR_EL1)),
	REG(FAR_EL1, SYS(FAR_EL1)),
	REG(VBAR_EL1, SYS(VBAR_EL1)),
	REG(CONTEXTIDR_EL1, SYS(CONTEXTIDR_EL1)),
	REG(ELR_EL1, CORE(elr_el1)),
	REG(SPSR_EL1, CORE(spsr[0])),
};

/* Values of the host and the guest with bits that each register implements. */
#define HOSTS		0x12340800UL
#define GUESTS		0x5670f000UL
#define SPSR_BITS	0xf00003c5UL

/* An IPA without memory. After the exit for a store, the next KVM_RUN has to advance the pc. */
#define NOWHERE		0x7000000UL

/* The values that the guest read, in the order of the list. */
static uint64_t found[ARRAY_SIZE(regs)];
static uint64_t found_fp;
static uint64_t counter;

static uint64_t expected(unsigned int i, uint64_t value)
{
	return regs[i].id == CORE(spsr[0]) ? (value + (i << 16)) & SPSR_BITS : value + (i << 16);
}

static void change_registers(void)
{
	for (;;) {
		for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
			found[i] = regs[i].get();
		for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
			regs[i].set(found[i] ^ HOSTS ^ GUESTS);
		GUEST_SYNC(0);
	}
}

static void change_fp(void)
{
	asm volatile(".arch_extension fp\n"
		     "str d8, %0\n"
		     "fmov d8, %1\n"
		     : "=m" (found_fp) : "r" (GUESTS));
	GUEST_SYNC(0);
	/* The guest uses no FP/SIMD register in this run. */
	GUEST_SYNC(1);
	asm volatile("str d8, %0\n" : "=m" (found_fp));
	GUEST_SYNC(2);
}

static void read_counter(void)
{
	counter = read_sysreg(cntvct_el0);
	GUEST_SYNC(0);
}

static void store_to_nowhere(void)
{
	WRITE_ONCE(*(uint64_t *)NOWHERE, 1);
	GUEST_FAIL("the store completed without the exception");
}

static void run_to_sync(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	if (get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT_EQ(uc.cmd, UCALL_SYNC);
}

KVM_ONE_VCPU_TEST_SUITE(np);

KVM_ONE_VCPU_TEST(np, registers, change_registers)
{
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
			vcpu_set_reg(vcpu, regs[i].id, expected(i, HOSTS));

		run_to_sync(vcpu);
		sync_global_from_guest(vcpu->vm, found);

		for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
			uint64_t value;

			vcpu_get_reg(vcpu, regs[i].id, &value);
			TEST_ASSERT(found[i] == expected(i, HOSTS), "%s: the guest read %#lx",
				    regs[i].name, found[i]);
			TEST_ASSERT(value == (found[i] ^ HOSTS ^ GUESTS), "%s: the host read %#lx",
				    regs[i].name, value);
		}
	}
}

KVM_ONE_VCPU_TEST(np, fp_registers, change_fp)
{
	uint64_t set[2] = { HOSTS }, got[2];
	struct kvm_one_reg write = { FP_REG(8), (uintptr_t)set };
	struct kvm_one_reg read = { FP_REG(8), (uintptr_t)got };

	vcpu_ioctl(vcpu, KVM_SET_ONE_REG, &write);
	run_to_sync(vcpu);
	sync_global_from_guest(vcpu->vm, found_fp);
	TEST_ASSERT_EQ(found_fp, HOSTS);
	vcpu_ioctl(vcpu, KVM_GET_ONE_REG, &read);
	TEST_ASSERT_EQ(got[0], GUESTS);

	/* A run without FP/SIMD accesses keeps the values that user space set. */
	set[0] = HOSTS ^ GUESTS;
	vcpu_ioctl(vcpu, KVM_SET_ONE_REG, &write);
	run_to_sync(vcpu);
	vcpu_ioctl(vcpu, KVM_GET_ONE_REG, &read);
	TEST_ASSERT_EQ(got[0], HOSTS ^ GUESTS);

	run_to_sync(vcpu);
	sync_global_from_guest(vcpu->vm, found_fp);
	TEST_ASSERT_EQ(found_fp, HOSTS ^ GUESTS);
}

/* KVM_RUN delivers an injected exception even if it does not enter the guest. */
KVM_ONE_VCPU_TEST(np, exception, store_to_nowhere)
{
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };
	uint64_t at, pc, pstate, elr, spsr, esr, far;

	virt_map(vcpu->vm, NOWHERE, NOWHERE, 1);
	vcpu_set_reg(vcpu, SYS(VBAR_EL1), HOSTS);
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
	vcpu_get_reg(vcpu, CORE(regs.pc), &at);
	vcpu_get_reg(vcpu, CORE(regs.pstate), &pstate);

	vcpu_events_set(vcpu, &events);
	vcpu_run_complete_io(vcpu);

	vcpu_get_reg(vcpu, CORE(regs.pc), &pc);
	vcpu_get_reg(vcpu, CORE(elr_el1), &elr);
	vcpu_get_reg(vcpu, CORE(spsr[0]), &spsr);
	vcpu_get_reg(vcpu, SYS(ESR_EL1), &esr);
	vcpu_get_reg(vcpu, SYS(FAR_EL1), &far);
	TEST_ASSERT_EQ(pc, HOSTS + 0x200);
	TEST_ASSERT_EQ(elr, at);
	TEST_ASSERT_EQ(spsr, pstate);
	TEST_ASSERT_EQ(esr >> 26, 0x25);
	TEST_ASSERT_EQ(far, NOWHERE);
}

KVM_ONE_VCPU_TEST(np, counter, read_counter)
{
	uint64_t before = read_sysreg(cntvct_el0), after;

	vcpu_set_reg(vcpu, KVM_REG_ARM_TIMER_CNT, BIT(40));
	run_to_sync(vcpu);
	after = read_sysreg(cntvct_el0);
	sync_global_from_guest(vcpu->vm, counter);

	TEST_ASSERT(after >= before && after - before < BIT(32), "host counter: %#lx, then %#lx",
		    before, after);
	TEST_ASSERT(counter >= BIT(40) && counter - BIT(40) <= after - before,
		    "guest counter: %#lx", counter);
}

int main(int argc, char *argv[])
{
	return test_harness_run(argc, argv);
}
