// SPDX-License-Identifier: GPL-2.0-only
/*
 * Use of the capabilities for a VM's MMIO and interrupts, and their refusal. See pvm_caps.h. The
 * guest polls its GIC's CPU interface, so it needs no exception handler.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pvm.h"
#include "pvm_caps.h"

#define DIST		0x3fff0000UL
#define REDIST		0x3ffd0000UL
#define ITS		0x3fe00000UL
#define DOORBELL	0x2000000UL

#define GICD_CTLR	(DIST + 0x0)
#define GICD_ENABLE_G1	BIT(1)
#define GICD_ISENABLER1	(DIST + 0x104)
#define GICD_ICFGR2	(DIST + 0xc08)
#define GICR_CTLR	(REDIST + 0x0)
#define GICR_ENABLE_LPI	BIT(0)
#define GICR_PROPBASER	(REDIST + 0x70)
#define GICR_PENDBASER	(REDIST + 0x78)
#define GITS_CTLR	(ITS + 0x0)
#define GITS_ENABLED	BIT(0)
#define GITS_CBASER	(ITS + 0x80)
#define GITS_CWRITER	(ITS + 0x88)
#define GITS_BASER(n)	(ITS + 0x100 + 8 * (n))
#define GITS_TRANSLATER	(ITS + 0x10040)
#define VALID		BIT(63)

/* SPI 4, and an LPI. */
#define SPI_PIN		4
#define SPI		(32 + SPI_PIN)
#define LPI		8192
#define SPURIOUS	1023
#define GSI		7

/* ICC_PMR_EL1, ICC_IGRPEN1_EL1, ICC_IAR1_EL1, ICC_EOIR1_EL1 */
#define SET_PMR		PVM_MSR_X0(PVM_SYSREG(3, 0, 4, 6, 0))
#define SET_IGRPEN1	PVM_MSR_X0(PVM_SYSREG(3, 0, 12, 12, 7))
#define GET_IAR1	PVM_MRS_X0(PVM_SYSREG(3, 0, 12, 12, 0))
#define SET_EOIR1	PVM_MSR_X0(PVM_SYSREG(3, 0, 12, 12, 1))
#define STR_W1_X0	0xb9000001U

static int set_attr(int fd, uint32_t group, uint64_t attr, uint64_t value)
{
	struct kvm_device_attr device = {
		.group = group, .attr = attr, .addr = (uintptr_t)&value,
	};

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &device) ? -errno : 0;
}

static int create_device(struct pvm *vm, uint32_t type)
{
	struct kvm_create_device device = { .type = type };

	return ioctl(vm->fd, KVM_CREATE_DEVICE, &device) ? -errno : (int)device.fd;
}

static int create_gic(struct pvm *vm)
{
	int gic = create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);

	USE_CHECK(gic >= 0);
	USE_CHECK(!set_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, DIST));
	USE_CHECK(!set_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
			    REDIST));
	USE_CHECK(!set_attr(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0));
	close(gic);
	return 0;
}

static int write32(struct pvm_vcpu *vcpu, uint64_t ipa, uint32_t value)
{
	return pvm_insn(vcpu, STR_W1_X0, ipa, value, 0);
}

/* Make a VM with a GIC. Its guest enables interrupts of group 1, and the SPI. */
static int create_with_gic(struct pvm *vm, unsigned long type, size_t data_size)
{
	struct pvm_vcpu *vcpu = &vm->vcpus[0];

	USE_CHECK(!pvm_create(vm, type, 1, data_size));
	USE_CHECK(!create_gic(vm));
	USE_CHECK(!pvm_insn(vcpu, SET_PMR, 0xff, 0, 0));
	USE_CHECK(!pvm_insn(vcpu, SET_IGRPEN1, 1, 0, 0));
	USE_CHECK(!write32(vcpu, GICD_CTLR, GICD_ENABLE_G1));
	/* Level-triggered: KVM resamples only the lines of level-triggered interrupts. */
	USE_CHECK(!write32(vcpu, GICD_ICFGR2, 0));
	USE_CHECK(!write32(vcpu, GICD_ISENABLER1, BIT(SPI_PIN)));
	return 0;
}

/*
 * Have the guest acknowledge an interrupt, and return its number. Poll, since another thread of the
 * host may raise it.
 */
static int acknowledge(struct pvm_vcpu *vcpu)
{
	for (int tries = 0; tries < 1000; tries++) {
		USE_CHECK(!pvm_insn(vcpu, GET_IAR1, 0, 0, 0));
		if (vcpu->results[0] != SPURIOUS)
			return vcpu->results[0];
		usleep(1000);
	}
	return SPURIOUS;
}

