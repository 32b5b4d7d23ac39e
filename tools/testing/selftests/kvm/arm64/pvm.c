// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bare VMs for the tests of protected KVM: a test creates and kills them, and commands their guest.
 * See pvm.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "processor.h"
#include "pvm.h"

extern const uint8_t pvm_guest_code[], pvm_guest_code_end[];

/**
 * pvm_host_is_protected() - Check whether the host was booted with kvm-arm.mode=protected
 *
 * Any thread.
 *
 * Return: whether the host's command line has it, independently of KVM.
 */
bool pvm_host_is_protected(void)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	return n > 0 && strstr(line, "kvm-arm.mode=protected");
}

/**
 * pvm_create_vm_fd() - Create a VM by KVM_CREATE_VM alone
 * @type: the machine type.
 *
 * Any thread.
 *
 * Return: the VM's descriptor, or a negative errno.
 */
int pvm_create_vm_fd(unsigned long type)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int fd, err;

	if (kvm < 0)
		return -errno;
	fd = ioctl(kvm, KVM_CREATE_VM, type);
	err = -errno;
	close(kvm);
	return fd < 0 ? err : fd;
}

/**
 * pvm_set_slot() - Create, change or delete a memslot by KVM_SET_USER_MEMORY_REGION
 * @vm: the VM.
 * @slot: the slot's number; a test uses PVM_FREE_SLOT and above.
 * @flags: KVM_MEM_*.
 * @ipa: the IPA of its start.
 * @size: its size in bytes; 0 deletes the slot.
 * @memory: the memory behind it.
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_set_slot(struct pvm *vm, unsigned int slot, uint32_t flags, uint64_t ipa, uint64_t size,
		 void *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = ipa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

/**
 * pvm_get_reg() - Read a register of 64 bits by KVM_GET_ONE_REG
 * @vcpu: the vCPU.
 * @id: KVM's id of the register.
 * @value: set to the value; not changed on failure.
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_get_reg(struct pvm_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) ? -errno : 0;
}

/**
 * pvm_set_reg() - Write a register of 64 bits by KVM_SET_ONE_REG
 * @vcpu: the vCPU.
 * @id: KVM's id of the register.
 * @value: the value.
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_set_reg(struct pvm_vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg) ? -errno : 0;
}

static int add_vcpu(struct pvm *vm, const struct pvm_setup *setup)
{
	struct pvm_vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];
	struct kvm_vcpu_init init;
	void *run;

	vcpu->vm = vm;
	vcpu->index = vm->nr_vcpus;
	vcpu->channel = PVM_CHANNEL_IPA + vcpu->index * PVM_CHANNEL_SIZE;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)vcpu->index);
	if (vcpu->fd < 0)
		return -errno;
	vm->nr_vcpus++;

	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	vcpu->run = run;

	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		return -errno;
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2 | setup->features;
	init.features[0] &= ~setup->without;
	if (vcpu->index)
		init.features[0] |= 1U << KVM_ARM_VCPU_POWER_OFF;

	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		return -errno;

	if (setup->features & 1U << KVM_ARM_VCPU_SVE) {
		int what = KVM_ARM_VCPU_SVE;

		if (ioctl(vcpu->fd, KVM_ARM_VCPU_FINALIZE, &what))
			return -errno;
	}

	return 0;
}

static void *map_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t whole_pages(size_t size)
{
	size_t page = getpagesize();

	return (size + page - 1) / page * page;
}

/**
 * pvm_copy_code() - Copy the guest's code to memory
 * @memory: the memory; a vCPU can enter the code at its start.
 * @size: the size of the memory in bytes.
 *
 * Any thread.
 *
 * Return: 0; -ENOSPC if the code is larger than @size.
 */
int pvm_copy_code(void *memory, size_t size)
{
	size_t needed = pvm_guest_code_end - pvm_guest_code;

	if (size < needed)
		return -ENOSPC;
	memcpy(memory, pvm_guest_code, needed);
	__builtin___clear_cache(memory, (char *)memory + needed);
	return 0;
}

