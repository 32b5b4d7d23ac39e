// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls by which two VMMs, crosvm and kvmtool, start a protected VM, in their order. Rule: a
 * change of the UAPI must not break these VMMs. Debian has no packages of them, so the test makes
 * the calls itself, as observed.
 *
 * Run as pkvm_vmm_calls FILE. FILE has the firmware that the boot loader left, which begins with
 * the test guest's code.
 */
#include <errno.h>
#include <linux/sizes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "processor.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SET_FW_IPA		KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA
#define INFO			KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO

#define VCPUS			2
#define FW_IPA			0x7fc00000UL
#define FW_SIZE			SZ_4M
#define RAM_SIZE		SZ_4M
#define GIC_DIST		0x3fff0000UL
#define GIC_REDIST		0x3ffb0000UL
#define DOORBELL		0x2000000UL
#define SPI			4
/* EL1h with all of DAIF masked. */
#define RESET_PSTATE		0x3c5

static const char *firmware_path;

struct firmware_info {
	uint64_t firmware_size;
	uint64_t reserved[7];
};

FIXTURE(vmm) {
	struct pvm vm;
	size_t firmware_size;
	uint8_t *mem;
	int gic;
	int doorbell;
	int irq;
};

FIXTURE_SETUP(vmm)
{
	struct stat stat;

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_NE(NULL, firmware_path);
	ASSERT_EQ(0, lstat(firmware_path, &stat));
	self->firmware_size = stat.st_size;
	self->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->doorbell);
	ASSERT_LE(0, self->irq);
	self->gic = -1;
}

FIXTURE_TEARDOWN(vmm)
{
	pvm_free(&self->vm);
	if (self->mem)
		munmap(self->mem, FW_SIZE + RAM_SIZE);
	close(self->gic);
	close(self->doorbell);
	close(self->irq);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
}

static int check_extension(int fd, uint32_t cap)
{
	return ioctl(fd, KVM_CHECK_EXTENSION, (unsigned long)cap);
}

/* Create the VM with the largest IPA space of the host. */
static int make_vm(struct pvm *vm)
{
	int bits;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return -errno;
	if (ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0) != 12)
		return -EPROTO;
	vm->run_size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	bits = check_extension(vm->kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM,
		       KVM_VM_TYPE_ARM_PROTECTED | KVM_VM_TYPE_ARM_IPA_SIZE(bits));
	return vm->fd < 0 ? -errno : 0;
}

static int make_vcpu(struct pvm *vm)
{
	struct pvm_vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];

	vcpu->vm = vm;
	vcpu->index = vm->nr_vcpus;
	vcpu->channel = PVM_CHANNEL_IPA + vcpu->index * PVM_CHANNEL_SIZE;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)vcpu->index);
	if (vcpu->fd < 0)
		return -errno;
	vm->nr_vcpus++;
	vcpu->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	return vcpu->run == MAP_FAILED ? -errno : 0;
}

/* Initialise a vCPU with the features that @caps_fd, of the VM or of KVM, reports. */
static int init_vcpu(struct pvm_vcpu *vcpu, int caps_fd)
{
	struct kvm_vcpu_init init;
	int what = KVM_ARM_VCPU_SVE;

	if (ioctl(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		return -errno;
	if (check_extension(caps_fd, KVM_CAP_ARM_PSCI_0_2) > 0)
		init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	if (check_extension(caps_fd, KVM_CAP_ARM_SVE) > 0)
		init.features[0] |= 1U << KVM_ARM_VCPU_SVE;
	if (vcpu->index)
		init.features[0] |= 1U << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		return -errno;
	if (init.features[0] & 1U << KVM_ARM_VCPU_SVE &&
	    ioctl(vcpu->fd, KVM_ARM_VCPU_FINALIZE, &what))
		return -errno;
	return 0;
}

static int set_gic(int gic, uint32_t group, uint64_t attr, uint64_t value)
{
	struct kvm_device_attr set = { .group = group, .attr = attr, .addr = (uintptr_t)&value };

	return ioctl(gic, KVM_SET_DEVICE_ATTR, &set) ? -errno : 0;
}

static int make_gic(struct pvm *vm, int *gic)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	int err;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &device))
		return -errno;
	*gic = device.fd;
	err = set_gic(*gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, GIC_DIST);
	if (!err)
		err = set_gic(*gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
			      GIC_REDIST);
	return err;
}

