// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM of KVM (vm.h; Documentation/virt/kvm/api.rst and devices/arm-vgic-v3.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "layout.h"
#include "log.h"
#include "options.h"
#include "vm.h"

#define KVM_DEVICE		"/dev/kvm"
#define DEFAULT_IPA_BITS	40
#define PRIVATE_INTERRUPTS	32
#define MEMORY_SLOT		0
#define FIRST_WINDOW_SLOT	1

struct protected_vm_info {
	uint64_t firmware_size;
	uint64_t reserved[7];
};

static int open_kvm(struct vm *vm)
{
	int version, size, err;

	vm->kvm_fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0) {
		err = -errno;
		log_err("%s: %s", KVM_DEVICE, strerror(-err));
		return err;
	}
	version = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		log_err("%s: API version %d instead of %d", KVM_DEVICE, version,
			KVM_API_VERSION);
		return -ENODEV;
	}
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < 0) {
		err = -errno;
		log_err("%s: size of a vCPU: %s", KVM_DEVICE, strerror(-err));
		return err;
	}
	vm->run_size = size;
	return 0;
}

/* Memslots of a non-protected VM can always come and go. */
static void look_for_windows(struct vm *vm)
{
	bool standalone = ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_STANDALONE_MEM) > 0;

	vm->window_flags = standalone ? KVM_MEM_ARM_STANDALONE : 0;
	vm->has_windows = standalone || !vm->protected_vm;
}

int vm_create(struct vm *vm, bool protected_vm)
{
	unsigned long type = 0;
	int limit, err;

	vm->kvm_fd = -1;
	vm->fd = -1;
	vm->gic_fd = -1;
	vm->protected_vm = protected_vm;
	err = open_kvm(vm);
	if (err)
		return err;

	/* IPA size 0 means 40 bits, which a host with fewer bits refuses. */
	vm->ipa_bits = DEFAULT_IPA_BITS;
	limit = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	if (limit > 0 && limit < DEFAULT_IPA_BITS) {
		vm->ipa_bits = limit;
		type = KVM_VM_TYPE_ARM_IPA_SIZE(limit);
	}
	if (protected_vm)
		type |= KVM_VM_TYPE_ARM_PROTECTED;

	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, type);
	if (vm->fd >= 0) {
		look_for_windows(vm);
		return 0;
	}
	err = -errno;
	if (protected_vm && err == -EINVAL)
		log_err("this host has no protected VMs: its kernel must support them and be booted with kvm-arm.mode=protected");
	else
		log_err("KVM_CREATE_VM: %s", strerror(-err));
	return err;
}

int vm_choose_features(struct vm *vm, unsigned int wanted, bool must)
{
	static const struct {
		const char *name;
		unsigned int feature;
		int capability;
		uint32_t bits;
	} features[] = {
		{ "SVE", CPU_FEATURE_SVE, KVM_CAP_ARM_SVE, 1U << KVM_ARM_VCPU_SVE },
		{ "pointer authentication", CPU_FEATURE_PAUTH, KVM_CAP_ARM_PTRAUTH_ADDRESS,
		  1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1U << KVM_ARM_VCPU_PTRAUTH_GENERIC },
	};
	size_t i;

	vm->vcpu_features = 0;
	for (i = 0; i < sizeof(features) / sizeof(*features); i++) {
		if (!(wanted & features[i].feature))
			continue;
		if (ioctl(vm->fd, KVM_CHECK_EXTENSION, features[i].capability) > 0) {
			vm->vcpu_features |= features[i].bits;
		} else if (must) {
			log_err("this VM cannot have %s", features[i].name);
			return -ENODEV;
		}
	}
	return 0;
}

static int enable_protected_vm(struct vm *vm, uint32_t flags, uint64_t argument)
{
	const struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_PROTECTED_VM,
		.flags = flags,
		.args = { argument },
	};
	int err;

	if (!ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return 0;
	err = -errno;
	log_err("KVM_CAP_ARM_PROTECTED_VM: %s", strerror(-err));
	return err;
}