static int place_code(struct pvm *vm)
{
	vm->code_size = whole_pages(pvm_guest_code_end - pvm_guest_code);
	vm->code = map_memory(vm->code_size);
	if (!vm->code || pvm_copy_code(vm->code, vm->code_size))
		return -ENOMEM;

	return pvm_set_slot(vm, PVM_CODE_SLOT, 0, PVM_CODE_IPA, vm->code_size, vm->code);
}

static int place_data(struct pvm *vm, size_t size)
{
	vm->data_size = whole_pages(size);
	vm->data = map_memory(vm->data_size);
	if (!vm->data)
		return -ENOMEM;

	return pvm_set_slot(vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, vm->data_size, vm->data);
}

static int set_entry(struct pvm_vcpu *vcpu)
{
	int err = pvm_set_reg(vcpu, ARM64_CORE_REG(regs.pc), PVM_CODE_IPA);

	return err ? err : pvm_set_reg(vcpu, ARM64_CORE_REG(regs.regs[0]), vcpu->channel);
}

/**
 * pvm_create() - Create a VM that takes commands
 * @vm: set to the VM.
 * @type: KVM_CREATE_VM's type.
 * @nr_vcpus: up to PVM_MAX_VCPUS; vCPU 0 starts in the guest's code, the others wait for
 *	      pvm_cpu_on().
 * @data_size: bytes of anonymous memory in slot 1, rounded up to pages; 0 for no slot 1.
 *
 * The code is in slot 0. There is no irqchip. Any thread.
 *
 * Return: 0; or a negative errno, with nothing to free.
 */
int pvm_create(struct pvm *vm, unsigned long type, unsigned int nr_vcpus, size_t data_size)
{
	return pvm_create_features(vm, type, nr_vcpus, data_size, 0);
}

/**
 * pvm_create_features() - Create a VM as pvm_create() does, with more features of the vCPUs
 * @vm: set to the VM.
 * @type: KVM_CREATE_VM's type.
 * @nr_vcpus: as in pvm_create().
 * @data_size: as in pvm_create().
 * @features: bits of KVM_ARM_VCPU_*. With SVE the function finalizes it, too.
 *
 * Any thread.
 *
 * Return: as pvm_create().
 */
int pvm_create_features(struct pvm *vm, unsigned long type, unsigned int nr_vcpus,
			size_t data_size, uint32_t features)
{
	const struct pvm_setup setup = {
		.type = type,
		.nr_vcpus = nr_vcpus,
		.data_size = data_size,
		.features = features,
	};

	return pvm_create_as(vm, &setup);
}

/**
 * pvm_create_as() - Create a VM as pvm_create() does, with all settings that there are
 * @vm: set to the VM.
 * @setup: the settings.
 *
 * Return: as pvm_create(), or the error of @setup's prepare().
 */
int pvm_create_as(struct pvm *vm, const struct pvm_setup *setup)
{
	int err, size;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->type = setup->type;
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return -errno;

	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, setup->type);
	size = vm->fd < 0 ? -1 : ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	err = size < 0 ? -errno : 0;
	vm->run_size = size < 0 ? 0 : size;

	if (!err && setup->prepare)
		err = setup->prepare(vm);
	while (!err && vm->nr_vcpus < setup->nr_vcpus)
		err = add_vcpu(vm, setup);
	if (!err)
		err = place_code(vm);
	if (!err && setup->data_size)
		err = place_data(vm, setup->data_size);
	if (!err && setup->nr_vcpus)
		err = set_entry(&vm->vcpus[0]);
	if (err)
		pvm_free(vm);
	return err;
}

/**
 * pvm_kill() - Kill a VM: close its descriptors and unmap kvm_run
 * @vm: the VM; may be dead already.
 *
 * The memory behind its slots stays mapped. No thread may run a vCPU of the VM.
 */
