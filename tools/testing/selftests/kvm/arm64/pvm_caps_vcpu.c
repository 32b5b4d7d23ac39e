// SPDX-License-Identifier: GPL-2.0-only
/*
 * Use of the capabilities for a VM as a whole and for its vCPUs, and their refusal. See pvm_caps.h.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "processor.h"
#include "pvm.h"
#include "pvm_caps.h"

#define REG_PC		ARM64_CORE_REG(regs.pc)
#define NOWHERE		0x2000000UL

#define BIT_OF(feature)	(1U << KVM_ARM_VCPU_##feature)
#define PTRAUTH		(BIT_OF(PTRAUTH_ADDRESS) | BIT_OF(PTRAUTH_GENERIC))

/* Exception classes in ESR_EL1: a data abort, an SError. */
#define EC(esr)		((esr) >> 26)
#define EC_DABT		0x25
#define EC_SERROR	0x2f
#define SERROR_ISS	0x1234UL

#define MSR_DAIFCLR_A	0xd50344ffU
#define PACGA_X0_X1_X2	0x9ac23020U
#define LDP_X0_X1_X2	0xa9400440U
#define SET_PMCR	PVM_MSR_X0(PVM_SYSREG(3, 3, 9, 12, 0))
#define SET_PMCNTENSET	PVM_MSR_X0(PVM_SYSREG(3, 3, 9, 12, 1))
#define GET_PMCCNTR	PVM_MRS_X0(PVM_SYSREG(3, 3, 9, 13, 0))

/* PSTATE.TCO (tag check override), and the registers that record tag check faults. */
#define MRS_X0_TCO	PVM_MRS_X0(PVM_SYSREG(3, 3, 4, 2, 7))
#define MSR_TCO_0	0xd503409fU
#define TCO		BIT(25)

static const uint32_t tag_faults[] = {
	PVM_SYSREG(3, 0, 5, 6, 0),	/* TFSR_EL1 */
	PVM_SYSREG(3, 0, 5, 6, 1),	/* TFSRE0_EL1 */
};

static int enable(int vm, uint32_t nr, uint64_t arg)
{
	struct kvm_enable_cap cap = { .cap = nr, .args = { arg } };

	return ioctl(vm, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static int enable_pvm(unsigned long type, uint32_t nr, uint64_t arg)
{
	int vm = pvm_create_vm_fd(type);
	int err = vm < 0 ? vm : enable(vm, nr, arg);

	if (vm >= 0)
		close(vm);
	return err;
}

/* Nothing to do: the test has used KVM_CHECK_EXTENSION on a VM before. */
static int use_check_extension(unsigned long type, int value)
{
	return 0;
}

/* Nothing to do: it is about a field of an exit for internal errors, which a test cannot cause. */
static int use_internal_error(unsigned long type, int value)
{
	return 0;
}

static int use_halt_poll(unsigned long type, int value)
{
	return enable_pvm(type, KVM_CAP_HALT_POLL, 0);
}

static int use_stats(unsigned long type, int value)
{
	struct kvm_stats_header header = {};
	struct pvm vm;
	int fds[2];

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	fds[0] = ioctl(vm.fd, KVM_GET_STATS_FD, NULL);
	fds[1] = ioctl(vm.vcpus[0].fd, KVM_GET_STATS_FD, NULL);
	for (int i = 0; i < 2; i++) {
		USE_CHECK(fds[i] >= 0);
		USE_CHECK(read(fds[i], &header, sizeof(header)) == sizeof(header));
		USE_CHECK(header.num_desc);
		close(fds[i]);
	}
	pvm_free(&vm);
	return 0;
}

static int use_protected(unsigned long type, int value)
{
	struct kvm_protected_vm_info info;
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_PROTECTED_VM, .flags = KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO,
		.args = { (uintptr_t)&info },
	};
	int vm = pvm_create_vm_fd(type);

	USE_CHECK(vm >= 0);
	USE_CHECK(!ioctl(vm, KVM_ENABLE_CAP, &cap));
	close(vm);
	return 0;
}

static int use_ipa_size(unsigned long type, int value)
{
	int vm = pvm_create_vm_fd(type | KVM_VM_TYPE_ARM_IPA_SIZE(value));

	USE_CHECK(vm >= 0);
	close(vm);
	USE_CHECK(pvm_create_vm_fd(type | KVM_VM_TYPE_ARM_IPA_SIZE(value + 1)) == -EINVAL);
	return 0;
}

/* The guest turns on as many vCPUs as KVM recommends, up to PVM_MAX_VCPUS. */
static int use_nr_vcpus(unsigned long type, int value)
{
	int nr = value < PVM_MAX_VCPUS ? value : PVM_MAX_VCPUS;
	struct pvm vm;

	USE_CHECK(nr > 0 && !pvm_create(&vm, type, nr, getpagesize()));
	for (int i = 0; i < nr; i++) {
		USE_CHECK(!i || !pvm_cpu_on(&vm, i));
		USE_CHECK(!pvm_store(&vm.vcpus[i], PVM_DATA_IPA, i));
	}
	pvm_free(&vm);
	return 0;
}

static int use_max_vcpus(unsigned long type, int value)
{
	int vm = pvm_create_vm_fd(type);
	int vcpu;

	USE_CHECK(vm >= 0);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, value - 1);
	USE_CHECK(vcpu >= 0);
	close(vcpu);
	USE_CHECK(ioctl(vm, KVM_CREATE_VCPU, value) < 0 && errno == EINVAL);
	close(vm);
	return 0;
}

