// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs that the host creates late, and firmware calls by SMC.
 *
 * R4: a vCPU can only run if EL2 knows it. Only EL2 answers a protected guest's firmware calls, by
 * HVC and by SMC.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"

FIXTURE(vcpu) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_VARIANT(vcpu) {
	unsigned long type;
};

FIXTURE_VARIANT_ADD(vcpu, protected) { .type = KVM_VM_TYPE_ARM_PROTECTED };
FIXTURE_VARIANT_ADD(vcpu, non_protected) { .type = 0 };

FIXTURE_SETUP(vcpu)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, variant->type, 1, getpagesize()));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(vcpu)
{
	pvm_free(&self->vm);
}

/*
 * KVM registers the vCPUs with EL2 at the first run. A non-protected VM takes another vCPU later
 * and runs it, a protected VM refuses it.
 */
TEST_F(vcpu, created_after_the_first_run)
{
	struct pvm_vcpu *late = &self->vm.vcpus[1];
	struct kvm_vcpu_init init;
	uint64_t value;
	int fd;

	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	fd = ioctl(self->vm.fd, KVM_CREATE_VCPU, 1);
	if (variant->type == KVM_VM_TYPE_ARM_PROTECTED) {
		EXPECT_EQ(-1, fd);
		EXPECT_EQ(EBUSY, errno);
		/* The first vCPU still runs. */
		EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
		return;
	}

	ASSERT_LE(0, fd);
	*late = (struct pvm_vcpu) {
		.vm = &self->vm,
		.index = 1,
		.channel = PVM_CHANNEL_IPA + PVM_CHANNEL_SIZE,
		.fd = fd,
		.run = mmap(NULL, self->vm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	};
	self->vm.nr_vcpus++;
	ASSERT_NE(MAP_FAILED, late->run);

	/* A vCPU cannot run before KVM_ARM_VCPU_INIT. */
	EXPECT_EQ(-1, ioctl(fd, KVM_RUN, 0));
	EXPECT_EQ(ENOEXEC, errno);

	ASSERT_EQ(0, ioctl(self->vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2 | 1U << KVM_ARM_VCPU_POWER_OFF;
	ASSERT_EQ(0, ioctl(fd, KVM_ARM_VCPU_INIT, &init));
	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	ASSERT_EQ(0, pvm_store(late, PVM_DATA_IPA, 0x1a7e));
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(0x1a7e, value);
}

static void ignore(int signal)
{
}

/* KVM_RUN runs a vCPU with any features that KVM_ARM_VCPU_INIT took. */
TEST_F(vcpu, runs_with_init_features)
{
	const uint32_t features[] = {
		0,
		1U << KVM_ARM_VCPU_EL1_32BIT,
		1U << KVM_ARM_VCPU_SVE,
		1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS,
		1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1U << KVM_ARM_VCPU_PTRAUTH_GENERIC,
		1U << KVM_ARM_VCPU_HAS_EL2,
		1U << 8,
		1U << 31,
	};
	const struct sigaction action = { .sa_handler = ignore };
	unsigned int ran = 0;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		struct pvm vm;
		int err = pvm_create_features(&vm, variant->type, 1, getpagesize(), features[i]);

		if (err) {
			EXPECT_TRUE(err == -EINVAL || err == -ENOENT);
			continue;
		}
		if (features[i] & 1U << KVM_ARM_VCPU_EL1_32BIT) {
			/* The guest's code does not support the feature: run it for a while. */
			alarm(2);
			err = pvm_store(&vm.vcpus[0], PVM_DATA_IPA, i) == -EINVAL ? -EINVAL : 0;
			alarm(0);
		} else {
			err = pvm_store(&vm.vcpus[0], PVM_DATA_IPA, i);
		}
		EXPECT_EQ(0, err) {
			TH_LOG("features %#x", features[i]);
		}
		ran++;
		pvm_free(&vm);
	}
	EXPECT_LE(1, ran);
}

/* The conduit is HVC. EL2 answers NOT_SUPPORTED to an SMC, without asking the host. */
TEST_F(vcpu, smc_is_not_supported)
{
	const uint32_t calls[] = {
		HVC_SMCCC_VERSION, ARM_SMCCC_TRNG_VERSION, HVC_PSCI_VERSION, HVC_CALL_UID,
		HVC_FEATURES, HVC_MEM_SHARE, ARM_SMCCC_TRNG_RND64, ~0U,
	};

	if (variant->type != KVM_VM_TYPE_ARM_PROTECTED)
		SKIP(return, "the host answers a non-protected guest");

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		ASSERT_EQ(0, pvm_command(self->vcpu, PVM_SMC, calls[i], PVM_DATA_IPA, 1, 2));
		EXPECT_EQ(HVC_NOT_SUPPORTED, (int64_t)self->vcpu->results[0]);
		for (int j = 1; j < 4; j++)
			EXPECT_EQ(0, self->vcpu->results[j]);
	}
	/* The SMC shared nothing, so this call succeeds. */
	EXPECT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
}

TEST_HARNESS_MAIN