static int init_gic(int gic)
{
	uint32_t irqs = 128;
	struct kvm_device_attr set = {
		.group = KVM_DEV_ARM_VGIC_GRP_NR_IRQS, .addr = (uintptr_t)&irqs,
	};

	if (ioctl(gic, KVM_SET_DEVICE_ATTR, &set))
		return -errno;
	return set_gic(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
}

static int route_spi(struct pvm *vm, int irq)
{
	struct {
		struct kvm_irq_routing table;
		struct kvm_irq_routing_entry entries[1];
	} routing = {
		.table.nr = 1,
		.entries = { {
			.gsi = SPI,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { .pin = SPI },
		} },
	};
	struct kvm_irqfd irqfd = { .fd = irq, .gsi = SPI };

	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, &routing))
		return -errno;
	return ioctl(vm->fd, KVM_IRQFD, &irqfd) ? -errno : 0;
}

static int ring_at(struct pvm *vm, int doorbell)
{
	struct kvm_ioeventfd event = { .addr = DOORBELL, .len = 8, .fd = doorbell };

	return ioctl(vm->fd, KVM_IOEVENTFD, &event) ? -errno : 0;
}

/* Check for steal time, as crosvm does for each vCPU before it sets it up. */
static bool has_steal_time(struct pvm_vcpu *vcpu)
{
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_PVTIME_CTRL, .attr = KVM_ARM_VCPU_PVTIME_IPA,
	};

	return !ioctl(vcpu->fd, KVM_HAS_DEVICE_ATTR, &attr);
}

static int set_boot_regs(struct pvm_vcpu *vcpu, uint64_t pc)
{
	int err = pvm_set_reg(vcpu, ARM64_CORE_REG(regs.pc), pc);

	return err ? err : pvm_set_reg(vcpu, ARM64_CORE_REG(regs.regs[0]), vcpu->channel);
}

/* Both vCPUs run, a store signals an ioeventfd, and a masked interrupt becomes pending. */
static void check_vm(struct __test_metadata *_metadata, FIXTURE_DATA(vmm) * self, uint64_t data)
{
	uint64_t one = 1, value;

	ASSERT_EQ(0, pvm_store(&self->vm.vcpus[0], data, 42));
	ASSERT_EQ(0, pvm_command(&self->vm.vcpus[0], PVM_HVC, HVC_PSCI_CPU_ON, 1, FW_IPA,
				 self->vm.vcpus[1].channel));
	ASSERT_EQ(HVC_SUCCESS, (int64_t)self->vm.vcpus[0].results[0]);
	ASSERT_EQ(0, pvm_load(&self->vm.vcpus[1], data, &value));
	EXPECT_EQ(42, value);

	ASSERT_EQ(0, pvm_store(&self->vm.vcpus[0], DOORBELL, 1));
	EXPECT_EQ(sizeof(value), read(self->doorbell, &value, sizeof(value)));
	EXPECT_EQ(sizeof(one), write(self->irq, &one, sizeof(one)));
	ASSERT_EQ(0, pvm_load(&self->vm.vcpus[0], data, &value));
	EXPECT_EQ(42, value);
}

/*
 * crosvm, for a protected VM with firmware: one region for firmware and RAM, vCPU features from the
 * capabilities of the VM, PSTATE on each vCPU.
 */