static int use_one_reg(unsigned long type, int value)
{
	uint64_t pc = 0;
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!pvm_set_reg(&vm.vcpus[0], REG_PC, PVM_CODE_IPA + 4));
	USE_CHECK(!pvm_get_reg(&vm.vcpus[0], REG_PC, &pc) && pc == PVM_CODE_IPA + 4);
	pvm_free(&vm);
	return 0;
}

static int use_mp_state(unsigned long type, int value)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_STOPPED };
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 2, getpagesize()));
	USE_CHECK(!ioctl(vm.vcpus[0].fd, KVM_GET_MP_STATE, &state));
	USE_CHECK(state.mp_state == KVM_MP_STATE_RUNNABLE);
	USE_CHECK(!ioctl(vm.vcpus[1].fd, KVM_GET_MP_STATE, &state));
	USE_CHECK(state.mp_state == KVM_MP_STATE_STOPPED);
	USE_CHECK(!ioctl(vm.vcpus[1].fd, KVM_SET_MP_STATE, &state));
	USE_CHECK(!pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1));
	pvm_free(&vm);
	return 0;
}

static int use_immediate_exit(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	vm.vcpus[0].run->immediate_exit = 1;
	USE_CHECK(pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1) == -EINTR);
	vm.vcpus[0].run->immediate_exit = 0;
	USE_CHECK(!pvm_run(&vm.vcpus[0]));
	pvm_free(&vm);
	return 0;
}

static int use_vcpu_attributes(unsigned long type, int value)
{
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_TIMER_CTRL, .attr = KVM_ARM_VCPU_TIMER_IRQ_VTIMER,
	};
	int irq = 0;
	struct pvm vm;

	attr.addr = (uintptr_t)&irq;
	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!ioctl(vm.vcpus[0].fd, KVM_HAS_DEVICE_ATTR, &attr));
	USE_CHECK(!ioctl(vm.vcpus[0].fd, KVM_GET_DEVICE_ATTR, &attr));
	USE_CHECK(irq == 27);
	pvm_free(&vm);
	return 0;
}

/* The exit for a reset has one data word with flags, none of which is set. */
static int use_system_event(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(pvm_command(&vm.vcpus[0], PVM_HVC, HVC_PSCI_SYSTEM_RESET, 0, 0, 0) ==
		  -ESHUTDOWN);
	USE_CHECK(vm.vcpus[0].event == KVM_SYSTEM_EVENT_RESET);
	USE_CHECK(vm.vcpus[0].run->system_event.ndata == 1);
	USE_CHECK(!vm.vcpus[0].run->system_event.data[0]);
	pvm_free(&vm);
	return 0;
}

static int use_system_suspend(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!enable(vm.fd, KVM_CAP_ARM_SYSTEM_SUSPEND, 0));
	USE_CHECK(pvm_command(&vm.vcpus[0], PVM_HVC, PSCI_1_0_FN64_SYSTEM_SUSPEND, PVM_CODE_IPA,
			      0, 0) ==
		  -ESHUTDOWN);
	USE_CHECK(vm.vcpus[0].event == KVM_SYSTEM_EVENT_SUSPEND);
	pvm_free(&vm);
	return 0;
}