void pvm_kill(struct pvm *vm)
{
	while (vm->nr_vcpus) {
		struct pvm_vcpu *vcpu = &vm->vcpus[--vm->nr_vcpus];

		if (vcpu->run)
			munmap(vcpu->run, vm->run_size);
		vcpu->run = NULL;
		close(vcpu->fd);
	}
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	vm->fd = -1;
	vm->kvm_fd = -1;
}

/**
 * pvm_free() - Kill a VM and unmap the memory behind slots 0 and 1
 * @vm: the VM; may be dead already.
 *
 * No thread may run a vCPU of the VM.
 */
void pvm_free(struct pvm *vm)
{
	pvm_kill(vm);
	if (vm->code)
		munmap(vm->code, vm->code_size);
	if (vm->data)
		munmap(vm->data, vm->data_size);
	vm->code = NULL;
	vm->data = NULL;
}

static void answer_read(struct pvm_vcpu *vcpu, uint64_t offset)
{
	uint64_t value = vcpu->command;

	if (offset >= PVM_ARG)
		value = vcpu->args[(offset - PVM_ARG) / 8];
	memcpy(vcpu->run->mmio.data, &value, sizeof(value));
}

/* Take a write to the channel. Return 0 or -EIO if it ends the command, else -EAGAIN. */
static int take_write(struct pvm_vcpu *vcpu, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, vcpu->run->mmio.data, sizeof(value));
	switch (offset) {
	case PVM_RESULT ... PVM_RESULT + 24:
		vcpu->results[(offset - PVM_RESULT) / 8] = value;
		return -EAGAIN;
	case PVM_DONE:
		return 0;
	case PVM_EXC_ESR:
		vcpu->exception.esr = value;
		return -EAGAIN;
	case PVM_EXC_FAR:
		vcpu->exception.far = value;
		return -EAGAIN;
	case PVM_EXC_ELR:
		vcpu->exception.elr = value;
		return -EIO;
	default:
		return -EPROTO;
	}
}

static int handle_mmio(struct pvm_vcpu *vcpu)
{
	uint64_t offset = vcpu->run->mmio.phys_addr - vcpu->channel;
	bool write = vcpu->run->mmio.is_write;

	if (vcpu->run->mmio.phys_addr - vcpu->vm->zero_ipa < vcpu->vm->zero_size) {
		if (!write)
			memset(vcpu->run->mmio.data, 0, sizeof(vcpu->run->mmio.data));
		return -EAGAIN;
	}

	if (vcpu->run->mmio.len != 8 || offset > PVM_EXC_ELR || offset % 8 ||
	    (!write && offset >= PVM_RESULT)) {
		printf("# vCPU %u: unexpected %s of %u bytes at %#llx\n", vcpu->index,
		       write ? "write" : "read", vcpu->run->mmio.len,
		       vcpu->run->mmio.phys_addr);
		return -EPROTO;
	}

	if (write)
		return take_write(vcpu, offset);
	answer_read(vcpu, offset);
	return -EAGAIN;
}

/**
 * pvm_run() - Run a vCPU until its command is done
 * @vcpu: the vCPU.
 *
 * After an error of KVM_RUN another call continues the same command. One thread at a time may run a
 * vCPU.
 *
 * Return: 0; -EIO if the guest took an exception, which ends the command; -ESHUTDOWN if the VM
 * turned itself off or reset itself; -EPROTO after an unexpected exit; or the negative errno of
 * KVM_RUN.
 */