static int set_line(struct pvm *vm, int level)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | SPI, .level = level,
	};

	return ioctl(vm->fd, KVM_IRQ_LINE, &line) ? -errno : 0;
}

static int use_irqchip(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!create_with_gic(&vm, type, 0));
	USE_CHECK(!set_line(&vm, 1));
	USE_CHECK(acknowledge(&vm.vcpus[0]) == SPI);
	USE_CHECK(!set_line(&vm, 0));
	USE_CHECK(!pvm_insn(&vm.vcpus[0], SET_EOIR1, SPI, 0, 0));
	pvm_free(&vm);
	return 0;
}

/*
 * An interrupt line of a vCPU whose number needs more than eight bits. There is no such vCPU, so
 * KVM_IRQ_LINE fails.
 */
static int use_line_layout(unsigned long type, int value)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_PPI << KVM_ARM_IRQ_TYPE_SHIFT |
		       1 << KVM_ARM_IRQ_VCPU2_SHIFT | 16,
	};
	struct pvm vm;

	USE_CHECK(!create_with_gic(&vm, type, 0));
	USE_CHECK(ioctl(vm.fd, KVM_IRQ_LINE, &line) && errno == EINVAL);
	line.irq &= ~(1 << KVM_ARM_IRQ_VCPU2_SHIFT);
	USE_CHECK(!ioctl(vm.fd, KVM_IRQ_LINE, &line));
	pvm_free(&vm);
	return use_irqchip(type, value);
}

static int route(struct pvm *vm, uint32_t gsi, uint32_t pin)
{
	struct {
		struct kvm_irq_routing table;
		struct kvm_irq_routing_entry entry;
	} routing = {
		.table.nr = 1,
		.entry = { .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip.pin = pin },
	};

	return ioctl(vm->fd, KVM_SET_GSI_ROUTING, &routing) ? -errno : 0;
}

/*
 * An eventfd raises the interrupt, by a route that user space set. KVM signals a second eventfd
 * when the guest has completed the interrupt.
 */
static int use_irqfd(unsigned long type, int value)
{
	struct kvm_irqfd irqfd = { .gsi = GSI, .flags = KVM_IRQFD_FLAG_RESAMPLE };
	uint64_t one = 1, heard = 0;
	struct pvm vm;

	irqfd.fd = eventfd(0, EFD_CLOEXEC);
	irqfd.resamplefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	USE_CHECK(!create_with_gic(&vm, type, 0));
	USE_CHECK(!route(&vm, GSI, SPI_PIN));
	USE_CHECK(!ioctl(vm.fd, KVM_IRQFD, &irqfd));
	USE_CHECK(write(irqfd.fd, &one, sizeof(one)) == sizeof(one));
	USE_CHECK(acknowledge(&vm.vcpus[0]) == SPI);
	USE_CHECK(read(irqfd.resamplefd, &heard, sizeof(heard)) < 0 && errno == EAGAIN);
	USE_CHECK(!pvm_insn(&vm.vcpus[0], SET_EOIR1, SPI, 0, 0));
	USE_CHECK(read(irqfd.resamplefd, &heard, sizeof(heard)) == sizeof(heard));
	USE_CHECK(heard == 1);
	pvm_free(&vm);
	close(irqfd.fd);
	close(irqfd.resamplefd);
	return 0;
}

/* Memory of the ITS and the redistributor. A protected guest shares what KVM reads. */
#define COMMANDS	(PVM_DATA_IPA + 0 * SZ_64K)
#define DEVICES		(PVM_DATA_IPA + 1 * SZ_64K)
#define COLLECTIONS	(PVM_DATA_IPA + 2 * SZ_64K)
#define TRANSLATIONS	(PVM_DATA_IPA + 3 * SZ_64K)
#define LPI_CONFIG	(PVM_DATA_IPA + 4 * SZ_64K)
#define LPI_PENDING	(PVM_DATA_IPA + 5 * SZ_64K)
#define ITS_MEMORY	(6 * SZ_64K)

/*
 * Three commands: map device 0, map collection 0 to CPU 0, and map event 0 of the device to the
 * LPI.
 */
static const uint64_t its_commands[][4] = {
	{ 0x08, 0, VALID | TRANSLATIONS },
	{ 0x09, 0, VALID },
	{ 0x0a, (uint64_t)LPI << 32, 0 },
};