static int use_psci_0_2(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(pvm_hvc(&vm.vcpus[0], HVC_PSCI_VERSION, 0, 0, 0) >= 2);
	USE_CHECK(pvm_command(&vm.vcpus[0], PVM_HVC, HVC_PSCI_SYSTEM_OFF, 0, 0, 0) ==
		  -ESHUTDOWN);
	pvm_free(&vm);
	return 0;
}

static int use_psci_0_1(unsigned long type, int value)
{
	const struct pvm_setup setup = {
		.type = type, .nr_vcpus = 1, .without = BIT_OF(PSCI_0_2),
	};
	struct pvm vm;

	USE_CHECK(!pvm_create_as(&vm, &setup));
	USE_CHECK(pvm_hvc(&vm.vcpus[0], KVM_PSCI_FN_CPU_ON, 77, 0, 0) == PSCI_RET_INVALID_PARAMS);
	pvm_free(&vm);
	return 0;
}

/* A protected vCPU without the feature PSCI_0_2 does not have PSCI 0.1 instead. */
static int refused_psci_0_1(unsigned long type)
{
	const struct pvm_setup setup = {
		.type = type, .nr_vcpus = 1, .without = BIT_OF(PSCI_0_2),
	};
	struct pvm vm;
	int err = pvm_create_as(&vm, &setup);

	if (err)
		return err;
	err = pvm_hvc(&vm.vcpus[0], KVM_PSCI_FN_CPU_ON, 77, 0, 0) == HVC_NOT_SUPPORTED ?
	      -EOPNOTSUPP : 0;
	pvm_free(&vm);
	return err;
}

static int set_events(struct pvm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	return ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, events) ? -errno : 0;
}

static int use_events(unsigned long type, int value)
{
	struct kvm_vcpu_events events;
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!ioctl(vm.vcpus[0].fd, KVM_GET_VCPU_EVENTS, &events));
	USE_CHECK(!set_events(&vm.vcpus[0], &events));
	pvm_free(&vm);
	return 0;
}

/*
 * The guest takes the abort at the store by which it reports the end of its last command, so the
 * next command fails.
 */
static int use_inject_dabt(unsigned long type, int value)
{
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	USE_CHECK(!pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1));
	USE_CHECK(!set_events(&vm.vcpus[0], &events));
	USE_CHECK(pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1) == -EIO);
	USE_CHECK(EC(vm.vcpus[0].exception.esr) == EC_DABT);
	pvm_free(&vm);
	return 0;
}

static int use_inject_serror(unsigned long type, int value)
{
	struct kvm_vcpu_events events = {
		.exception = {
			.serror_pending = 1, .serror_has_esr = 1, .serror_esr = SERROR_ISS,
		},
	};
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	USE_CHECK(!pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1));
	USE_CHECK(!set_events(&vm.vcpus[0], &events));
	USE_CHECK(pvm_insn(&vm.vcpus[0], MSR_DAIFCLR_A, 0, 0, 0) == -EIO);
	USE_CHECK(EC(vm.vcpus[0].exception.esr) == EC_SERROR);
	USE_CHECK((vm.vcpus[0].exception.esr & 0xffffff) == SERROR_ISS);
	pvm_free(&vm);
	return 0;
}

static int refuse_events(unsigned long type, struct kvm_vcpu_events *events)
{
	struct pvm vm;
	int err = pvm_create(&vm, type, 1, 0);

	if (err)
		return err;
	err = set_events(&vm.vcpus[0], events);
	pvm_free(&vm);
	return err;
}

static int refused_events(unsigned long type)
{
	struct kvm_vcpu_events events = {};

	return refuse_events(type, &events);
}

/*
 * KVM need not report it for either kind of VM. The call then fails with EPERM for a protected VM,
 * and with EINVAL for a non-protected one, for which this function returns -EPERM as well.
 */
static int refused_serror(unsigned long type)
{
	struct kvm_vcpu_events events = {
		.exception = { .serror_pending = 1, .serror_has_esr = 1 },
	};
	int err = refuse_events(type, &events);

	return type & KVM_VM_TYPE_ARM_PROTECTED || err != -EINVAL ? err : -EPERM;
}

static int set_debug(struct pvm_vcpu *vcpu, struct kvm_guest_debug *debug)
{
	return ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, debug) ? -errno : 0;
}

/* Exception classes of KVM_EXIT_DEBUG. */
#define EC_BREAKPOINT	0x30
#define EC_STEP		0x32
#define EC_WATCHPOINT	0x34