int pvm_run(struct pvm_vcpu *vcpu)
{
	int ret = -EAGAIN;

	while (ret == -EAGAIN) {
		if (ioctl(vcpu->fd, KVM_RUN, NULL)) {
			ret = -errno;
			/* The exit reason shows whether EL2 refused the run, or the host before. */
			if (ret == -EINVAL)
				printf("# vCPU %u: KVM_RUN: EINVAL, exit reason %u\n",
				       vcpu->index, vcpu->run->exit_reason);
			continue;
		}

		switch (vcpu->run->exit_reason) {
		case KVM_EXIT_MMIO:
			ret = handle_mmio(vcpu);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			vcpu->event = vcpu->run->system_event.type;
			ret = -ESHUTDOWN;
			break;
		default:
			printf("# vCPU %u: unexpected exit %u\n", vcpu->index,
			       vcpu->run->exit_reason);
			ret = -EPROTO;
		}
	}
	return ret;
}

/**
 * pvm_command() - Run a vCPU until it has done a new command
 * @vcpu: the vCPU.
 * @command: PVM_HVC and so on; see pvm_channel.h, also for the arguments.
 * @arg0: argument 0.
 * @arg1: argument 1.
 * @arg2: argument 2.
 * @arg3: argument 3.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_run(). The results are in @vcpu->results.
 */
int pvm_command(struct pvm_vcpu *vcpu, uint64_t command, uint64_t arg0, uint64_t arg1,
		uint64_t arg2, uint64_t arg3)
{
	vcpu->command = command;
	vcpu->args[0] = arg0;
	vcpu->args[1] = arg1;
	vcpu->args[2] = arg2;
	vcpu->args[3] = arg3;

	return pvm_run(vcpu);
}

/**
 * pvm_command_to_end() - Do a command as pvm_command() does, through interruptions
 * @vcpu: the vCPU.
 * @command: PVM_HVC and so on.
 * @arg0: argument 0.
 * @arg1: argument 1.
 * @arg2: argument 2.
 * @arg3: argument 3.
 *
 * Signals and task work of io_uring interrupt KVM_RUN. One thread at a time may run a vCPU.
 *
 * Return: as pvm_run(), but never -EINTR.
 */
int pvm_command_to_end(struct pvm_vcpu *vcpu, uint64_t command, uint64_t arg0, uint64_t arg1,
		       uint64_t arg2, uint64_t arg3)
{
	int err = pvm_command(vcpu, command, arg0, arg1, arg2, arg3);

	while (err == -EINTR)
		err = pvm_run(vcpu);
	return err;
}

/**
 * pvm_load() - Have the guest read 64 bits of its memory
 * @vcpu: the vCPU that reads.
 * @ipa: the IPA, a multiple of eight.
 * @value: set to the value.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_run().
 */
int pvm_load(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t *value)
{
	int err = pvm_command(vcpu, PVM_LOAD, ipa, 0, 0, 0);

	*value = vcpu->results[0];
	return err;
}

/**
 * pvm_store() - Have the guest write 64 bits of its memory
 * @vcpu: the vCPU that writes.
 * @ipa: the IPA, a multiple of eight.
 * @value: the value.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_run().
 */
int pvm_store(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t value)
{
	return pvm_command(vcpu, PVM_STORE, ipa, value, 0, 0);
}

/**
 * pvm_insn() - Have the guest execute one instruction
 * @vcpu: the vCPU.
 * @code: the encoding of the instruction, which uses no general register but x0..x3.
 * @x0: x0 before the instruction.
 * @x1: x1.
 * @x2: x2.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_run(). @vcpu->results has x0..x3 after the instruction.
 */
int pvm_insn(struct pvm_vcpu *vcpu, uint32_t code, uint64_t x0, uint64_t x1, uint64_t x2)
{
	return pvm_command(vcpu, PVM_INSN, code, x0, x1, x2);
}

/**
 * pvm_hvc() - Have the guest make a hypercall
 * @vcpu: the vCPU that makes it.
 * @function: x0.
 * @x1: x1.
 * @x2: x2.
 * @x3: x3.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: x0 after the call, with x0..x3 in @vcpu->results; PVM_HVC_LOST if KVM_RUN failed before
 * the call returned.
 */