static int start_its(struct pvm_vcpu *vcpu)
{
	const uint64_t shared[] = { COMMANDS, LPI_CONFIG, LPI_PENDING };
	const struct {
		uint64_t ipa;
		uint64_t value;
	} regs[] = {
		{ GICR_PROPBASER, LPI_CONFIG | 15 },
		{ GICR_PENDBASER, BIT(62) | LPI_PENDING },
		{ GITS_BASER(0), VALID | DEVICES },
		{ GITS_BASER(1), VALID | COLLECTIONS },
		{ GITS_CBASER, VALID | COMMANDS },
	};

	if (vcpu->vm->type & KVM_VM_TYPE_ARM_PROTECTED)
		for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
			USE_CHECK(pvm_share(vcpu, shared[i]) == HVC_SUCCESS);
	/* The configuration byte of the LPI: enabled, with the highest priority. */
	USE_CHECK(!pvm_store(vcpu, LPI_CONFIG, 1));
	for (size_t i = 0; i < ARRAY_SIZE(its_commands) * 4; i++)
		USE_CHECK(!pvm_store(vcpu, COMMANDS + 8 * i, its_commands[i / 4][i % 4]));
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		USE_CHECK(!pvm_store(vcpu, regs[i].ipa, regs[i].value));
	USE_CHECK(!write32(vcpu, GICR_CTLR, GICR_ENABLE_LPI));
	USE_CHECK(!write32(vcpu, GITS_CTLR, GITS_ENABLED));
	USE_CHECK(!pvm_store(vcpu, GITS_CWRITER, sizeof(its_commands)));
	return 0;
}

/* A message with a device ID becomes an LPI. */
static int use_msi(unsigned long type, int value)
{
	struct kvm_msi msi = {
		.address_lo = GITS_TRANSLATER, .flags = KVM_MSI_VALID_DEVID,
	};
	struct pvm vm;
	int its;

	USE_CHECK(!pvm_create(&vm, type, 1, ITS_MEMORY));
	its = create_device(&vm, KVM_DEV_TYPE_ARM_VGIC_ITS);
	USE_CHECK(its >= 0);
	USE_CHECK(!set_attr(its, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, ITS));
	USE_CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_MSI_DEVID) == 1);
	USE_CHECK(!create_gic(&vm));
	USE_CHECK(!set_attr(its, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0));
	USE_CHECK(!pvm_insn(&vm.vcpus[0], SET_PMR, 0xff, 0, 0));
	USE_CHECK(!pvm_insn(&vm.vcpus[0], SET_IGRPEN1, 1, 0, 0));
	USE_CHECK(!write32(&vm.vcpus[0], GICD_CTLR, GICD_ENABLE_G1));
	USE_CHECK(!start_its(&vm.vcpus[0]));
	USE_CHECK(ioctl(vm.fd, KVM_SIGNAL_MSI, &msi) > 0);
	USE_CHECK(acknowledge(&vm.vcpus[0]) == LPI);
	close(its);
	pvm_free(&vm);
	return 0;
}

static int ring_at(struct pvm *vm, int fd, uint32_t len)
{
	struct kvm_ioeventfd event = { .addr = DOORBELL, .len = len, .fd = fd };

	return ioctl(vm->fd, KVM_IOEVENTFD, &event) ? -errno : 0;
}

static int ring(unsigned long type, uint32_t len)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t rung = 0;
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!ring_at(&vm, fd, len));
	USE_CHECK(!pvm_store(&vm.vcpus[0], DOORBELL, 1));
	USE_CHECK(read(fd, &rung, sizeof(rung)) == sizeof(rung) && rung == 1);
	close(fd);
	pvm_free(&vm);
	return 0;
}

static int use_ioeventfd(unsigned long type, int value)
{
	return ring(type, 8);
}

static int use_any_length(unsigned long type, int value)
{
	return ring(type, 0);
}

/*
 * KVM records stores to a zone in a ring instead of exiting. @value is the page number of the ring
 * in the mapping of the vCPU.
 */
static int use_coalesced(unsigned long type, int value)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = DOORBELL, .size = 8 };
	struct kvm_coalesced_mmio_ring *stores;
	uint64_t stored;
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	USE_CHECK(!pvm_store(&vm.vcpus[0], DOORBELL, 0x60));
	stores = (void *)((uint8_t *)vm.vcpus[0].run + value * getpagesize());
	USE_CHECK(stores->first == 0 && stores->last == 1);
	memcpy(&stored, stores->coalesced_mmio[0].data, sizeof(stored));
	USE_CHECK(stores->coalesced_mmio[0].phys_addr == DOORBELL && stored == 0x60);
	pvm_free(&vm);
	return 0;
}