/* Debug a vCPU. Its next command must stop with an exit for debug of class @ec. */
static int debug(unsigned long type, struct kvm_guest_debug *debug, uint64_t break_after, int ec)
{
	struct pvm_vcpu *vcpu;
	struct pvm vm;
	uint64_t pc;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	vcpu = &vm.vcpus[0];
	USE_CHECK(!pvm_store(vcpu, PVM_DATA_IPA, 1));
	USE_CHECK(!pvm_get_reg(vcpu, REG_PC, &pc));
	if (break_after)
		debug->arch.dbg_bvr[0] = pc + break_after;
	USE_CHECK(!set_debug(vcpu, debug));
	USE_CHECK(pvm_store(vcpu, PVM_DATA_IPA, 2) == -EPROTO);
	USE_CHECK(vcpu->run->exit_reason == KVM_EXIT_DEBUG);
	USE_CHECK((int)EC(vcpu->run->debug.arch.hsr) == ec);
	debug->control = 0;
	USE_CHECK(!set_debug(vcpu, debug));
	USE_CHECK(!pvm_run(vcpu));
	pvm_free(&vm);
	return 0;
}

static int use_step(unsigned long type, int value)
{
	struct kvm_guest_debug step = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};

	return debug(type, &step, 0, EC_STEP);
}

/* @value has the flags that KVM takes. KVM refuses all others. */
static int use_debug_flags(unsigned long type, int value)
{
	struct kvm_guest_debug flags = { .control = ~value };
	struct pvm vm;

	USE_CHECK(value & KVM_GUESTDBG_ENABLE);
	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(set_debug(&vm.vcpus[0], &flags) == -EINVAL);
	pvm_free(&vm);
	return use_step(type, value);
}

/* A breakpoint at the instruction behind the guest's current one. */
static int use_breakpoint(unsigned long type, int value)
{
	struct kvm_guest_debug breakpoint = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW,
		/* Four bytes, at EL1 and EL0, enabled. */
		.arch.dbg_bcr[0] = 0xf << 5 | 3 << 1 | 1,
	};

	return debug(type, &breakpoint, 4, EC_BREAKPOINT);
}

static int use_watchpoint(unsigned long type, int value)
{
	struct kvm_guest_debug watchpoint = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW,
		.arch.dbg_wvr[0] = PVM_DATA_IPA,
		/* Eight bytes, stores, at EL1 and EL0, enabled. */
		.arch.dbg_wcr[0] = 0xff << 5 | 2 << 3 | 3 << 1 | 1,
	};

	return debug(type, &watchpoint, 0, EC_WATCHPOINT);
}

static int refused_debug(unsigned long type)
{
	struct kvm_guest_debug step = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};
	struct pvm vm;
	int err = pvm_create(&vm, type, 1, 0);

	if (err)
		return err;
	err = set_debug(&vm.vcpus[0], &step);
	pvm_free(&vm);
	return err;
}

/* The syndrome of a load of two registers does not describe the access (ESR_EL2.ISV is 0). */
static int use_nisv(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!enable(vm.fd, KVM_CAP_ARM_NISV_TO_USER, 0));
	USE_CHECK(pvm_insn(&vm.vcpus[0], LDP_X0_X1_X2, 0, 0, NOWHERE) == -EPROTO);
	USE_CHECK(vm.vcpus[0].run->exit_reason == KVM_EXIT_ARM_NISV);
	USE_CHECK(vm.vcpus[0].run->arm_nisv.fault_ipa == NOWHERE);
	pvm_free(&vm);
	return 0;
}

static int use_counter_offset(unsigned long type, int value)
{
	struct kvm_arm_counter_offset offset = { .counter_offset = 1 << 20 };
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	USE_CHECK(!ioctl(vm.fd, KVM_ARM_SET_COUNTER_OFFSET, &offset));
	USE_CHECK(!pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1));
	pvm_free(&vm);
	return 0;
}

static int refused_counter_offset(unsigned long type)
{
	struct kvm_arm_counter_offset offset = {};
	int vm = pvm_create_vm_fd(type);
	int err = ioctl(vm, KVM_ARM_SET_COUNTER_OFFSET, &offset) ? -errno : 0;

	close(vm);
	return err;
}

#define FEATURE_ID_REGS	(3 * 8 * 8)