int64_t pvm_hvc(struct pvm_vcpu *vcpu, uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
	int err = pvm_command(vcpu, PVM_HVC, function, x1, x2, x3);

	if (err) {
		printf("# vCPU %u: hypercall %#x: %s\n", vcpu->index, function, strerror(-err));
		return PVM_HVC_LOST;
	}
	return vcpu->results[0];
}

/**
 * pvm_share() - Have the guest share one granule by MEM_SHARE
 * @vcpu: the vCPU that makes the call.
 * @ipa: the IPA of the granule.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_hvc().
 */
int64_t pvm_share(struct pvm_vcpu *vcpu, uint64_t ipa)
{
	return pvm_hvc(vcpu, HVC_MEM_SHARE, ipa, 0, 0);
}

/**
 * pvm_unshare() - Have the guest unshare one granule by MEM_UNSHARE
 * @vcpu: the vCPU that makes the call.
 * @ipa: the IPA of the granule.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_hvc().
 */
int64_t pvm_unshare(struct pvm_vcpu *vcpu, uint64_t ipa)
{
	return pvm_hvc(vcpu, HVC_MEM_UNSHARE, ipa, 0, 0);
}

/**
 * pvm_relinquish() - Have the guest return one granule to the host by MEM_RELINQUISH
 * @vcpu: the vCPU that makes the call.
 * @ipa: the IPA of the granule.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_hvc().
 */
int64_t pvm_relinquish(struct pvm_vcpu *vcpu, uint64_t ipa)
{
	return pvm_hvc(vcpu, HVC_MEM_RELINQUISH, ipa, 0, 0);
}

/**
 * pvm_range() - Have the guest repeat a call until all of a range is done
 * @vcpu: the vCPU that makes the calls.
 * @function: HVC_MEM_SHARE, HVC_MEM_UNSHARE, HVC_RGUARD_MAP or HVC_RGUARD_UNMAP.
 * @ipa: the IPA of the range's start.
 * @granules: the length of the range in granules.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: the number of calls; -1 if EL2 refused one, or reported an impossible number.
 */
int64_t pvm_range(struct pvm_vcpu *vcpu, uint32_t function, uint64_t ipa, uint64_t granules)
{
	int64_t calls = 0;

	while (granules) {
		uint64_t done;

		if (pvm_hvc(vcpu, function, ipa, granules, 0) != HVC_SUCCESS)
			return -1;
		done = vcpu->results[1];
		if (!done || done > granules)
			return -1;
		ipa += done * getpagesize();
		granules -= done;
		calls++;
	}
	return calls;
}

/**
 * pvm_enroll() - Enroll the guest by MMIO_GUARD_ENROLL, with guards on the channels
 * @vm: the VM; its vCPU 0 makes the calls.
 *
 * An enrolled guest can only use its channel with a guard on it. One thread at a time may run a
 * vCPU.
 *
 * Return: HVC_SUCCESS, or the result of the first call that failed, as pvm_hvc().
 */
int64_t pvm_enroll(struct pvm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		int64_t ret = pvm_hvc(&vm->vcpus[0], HVC_GUARD_MAP,
				      vm->vcpus[i].channel & -(uint64_t)getpagesize(), 0, 0);

		if (ret)
			return ret;
	}
	return pvm_hvc(&vm->vcpus[0], HVC_GUARD_ENROLL, 0, 0, 0);
}

/**
 * pvm_cpu_on() - Have vCPU 0 start another vCPU in the guest's code
 * @vm: the VM.
 * @index: the number of the other vCPU, which takes commands from then on.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: 0; -EPERM if PSCI refused.
 */
int pvm_cpu_on(struct pvm *vm, unsigned int index)
{
	/* Without an irqchip, MPIDR_EL1.Aff0 is the index. */
	int64_t ret = pvm_hvc(&vm->vcpus[0], HVC_PSCI_CPU_ON, index, PVM_CODE_IPA,
			      vm->vcpus[index].channel);

	return ret ? -EPERM : 0;
}