int vm_load_firmware(struct vm *vm, uint64_t address, uint64_t limit)
{
	struct protected_vm_info info = { 0 };
	int err;

	err = enable_protected_vm(vm, KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO, (uintptr_t)&info);
	if (err)
		return err;
	if (!info.firmware_size) {
		log_err("--host-firmware: the host's boot loader left no firmware");
		return -ENOENT;
	}
	if (info.firmware_size > limit) {
		log_err("--host-firmware: firmware of %lu bytes, room for %lu",
			info.firmware_size, limit);
		return -EFBIG;
	}
	return enable_protected_vm(vm, KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA, address);
}

int vm_map_memory(struct vm *vm, const struct guest_memory *memory)
{
	const struct kvm_userspace_memory_region region = {
		.slot = MEMORY_SLOT,
		.guest_phys_addr = memory->base,
		.memory_size = memory->size,
		.userspace_addr = (uintptr_t)memory->host,
	};
	int err;

	if (memory->base + memory->size > 1ULL << vm->ipa_bits) {
		log_err("memory ends at %#lx, beyond the %u address bits of a VM on this host",
			memory->base + memory->size, vm->ipa_bits);
		return -E2BIG;
	}
	vm->memory_size = memory->size;
	if (!ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return 0;
	err = -errno;
	log_err("KVM_SET_USER_MEMORY_REGION: %s", strerror(-err));
	return err;
}

static int set_window(const struct vm *vm, unsigned int number, uint64_t address, void *memory,
		      uint64_t size)
{
	const struct kvm_userspace_memory_region region = {
		.slot = FIRST_WINDOW_SLOT + number,
		.flags = vm->window_flags,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

int vm_map_window(void *vm, unsigned int number, uint64_t address, void *memory, uint64_t size)
{
	return set_window(vm, number, address, memory, size);
}

int vm_unmap_window(void *vm, unsigned int number)
{
	return set_window(vm, number, 0, NULL, 0);
}

static int set_gic_attribute(struct vm *vm, uint32_t group, uint64_t attribute, void *value)
{
	const struct kvm_device_attr attr = {
		.group = group,
		.attr = attribute,
		.addr = (uintptr_t)value,
	};
	int err;

	if (!ioctl(vm->gic_fd, KVM_SET_DEVICE_ATTR, &attr))
		return 0;
	err = -errno;
	log_err("GICv3: attribute %u/%lu: %s", group, attribute, strerror(-err));
	return err;
}

int vm_create_gic(struct vm *vm, unsigned int nr_vcpus)
{
	uint64_t redist = GIC_DIST_BASE - GIC_REDIST_SIZE * nr_vcpus;
	uint32_t nr_interrupts = PRIVATE_INTERRUPTS + NR_SPIS;
	uint64_t dist = GIC_DIST_BASE;
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	int err;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &device)) {
		err = -errno;
		log_err("KVM cannot create a GICv3: %s", strerror(-err));
		return err;
	}
	vm->gic_fd = device.fd;

	err = set_gic_attribute(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	if (!err)
		err = set_gic_attribute(vm, KVM_DEV_ARM_VGIC_GRP_ADDR,
					KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist);
	if (!err)
		err = set_gic_attribute(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_interrupts);
	if (!err)
		err = set_gic_attribute(vm, KVM_DEV_ARM_VGIC_GRP_CTRL,
					KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	return err;
}

void vm_set_irq(void *controller, unsigned int spi, bool level)
{
	struct vm *vm = controller;
	const struct kvm_irq_level irq = {
		.irq = (uint32_t)KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT |
		       (PRIVATE_INTERRUPTS + spi),
		.level = level,
	};

	if (ioctl(vm->fd, KVM_IRQ_LINE, &irq))
		log_warn("interrupt %u: %s", spi, strerror(errno));
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vm_destroy(struct vm *vm)
{
	close_if_open(&vm->gic_fd);
	close_if_open(&vm->fd);
	close_if_open(&vm->kvm_fd);
}