static int get_masks(unsigned long type, uint64_t *masks)
{
	struct reg_mask_range range = { .addr = (uintptr_t)masks };
	int vm = pvm_create_vm_fd(type);
	int err = ioctl(vm, KVM_ARM_GET_REG_WRITABLE_MASKS, &range) ? -errno : 0;

	close(vm);
	return err;
}

static int use_masks(unsigned long type, int value)
{
	uint64_t masks[FEATURE_ID_REGS] = {};
	uint64_t all = 0;

	USE_CHECK(!get_masks(type, masks));
	for (size_t i = 0; i < FEATURE_ID_REGS; i++)
		all |= masks[i];
	USE_CHECK(all);
	return 0;
}

static int refused_masks(unsigned long type)
{
	uint64_t masks[FEATURE_ID_REGS];

	return get_masks(type, masks);
}

static int steal_time_attr(struct pvm_vcpu *vcpu, unsigned long request)
{
	uint64_t ipa = PVM_DATA_IPA;
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_PVTIME_CTRL, .attr = KVM_ARM_VCPU_PVTIME_IPA,
		.addr = (uintptr_t)&ipa,
	};

	return ioctl(vcpu->fd, request, &attr) ? -errno : 0;
}

static int use_steal_time(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	USE_CHECK(!steal_time_attr(&vm.vcpus[0], KVM_HAS_DEVICE_ATTR));
	USE_CHECK(!steal_time_attr(&vm.vcpus[0], KVM_SET_DEVICE_ATTR));
	USE_CHECK(pvm_hvc(&vm.vcpus[0], ARM_SMCCC_HV_PV_TIME_ST, 0, 0, 0) == PVM_DATA_IPA);
	pvm_free(&vm);
	return 0;
}

static int refused_steal_time(unsigned long type)
{
	struct pvm vm;
	int err = pvm_create(&vm, type, 1, getpagesize());

	if (err)
		return err;
	err = steal_time_attr(&vm.vcpus[0], KVM_SET_DEVICE_ATTR);
	pvm_free(&vm);
	return err;
}

static int use_ptp(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK((int32_t)pvm_hvc(&vm.vcpus[0], ARM_SMCCC_VENDOR_HYP_KVM_PTP_FUNC_ID,
				   0, 0, 0) >= 0);
	USE_CHECK(vm.vcpus[0].results[1]);
	pvm_free(&vm);
	return 0;
}

static int refused_ptp(unsigned long type)
{
	struct pvm vm;
	int err = pvm_create(&vm, type, 1, 0);

	if (err)
		return err;
	err = pvm_hvc(&vm.vcpus[0], ARM_SMCCC_VENDOR_HYP_KVM_PTP_FUNC_ID, 0, 0, 0) ==
	      HVC_NOT_SUPPORTED ? -EOPNOTSUPP : 0;
	pvm_free(&vm);
	return err;
}

static int create_and_free(unsigned long type, uint32_t features)
{
	struct pvm vm;
	int err = pvm_create_features(&vm, type, 1, 0, features);

	if (!err)
		pvm_free(&vm);
	return err;
}

static int use_sve(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create_features(&vm, type, 1, 0, BIT_OF(SVE)));
	USE_CHECK(!pvm_command(&vm.vcpus[0], PVM_SVE_FILL, 0x61, 0, 0, 0));
	USE_CHECK(!pvm_command(&vm.vcpus[0], PVM_SVE_CHECK, 0x61, 0, 0, 0));
	USE_CHECK(!vm.vcpus[0].results[0]);
	pvm_free(&vm);
	return 0;
}

static int refused_sve(unsigned long type)
{
	return create_and_free(type, BIT_OF(SVE));
}

static int use_ptrauth(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create_features(&vm, type, 1, 0, PTRAUTH));
	USE_CHECK(!pvm_insn(&vm.vcpus[0], PACGA_X0_X1_X2, 0, 1, 2));
	pvm_free(&vm);
	return 0;
}

static int refused_ptrauth(unsigned long type)
{
	return create_and_free(type, PTRAUTH);
}

/* Only create the vCPU: pkvm_vcpu runs one with this feature. */
static int use_aarch32(unsigned long type, int value)
{
	return create_and_free(type, BIT_OF(EL1_32BIT));
}

static int refused_aarch32(unsigned long type)
{
	return create_and_free(type, BIT_OF(EL1_32BIT));
}

