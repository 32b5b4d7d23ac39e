// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entropy for protected guests, by the TRNG calls of Arm DEN0098. EL2 takes it from a source that
 * the host can neither see nor set: the CPU's RNDRRS, or else the TRNG calls of the secure
 * firmware. Without a source the calls return NOT_SUPPORTED.
 *
 * R6: a call reads at most three words, and each of them is tried a bounded number of times.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>

#include <asm/archrandom.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/guest_smccc.h>
#include <nvhe/guest_trng.h>

#define TRNG_VERSION_1_0	0x10000
#define TRNG_MAX_BITS64		192
#define TRNG_MAX_BITS32		96

#define TRNG_RET_INVALID	-2
#define TRNG_RET_NO_ENTROPY	-3

/* RNDRRS may have to wait for its generator to be seeded again. */
#define RNDRRS_TRIES		64

/* The UUID of this implementation: a8278acf-bf49-4feb-8a0b-18fc70c9ad1c. */
#define TRNG_UUID_0		0xcf8a27a8
#define TRNG_UUID_1		0xeb4f49bf
#define TRNG_UUID_2		0xfc180b8a
#define TRNG_UUID_3		0x1cadc970

enum trng_source {
	TRNG_UNKNOWN,
	TRNG_NONE,
	TRNG_RNDRRS,
	TRNG_FIRMWARE,
};

/* Found out at the first call. CPUs may do that at the same time, with the same result. */
static enum trng_source trng_source;

static bool firmware_has_trng(void)
{
	struct arm_smccc_res res;

	/* Without SMCCC 1.1 there may be no firmware that answers an SMC. */
	if (kvm_host_psci_config.smccc_version < ARM_SMCCC_VERSION_1_1)
		return false;

	arm_smccc_1_1_smc(ARM_SMCCC_TRNG_VERSION, &res);
	if ((s32)res.a0 < TRNG_VERSION_1_0)
		return false;

	arm_smccc_1_1_smc(ARM_SMCCC_TRNG_FEATURES, ARM_SMCCC_TRNG_RND64, &res);

	return (s32)res.a0 >= 0;
}

static enum trng_source find_source(void)
{
	enum trng_source source = READ_ONCE(trng_source);

	if (source != TRNG_UNKNOWN)
		return source;

	if (pkvm_cpu_id_reg(SYS_ID_AA64ISAR0_EL1) & ID_AA64ISAR0_EL1_RNDR_MASK)
		source = TRNG_RNDRRS;
	else
		source = firmware_has_trng() ? TRNG_FIRMWARE : TRNG_NONE;
	WRITE_ONCE(trng_source, source);

	return source;
}

/* Fill @words with @bits random bits, from @words[0] on. All other bits are 0. */
static bool fill(enum trng_source source, u64 *words, unsigned int bits)
{
	unsigned int i, try, nr = DIV_ROUND_UP(bits, 64);
	struct arm_smccc_res res;
	unsigned long word;

	if (source == TRNG_FIRMWARE) {
		arm_smccc_1_1_smc(ARM_SMCCC_TRNG_RND64, bits, &res);
		if (res.a0)
			return false;
		words[0] = res.a3;
		words[1] = res.a2;
		words[2] = res.a1;
	} else {
		for (i = 0; i < nr; i++) {
			for (try = 0; !__arm64_rndrrs(&word); try++) {
				if (try == RNDRRS_TRIES)
					return false;
			}
			words[i] = word;
		}
	}

	for (i = 0; i < 3; i++) {
		if (i >= nr)
			words[i] = 0;
		else if (i == nr - 1 && bits % 64)
			words[i] &= GENMASK_ULL(bits % 64 - 1, 0);
	}

	return true;
}

static void trng_rnd(struct kvm_vcpu *vcpu, enum trng_source source, unsigned int word_bits)
{
	u64 max = word_bits == 64 ? TRNG_MAX_BITS64 : TRNG_MAX_BITS32;
	u64 bits = vcpu_get_reg(vcpu, 1), words[3] = {};

	if (word_bits == 32)
		bits = lower_32_bits(bits);

	if (!bits || bits > max)
		pvm_smccc_return(vcpu, TRNG_RET_INVALID);
	else if (!fill(source, words, bits))
		pvm_smccc_return(vcpu, TRNG_RET_NO_ENTROPY);
	else if (word_bits == 64)
		pvm_set_result(vcpu, SMCCC_RET_SUCCESS, words[2], words[1], words[0]);
	else
		pvm_set_result(vcpu, SMCCC_RET_SUCCESS, lower_32_bits(words[1]),
			       upper_32_bits(words[0]), lower_32_bits(words[0]));

	memzero_explicit(words, sizeof(words));
}

static s64 trng_feature(u32 func_id)
{
	switch (func_id) {
	case ARM_SMCCC_TRNG_VERSION:
	case ARM_SMCCC_TRNG_FEATURES:
	case ARM_SMCCC_TRNG_GET_UUID:
	case ARM_SMCCC_TRNG_RND32:
	case ARM_SMCCC_TRNG_RND64:
		return SMCCC_RET_SUCCESS;
	default:
		return SMCCC_RET_NOT_SUPPORTED;
	}
}

/**
 * pvm_handle_trng() - Answer a TRNG call of a protected guest
 * @vcpu: the vCPU, loaded, which has just exited.
 * @func_id: the function.
 *
 * Without a source of entropy all of these calls return NOT_SUPPORTED.
 *
 * Return: true if it was a TRNG call, which has been answered.
 */
bool pvm_handle_trng(struct kvm_vcpu *vcpu, u32 func_id)
{
	enum trng_source source;

	if (trng_feature(func_id) != SMCCC_RET_SUCCESS)
		return false;

	source = find_source();
	if (source == TRNG_NONE)
		return pvm_smccc_return(vcpu, SMCCC_RET_NOT_SUPPORTED);

	switch (func_id) {
	case ARM_SMCCC_TRNG_VERSION:
		pvm_smccc_return(vcpu, TRNG_VERSION_1_0);
		break;
	case ARM_SMCCC_TRNG_FEATURES:
		pvm_smccc_return(vcpu, trng_feature(vcpu_get_reg(vcpu, 1)));
		break;
	case ARM_SMCCC_TRNG_GET_UUID:
		pvm_set_result(vcpu, TRNG_UUID_0, TRNG_UUID_1, TRNG_UUID_2, TRNG_UUID_3);
		break;
	case ARM_SMCCC_TRNG_RND32:
		trng_rnd(vcpu, source, 32);
		break;
	default:
		trng_rnd(vcpu, source, 64);
		break;
	}

	return true;
}
