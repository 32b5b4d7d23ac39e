// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the command line changes of a hypervisor that is built with CONFIG_NVHE_EL2_DEBUG,
 * for tests: see nvhe/debug_call.c.
 */

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/sizes.h>

#include <asm/kvm_pkvm_debug.h>

/* Before memory is reserved for the hypervisor. */
static int __init early_private_mib(char *arg)
{
	unsigned int mib;

	if (!arg || kstrtouint(arg, 0, &mib) || mib > SZ_1G / SZ_1M)
		return -EINVAL;

	pkvm_hyp_private_size = (unsigned long)mib * SZ_1M;

	return 0;
}
early_param("kvm-arm.hyp_private_mib", early_private_mib);

static int __init early_ghost(char *arg)
{
	return kstrtobool(arg, &pkvm_hyp_ghost);
}
early_param("kvm-arm.hyp_ghost", early_ghost);

static int __init early_pgtable_check(char *arg)
{
	return kstrtobool(arg, &pkvm_hyp_pgtable_check);
}
early_param("kvm-arm.hyp_pgtable_check", early_pgtable_check);