/* KVM takes a zone of ports, which no guest can access, as arm64 has no port I/O. */
static int use_coalesced_pio(unsigned long type, int value)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = 0x60, .size = 1, .pio = 1 };
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	USE_CHECK(!ioctl(vm.fd, KVM_UNREGISTER_COALESCED_MMIO, &zone));
	pvm_free(&vm);
	return 0;
}

/* The call is only for a GICv2, which KVM may not support on a host with a GICv3. */
static int use_device_addr(unsigned long type, int value)
{
	struct kvm_arm_device_addr addr = {
		.id = (uint64_t)KVM_ARM_DEVICE_VGIC_V2 << KVM_ARM_DEVICE_ID_SHIFT |
		      KVM_VGIC_V2_ADDR_TYPE_DIST,
		.addr = DIST,
	};
	int vm = pvm_create_vm_fd(type);
	int err;

	USE_CHECK(vm >= 0);
	if (!ioctl(vm, KVM_CREATE_IRQCHIP, 0)) {
		USE_CHECK(!ioctl(vm, KVM_ARM_SET_DEVICE_ADDR, &addr));
		close(vm);
		return 0;
	}
	err = errno;
	close(vm);
	USE_CHECK(err == ENODEV);
	return 0;
}

static int refused_device_addr(unsigned long type)
{
	struct kvm_arm_device_addr addr = {};
	int vm = pvm_create_vm_fd(type);
	int err = ioctl(vm, KVM_ARM_SET_DEVICE_ADDR, &addr) ? -errno : 0;

	close(vm);
	return err;
}

/* Without a GIC in the kernel, user space handles the interrupt lines of a vCPU. */
#define ENABLE_VTIMER	PVM_MSR_X0(PVM_SYSREG(3, 3, 14, 3, 1))

static int use_user_irq(unsigned long type, int value)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT, .level = 1,
	};
	struct pvm_vcpu *vcpu;
	struct pvm vm;
	int err;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	vcpu = &vm.vcpus[0];
	/* The timer's compare value is 0, so its line goes high at once, which ends KVM_RUN. */
	err = pvm_insn(vcpu, ENABLE_VTIMER, 1, 0, 0);
	for (int tries = 0; err == -EINTR && tries < 10; tries++)
		err = pvm_run(vcpu);
	USE_CHECK(!err);
	USE_CHECK(vcpu->run->s.regs.device_irq_level & KVM_ARM_DEV_EL1_VTIMER);
	USE_CHECK(!ioctl(vm.fd, KVM_IRQ_LINE, &line));
	pvm_free(&vm);
	return 0;
}

static int refused_user_irq(unsigned long type)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT, .level = 1,
	};
	struct pvm vm;
	int err = pvm_create(&vm, type, 1, 0);

	if (err)
		return err;
	err = ioctl(vm.fd, KVM_IRQ_LINE, &line) ? -errno : 0;
	pvm_free(&vm);
	return err;
}

const struct pvm_cap pvm_irq_caps[] = {
	{ KVM_CAP_IRQCHIP, "IRQCHIP", use_irqchip },
	{ KVM_CAP_DEVICE_CTRL, "DEVICE_CTRL", use_irqchip },
	{ KVM_CAP_ARM_IRQ_LINE_LAYOUT_2, "ARM_IRQ_LINE_LAYOUT_2", use_line_layout },
	{ KVM_CAP_IRQ_ROUTING, "IRQ_ROUTING", use_irqfd },
	{ KVM_CAP_IRQFD, "IRQFD", use_irqfd },
	{ KVM_CAP_IRQFD_RESAMPLE, "IRQFD_RESAMPLE", use_irqfd },
	{ KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI", use_msi },
	{ KVM_CAP_IOEVENTFD, "IOEVENTFD", use_ioeventfd },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, "IOEVENTFD_ANY_LENGTH", use_any_length },
	{ KVM_CAP_COALESCED_MMIO, "COALESCED_MMIO", use_coalesced },
	{ KVM_CAP_COALESCED_PIO, "COALESCED_PIO", use_coalesced_pio },
	{ KVM_CAP_ARM_SET_DEVICE_ADDR, "ARM_SET_DEVICE_ADDR", use_device_addr,
	  refused_device_addr, -EPERM },
	{ KVM_CAP_ARM_USER_IRQ, "ARM_USER_IRQ", use_user_irq, refused_user_irq, -ENXIO },
	{ }
};