static int use_pmu(unsigned long type, int value)
{
	struct kvm_device_attr init = {
		.group = KVM_ARM_VCPU_PMU_V3_CTRL, .attr = KVM_ARM_VCPU_PMU_V3_INIT,
	};
	struct pvm_vcpu *vcpu;
	uint64_t before;
	struct pvm vm;

	USE_CHECK(!pvm_create_features(&vm, type, 1, 0, BIT_OF(PMU_V3)));
	vcpu = &vm.vcpus[0];
	USE_CHECK(!ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &init));
	USE_CHECK(!pvm_insn(vcpu, SET_PMCNTENSET, BIT(31), 0, 0));
	USE_CHECK(!pvm_insn(vcpu, SET_PMCR, 1, 0, 0));
	USE_CHECK(!pvm_insn(vcpu, GET_PMCCNTR, 0, 0, 0));
	before = vcpu->results[0];
	USE_CHECK(!pvm_insn(vcpu, GET_PMCCNTR, 0, 0, 0));
	USE_CHECK(vcpu->results[0] > before);
	pvm_free(&vm);
	return 0;
}

static int refused_pmu(unsigned long type)
{
	return create_and_free(type, BIT_OF(PMU_V3));
}

static int enable_mte(struct pvm *vm)
{
	return enable(vm->fd, KVM_CAP_ARM_MTE, 0);
}

/* The registers for tag check faults of one guest do not show in another guest. */
static int use_mte(unsigned long type, int value)
{
	const struct pvm_setup setup = {
		.type = type, .nr_vcpus = 1, .data_size = getpagesize(), .prepare = enable_mte,
	};
	struct kvm_arm_copy_mte_tags tags = {
		.guest_ipa = PVM_DATA_IPA, .length = getpagesize(),
		.flags = KVM_ARM_TAGS_FROM_GUEST,
	};
	uint8_t tag[4096];
	struct pvm vm, other;

	tags.addr = tag;
	USE_CHECK(!pvm_create_as(&vm, &setup));
	USE_CHECK(!pvm_create_as(&other, &setup));
	for (size_t i = 0; i < ARRAY_SIZE(tag_faults); i++) {
		USE_CHECK(!pvm_insn(&other.vcpus[0], PVM_MSR_X0(tag_faults[i]), 0, 0, 0));
		USE_CHECK(!pvm_insn(&vm.vcpus[0], PVM_MSR_X0(tag_faults[i]), 1, 0, 0));
		USE_CHECK(!pvm_insn(&other.vcpus[0], PVM_MRS_X0(tag_faults[i]), 0, 0, 0));
		USE_CHECK(!other.vcpus[0].results[0]);
		USE_CHECK(!pvm_insn(&vm.vcpus[0], PVM_MRS_X0(tag_faults[i]), 0, 0, 0));
		USE_CHECK(vm.vcpus[0].results[0] == 1);
	}
	USE_CHECK(!pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1));
	USE_CHECK(ioctl(vm.fd, KVM_ARM_MTE_COPY_TAGS, &tags) == getpagesize());
	pvm_free(&other);
	pvm_free(&vm);
	return 0;
}

/* An abort that the host injects sets PSTATE.TCO, as one that the CPU takes does. */
static int use_mte_and_abort(unsigned long type, int value)
{
	const struct pvm_setup setup = {
		.type = type, .nr_vcpus = 1, .data_size = getpagesize(), .prepare = enable_mte,
	};
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };
	struct pvm vm;

	USE_CHECK(!pvm_create_as(&vm, &setup));
	USE_CHECK(!pvm_insn(&vm.vcpus[0], MSR_TCO_0, 0, 0, 0));
	USE_CHECK(!set_events(&vm.vcpus[0], &events));
	USE_CHECK(pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1) == -EIO);
	USE_CHECK(!pvm_insn(&vm.vcpus[0], MRS_X0_TCO, 0, 0, 0));
	USE_CHECK(vm.vcpus[0].results[0] == TCO);
	pvm_free(&vm);
	return use_mte(type, value);
}