TEST_F(vmm, crosvm)
{
	struct firmware_info info = {};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_PROTECTED_VM, .flags = INFO, .args = { (uintptr_t)&info },
	};
	struct pvm *vm = &self->vm;
	int fd;

	ASSERT_EQ(0, make_vm(vm));
	ASSERT_EQ(1, check_extension(vm->fd, KVM_CAP_ARM_PROTECTED_VM));

	fd = memfd_create("guest", MFD_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, FW_SIZE + RAM_SIZE));
	self->mem = mmap(NULL, FW_SIZE + RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	close(fd);
	ASSERT_EQ(0, pvm_set_slot(vm, 0, 0, FW_IPA, FW_SIZE + RAM_SIZE, self->mem));

	ASSERT_EQ(0, make_gic(vm, &self->gic));
	for (int i = 0; i < VCPUS; i++) {
		ASSERT_EQ(0, make_vcpu(vm));
		ASSERT_EQ(0, init_vcpu(&vm->vcpus[i], vm->fd));
	}
	for (int i = 0; i < VCPUS; i++)
		EXPECT_FALSE(has_steal_time(&vm->vcpus[i]));

	ASSERT_EQ(0, ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	EXPECT_EQ(self->firmware_size, info.firmware_size);
	cap.flags = SET_FW_IPA;
	cap.args[0] = FW_IPA;
	ASSERT_EQ(0, ioctl(vm->fd, KVM_ENABLE_CAP, &cap));

	for (int i = 0; i < VCPUS; i++)
		ASSERT_EQ(0, pvm_set_reg(&vm->vcpus[i], ARM64_CORE_REG(regs.pstate),
					 RESET_PSTATE));
	ASSERT_EQ(0, set_boot_regs(&vm->vcpus[0], FW_IPA + FW_SIZE));
	ASSERT_EQ(0, pvm_set_reg(&vm->vcpus[0], ARM64_CORE_REG(regs.regs[1]), FW_IPA + FW_SIZE));
	ASSERT_EQ(0, pvm_set_reg(&vm->vcpus[0], ARM64_CORE_REG(regs.regs[2]), RAM_SIZE));

	ASSERT_EQ(0, init_gic(self->gic));
	ASSERT_EQ(0, route_spi(vm, self->irq));
	ASSERT_EQ(0, ring_at(vm, self->doorbell));

	check_vm(_metadata, self, FW_IPA + FW_SIZE);
}

/*
 * kvmtool with --no-pvtime: vCPU features from the capabilities of /dev/kvm, PSTATE and x1 to x3 on
 * every vCPU, pc and x0 only on the first.
 */
TEST_F(vmm, kvmtool)
{
	struct pvm *vm = &self->vm;

	ASSERT_EQ(0, make_vm(vm));
	ASSERT_LT(0, check_extension(vm->kvm_fd, KVM_CAP_ARM_PSCI_0_2));

	self->mem = mmap(NULL, FW_SIZE + RAM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ASSERT_EQ(0, pvm_copy_code(self->mem, FW_SIZE));
	ASSERT_EQ(0, pvm_set_slot(vm, 1, 0, FW_IPA, FW_SIZE + RAM_SIZE, self->mem));

	ASSERT_EQ(0, make_gic(vm, &self->gic));
	for (int i = 0; i < VCPUS; i++) {
		ASSERT_EQ(0, make_vcpu(vm));
		ASSERT_EQ(0, init_vcpu(&vm->vcpus[i], vm->kvm_fd));
	}
	ASSERT_EQ(0, init_gic(self->gic));
	ASSERT_EQ(0, route_spi(vm, self->irq));
	ASSERT_EQ(0, ring_at(vm, self->doorbell));

	for (int i = 0; i < VCPUS; i++) {
		struct pvm_vcpu *vcpu = &vm->vcpus[i];

		ASSERT_EQ(0, pvm_set_reg(vcpu, ARM64_CORE_REG(regs.pstate), RESET_PSTATE));
		for (int n = 1; n < 4; n++) {
			ASSERT_EQ(0, pvm_set_reg(vcpu, ARM64_CORE_REG(regs.regs[n]), 0)) {
				TH_LOG("x%d of vCPU %d", n, i);
			}
		}
		if (!i)
			ASSERT_EQ(0, set_boot_regs(vcpu, FW_IPA));
	}

	check_vm(_metadata, self, FW_IPA + FW_SIZE);
}

int main(int argc, char *argv[])
{
	if (argc > 1 && argv[argc - 1][0] == '/')
		firmware_path = argv[--argc];
	return test_harness_run(argc, argv);
}