const struct pvm_cap pvm_vcpu_caps[] = {
	{ KVM_CAP_CHECK_EXTENSION_VM, "CHECK_EXTENSION_VM", use_check_extension },
	{ KVM_CAP_ENABLE_CAP_VM, "ENABLE_CAP_VM", use_halt_poll },
	{ KVM_CAP_HALT_POLL, "HALT_POLL", use_halt_poll },
	{ KVM_CAP_INTERNAL_ERROR_DATA, "INTERNAL_ERROR_DATA", use_internal_error },
	{ KVM_CAP_BINARY_STATS_FD, "BINARY_STATS_FD", use_stats },
	{ KVM_CAP_ARM_PROTECTED_VM, "ARM_PROTECTED_VM", use_protected },
	{ KVM_CAP_ARM_VM_IPA_SIZE, "ARM_VM_IPA_SIZE", use_ipa_size },
	{ KVM_CAP_NR_VCPUS, "NR_VCPUS", use_nr_vcpus },
	{ KVM_CAP_MAX_VCPUS, "MAX_VCPUS", use_max_vcpus },
	{ KVM_CAP_MAX_VCPU_ID, "MAX_VCPU_ID", use_max_vcpus },
	{ KVM_CAP_ONE_REG, "ONE_REG", use_one_reg },
	{ KVM_CAP_MP_STATE, "MP_STATE", use_mp_state },
	{ KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT", use_immediate_exit },
	{ KVM_CAP_VCPU_ATTRIBUTES, "VCPU_ATTRIBUTES", use_vcpu_attributes },
	{ KVM_CAP_SYSTEM_EVENT_DATA, "SYSTEM_EVENT_DATA", use_system_event },
	{ KVM_CAP_ARM_SYSTEM_SUSPEND, "ARM_SYSTEM_SUSPEND", use_system_suspend },
	{ KVM_CAP_ARM_PSCI, "ARM_PSCI", use_psci_0_1, refused_psci_0_1, -EOPNOTSUPP },
	{ KVM_CAP_ARM_PSCI_0_2, "ARM_PSCI_0_2", use_psci_0_2 },
	{ KVM_CAP_VCPU_EVENTS, "VCPU_EVENTS", use_events, refused_events, -EPERM },
	{ KVM_CAP_ARM_INJECT_EXT_DABT, "ARM_INJECT_EXT_DABT", use_inject_dabt,
	  refused_events, -EPERM },
	{ KVM_CAP_ARM_INJECT_SERROR_ESR, "ARM_INJECT_SERROR_ESR", use_inject_serror,
	  refused_serror, -EPERM },
	{ KVM_CAP_SET_GUEST_DEBUG, "SET_GUEST_DEBUG", use_step, refused_debug, -EPERM },
	{ KVM_CAP_SET_GUEST_DEBUG2, "SET_GUEST_DEBUG2", use_debug_flags, refused_debug, -EPERM },
	{ KVM_CAP_GUEST_DEBUG_HW_BPS, "GUEST_DEBUG_HW_BPS", use_breakpoint, refused_debug, -EPERM },
	{ KVM_CAP_GUEST_DEBUG_HW_WPS, "GUEST_DEBUG_HW_WPS", use_watchpoint, refused_debug, -EPERM },
	{ KVM_CAP_ARM_NISV_TO_USER, "ARM_NISV_TO_USER", use_nisv },
	{ KVM_CAP_COUNTER_OFFSET, "COUNTER_OFFSET", use_counter_offset,
	  refused_counter_offset, -EPERM },
	{ KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES, "ARM_SUPPORTED_REG_MASK_RANGES", use_masks,
	  refused_masks, -EPERM },
	{ KVM_CAP_STEAL_TIME, "STEAL_TIME", use_steal_time, refused_steal_time, -ENXIO },
	{ KVM_CAP_PTP_KVM, "PTP_KVM", use_ptp, refused_ptp, -EOPNOTSUPP },
	{ KVM_CAP_ARM_MTE, "ARM_MTE", use_mte_and_abort },
	{ KVM_CAP_ARM_SVE, "ARM_SVE", use_sve, refused_sve, -EINVAL },
	{ KVM_CAP_ARM_PTRAUTH_ADDRESS, "ARM_PTRAUTH_ADDRESS", use_ptrauth,
	  refused_ptrauth, -EINVAL },
	{ KVM_CAP_ARM_PTRAUTH_GENERIC, "ARM_PTRAUTH_GENERIC", use_ptrauth,
	  refused_ptrauth, -EINVAL },
	{ KVM_CAP_ARM_EL1_32BIT, "ARM_EL1_32BIT", use_aarch32, refused_aarch32, -EINVAL },
	{ KVM_CAP_ARM_PMU_V3, "ARM_PMU_V3", use_pmu, refused_pmu, -EINVAL },
	{ }
};
