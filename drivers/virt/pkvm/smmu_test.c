// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host uses an SMMUv3 that the hypervisor drives: it accesses any register, and writes
 * any command and any stream table entry, from two CPUs at once. Keeps R5 (nothing that the host
 * does to the SMMU panics EL2 or stops the SMMU) and R9 (a device of the host cannot access the
 * hypervisor's memory). The device is QEMU's edu, which copies memory by DMA.
 *
 * After each case the test restores the registers as the host's driver has set them.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/pci.h>
#include <linux/prandom.h>

#include <asm/kvm_pkvm_smmu.h>

#include "arm-smmu-v3.h"

#define PAGE1		SZ_64K
#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_BUFFER	0x40000
#define EDU_START	1
#define EDU_TO_MEMORY	2

#define PATTERN		0xd0d0d0d0d0d0d0d0ULL
#define COMMANDS	20000
/* Each time the SMMU is switched on, the hypervisor reads all of the stream table. */
#define ROUNDS		16
#define QUEUE_SHIFT	(PAGE_SHIFT - CMDQ_ENT_SZ_SHIFT)

static unsigned long seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random sequences");

/* Registers that the host's driver has set, in the order in which the test restores them. */
static const u32 saved_regs32[] = {
	ARM_SMMU_CR1, ARM_SMMU_CR2, ARM_SMMU_STRTAB_BASE_CFG, ARM_SMMU_CMDQ_PROD,
	ARM_SMMU_CMDQ_CONS, PAGE1 + ARM_SMMU_EVTQ_PROD, PAGE1 + ARM_SMMU_EVTQ_CONS,
	ARM_SMMU_IRQ_CTRL,
};

static const u32 saved_regs64[] = {
	ARM_SMMU_STRTAB_BASE, ARM_SMMU_CMDQ_BASE, ARM_SMMU_EVTQ_BASE,
};

/**
 * struct smmu_case - The SMMU, the device and the memory of a test case.
 * @regs:	The SMMU's registers, accesses to which trap.
 * @phys:	Their physical address.
 * @edu:	The device that copies.
 * @bar:	The registers of the device.
 * @pages:	Pages for data that the device copies, for a command queue and for a stream table.
 * @cr0:	The driver's value of CR0.
 * @regs32:	The driver's values of saved_regs32.
 * @regs64:	The driver's values of saved_regs64.
 */
struct smmu_case {
	void __iomem *regs;
	phys_addr_t phys;
	struct pci_dev *edu;
	void __iomem *bar;
	u64 *pages;
	u32 cr0;
	u32 regs32[ARRAY_SIZE(saved_regs32)];
	u64 regs64[ARRAY_SIZE(saved_regs64)];
};

#define PAGES_ORDER	2

static void save(struct smmu_case *smmu)
{
	unsigned int i;

	smmu->cr0 = readl(smmu->regs + ARM_SMMU_CR0);
	for (i = 0; i < ARRAY_SIZE(saved_regs32); i++)
		smmu->regs32[i] = readl(smmu->regs + saved_regs32[i]);
	for (i = 0; i < ARRAY_SIZE(saved_regs64); i++)
		smmu->regs64[i] = readq(smmu->regs + saved_regs64[i]);
}

static void restore(struct smmu_case *smmu)
{
	unsigned int i;

	writel(0, smmu->regs + ARM_SMMU_CR0);
	writel(readl(smmu->regs + ARM_SMMU_GERROR), smmu->regs + ARM_SMMU_GERRORN);
	for (i = 0; i < ARRAY_SIZE(saved_regs64); i++)
		writeq(smmu->regs64[i], smmu->regs + saved_regs64[i]);
	for (i = 0; i < ARRAY_SIZE(saved_regs32); i++)
		writel(smmu->regs32[i], smmu->regs + saved_regs32[i]);
	writel(smmu->cr0 & ~CR0_SMMUEN, smmu->regs + ARM_SMMU_CR0);
	writel(smmu->cr0, smmu->regs + ARM_SMMU_CR0);
}

static void dma(struct smmu_case *smmu, u64 src, u64 dst, u32 command)
{
	unsigned int i;

	writeq(src, smmu->bar + EDU_SRC);
	writeq(dst, smmu->bar + EDU_DST);
	writeq(sizeof(u64), smmu->bar + EDU_COUNT);
	writeq(command | EDU_START, smmu->bar + EDU_COMMAND);
	for (i = 0; i < 100 && readq(smmu->bar + EDU_COMMAND) & EDU_START; i++)
		msleep(20);
}

/* Have the device read a physical address. Return the value, or 0 if it cannot read there. */
static u64 dma_read(struct smmu_case *smmu, u64 phys)
{
	u64 *to = smmu->pages;

	WRITE_ONCE(*to, 0);
	dma(smmu, virt_to_phys(to), EDU_BUFFER, 0);
	dma(smmu, phys, EDU_BUFFER, 0);
	dma(smmu, EDU_BUFFER, virt_to_phys(to), EDU_TO_MEMORY);

	return READ_ONCE(*to);
}

/*
 * Expect that the device can access the host's memory, but neither the SMMU's registers nor the
 * hypervisor's stream table, whose entries in use are not zero.
 */
static void expect_isolated(struct kunit *test)
{
	struct smmu_case *smmu = test->priv;
	u64 *to = smmu->pages;

	KUNIT_EXPECT_EQ(test, dma_read(smmu, pkvm_smmu_memory()), 0);
	KUNIT_EXPECT_EQ(test, dma_read(smmu, smmu->phys), 0);

	/* It can read the host's memory, so the device works. */
	WRITE_ONCE(to[1], PATTERN);
	KUNIT_EXPECT_EQ(test, dma_read(smmu, virt_to_phys(&to[1])), PATTERN);
}

/* Expect that the hypervisor has not given up the SMMU, which it reports as a service failure. */
static void expect_alive(struct kunit *test)
{
	struct smmu_case *smmu = test->priv;
	u32 gerror = readl(smmu->regs + ARM_SMMU_GERROR);

	KUNIT_EXPECT_EQ(test, (gerror ^ readl(smmu->regs + ARM_SMMU_GERRORN)) & GERROR_SFM_ERR, 0);
}

/* Get an address for a base register: of the host, of the hypervisor, or without memory. */
static u64 some_address(struct smmu_case *smmu, struct rnd_state *rnd)
{
	switch (prandom_u32_state(rnd) % 5) {
	case 0:
		return pkvm_smmu_memory() + (prandom_u32_state(rnd) & 0xfc0);
	case 1:
		return smmu->phys;
	case 2:
		return 0;
	case 3:
		return GENMASK_ULL(51, PAGE_SHIFT);
	default:
		return virt_to_phys(smmu->pages) +
		       (prandom_u32_state(rnd) & ((PAGE_SIZE << PAGES_ORDER) - SZ_4K));
	}
}

static void write_anything(struct smmu_case *smmu, struct rnd_state *rnd)
{
	u32 off = prandom_u32_state(rnd) % PKVM_SMMU_MMIO_SIZE & ~3;
	u64 base = some_address(smmu, rnd) | (prandom_u32_state(rnd) & 0x1f) | Q_BASE_RWA;

	/* Half of the accesses are to the first 256 bytes, where most registers are. */
	if (prandom_u32_state(rnd) & 1)
		off %= 0x100;

	if (prandom_u32_state(rnd) & 1)
		readl(smmu->regs + off);
	else if (saved_regs64[prandom_u32_state(rnd) % 3] == off)
		writeq(base, smmu->regs + off);
	else if (off < ARM_SMMU_EVTQ_BASE || off > ARM_SMMU_EVTQ_BASE + 4)
		writel(prandom_u32_state(rnd), smmu->regs + off);

	if (!(prandom_u32_state(rnd) % 64))
		readq(smmu->regs + (off & ~7));
}

static void registers(struct kunit *test)
{
	struct smmu_case *smmu = test->priv;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, seed);
	for (i = 0; i < PKVM_SMMU_MMIO_SIZE; i += sizeof(u32))
		readl(smmu->regs + i);
	for (i = 0; i < COMMANDS; i++)
		write_anything(smmu, &rnd);

	restore(smmu);
	expect_alive(test);
	expect_isolated(test);
}

/* Fill the queue with random commands, most of them with a valid opcode. */
static void fill_queue(struct smmu_case *smmu, struct rnd_state *rnd)
{
	static const u8 ops[] = {
		CMDQ_OP_PREFETCH_CFG, CMDQ_OP_CFGI_STE, CMDQ_OP_CFGI_ALL, CMDQ_OP_CFGI_CD,
		CMDQ_OP_CFGI_CD_ALL, CMDQ_OP_TLBI_NH_ASID, CMDQ_OP_TLBI_NH_VA,
		CMDQ_OP_TLBI_NSNH_ALL, CMDQ_OP_CMD_SYNC, CMDQ_OP_TLBI_S12_VMALL,
		CMDQ_OP_TLBI_S2_IPA, CMDQ_OP_TLBI_EL2_ALL, CMDQ_OP_ATC_INV, CMDQ_OP_RESUME, 0xff,
	};
	u64 *queue = smmu->pages + PAGE_SIZE / sizeof(u64);
	unsigned int i;

	for (i = 0; i < 1 << QUEUE_SHIFT; i++) {
		u64 cmd = (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);

		cmd = (cmd & ~CMDQ_0_OP) | ops[prandom_u32_state(rnd) % ARRAY_SIZE(ops)];
		/* For half of the commands, a stream ID that exists. */
		if (prandom_u32_state(rnd) & 1)
			cmd &= ~GENMASK_ULL(63, 40);
		WRITE_ONCE(queue[2 * i], cmd);
		WRITE_ONCE(queue[2 * i + 1], (u64)prandom_u32_state(rnd) << 32 |
					     prandom_u32_state(rnd));
	}
}

static void fill_stream_table(struct smmu_case *smmu, struct rnd_state *rnd)
{
	u64 *table = smmu->pages + 2 * PAGE_SIZE / sizeof(u64);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		WRITE_ONCE(table[i], (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd));
}

static void run_commands(struct smmu_case *smmu, struct rnd_state *rnd, bool move)
{
	u64 queue = virt_to_phys(smmu->pages) + PAGE_SIZE;
	unsigned int i;

	fill_queue(smmu, rnd);
	fill_stream_table(smmu, rnd);
	writel(0, smmu->regs + ARM_SMMU_CR0);
	writeq(move ? some_address(smmu, rnd) | QUEUE_SHIFT : queue | QUEUE_SHIFT,
	       smmu->regs + ARM_SMMU_CMDQ_BASE);
	writel(0, smmu->regs + ARM_SMMU_CMDQ_PROD);
	writel(0, smmu->regs + ARM_SMMU_CMDQ_CONS);
	writeq(virt_to_phys(smmu->pages) + 2 * PAGE_SIZE, smmu->regs + ARM_SMMU_STRTAB_BASE);
	writel(prandom_u32_state(rnd) & (STRTAB_BASE_CFG_FMT | STRTAB_BASE_CFG_SPLIT |
					 STRTAB_BASE_CFG_LOG2SIZE),
	       smmu->regs + ARM_SMMU_STRTAB_BASE_CFG);
	writel(CR0_CMDQEN | CR0_SMMUEN, smmu->regs + ARM_SMMU_CR0);

	for (i = 0; i < 1 << QUEUE_SHIFT; i++) {
		u32 err;

		writel(i + 1, smmu->regs + ARM_SMMU_CMDQ_PROD);
		err = FIELD_GET(CMDQ_CONS_ERR, readl(smmu->regs + ARM_SMMU_CMDQ_CONS));
		if (!err)
			continue;

		/* Acknowledge the error, and continue behind the refused command. */
		writel(CR0_SMMUEN, smmu->regs + ARM_SMMU_CR0);
		writel(readl(smmu->regs + ARM_SMMU_GERROR), smmu->regs + ARM_SMMU_GERRORN);
		writel(i + 1, smmu->regs + ARM_SMMU_CMDQ_CONS);
		writel(CR0_CMDQEN | CR0_SMMUEN, smmu->regs + ARM_SMMU_CR0);
	}
}

static void commands(struct kunit *test)
{
	struct smmu_case *smmu = test->priv;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, seed);
	for (i = 0; i < ROUNDS; i++)
		run_commands(smmu, &rnd, i & 1);

	restore(smmu);
	expect_alive(test);
	expect_isolated(test);
}

/* An illegal command stops the host's queue with the error that an SMMU would report. */
static void illegal_command(struct kunit *test)
{
	struct smmu_case *smmu = test->priv;
	u64 *queue = smmu->pages + PAGE_SIZE / sizeof(u64);
	u32 cons;

	writel(0, smmu->regs + ARM_SMMU_CR0);
	queue[0] = CMDQ_OP_CMD_SYNC;
	queue[2] = CMDQ_OP_TLBI_S12_VMALL;
	writeq(virt_to_phys(queue) | QUEUE_SHIFT, smmu->regs + ARM_SMMU_CMDQ_BASE);
	writel(0, smmu->regs + ARM_SMMU_CMDQ_CONS);
	writel(0, smmu->regs + ARM_SMMU_CMDQ_PROD);
	writel(CR0_CMDQEN, smmu->regs + ARM_SMMU_CR0);
	writel(2, smmu->regs + ARM_SMMU_CMDQ_PROD);

	cons = readl(smmu->regs + ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, cons & GENMASK(19, 0), 1);
	KUNIT_EXPECT_EQ(test, FIELD_GET(CMDQ_CONS_ERR, cons), CMDQ_ERR_CERROR_ILL_IDX);
	KUNIT_EXPECT_EQ(test, (readl(smmu->regs + ARM_SMMU_GERROR) ^
			       readl(smmu->regs + ARM_SMMU_GERRORN)) & GERROR_CMDQ_ERR, 1);

	/* A queue in the hypervisor's memory stops with an error, too: an external abort. */
	restore(smmu);
	writel(0, smmu->regs + ARM_SMMU_CR0);
	writeq(pkvm_smmu_memory() | QUEUE_SHIFT, smmu->regs + ARM_SMMU_CMDQ_BASE);
	writel(0, smmu->regs + ARM_SMMU_CMDQ_CONS);
	writel(0, smmu->regs + ARM_SMMU_CMDQ_PROD);
	writel(CR0_CMDQEN, smmu->regs + ARM_SMMU_CR0);
	writel(1, smmu->regs + ARM_SMMU_CMDQ_PROD);
	KUNIT_EXPECT_EQ(test, FIELD_GET(CMDQ_CONS_ERR, readl(smmu->regs + ARM_SMMU_CMDQ_CONS)),
			CMDQ_ERR_CERROR_ABT_IDX);

	restore(smmu);
	expect_alive(test);
	expect_isolated(test);
}

static int attack(void *arg)
{
	struct smmu_case *smmu = arg;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed + 1);
	while (!kthread_should_stop()) {
		write_anything(smmu, &rnd);
		usleep_range(10, 20);
	}

	return 0;
}

static void two_cpus(struct kunit *test)
{
	struct smmu_case *smmu = test->priv;
	struct task_struct *other;
	struct rnd_state rnd;
	unsigned int i;

	other = kthread_run(attack, smmu, "smmu-attack");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < ROUNDS; i++)
		run_commands(smmu, &rnd, i & 1);
	kthread_stop(other);

	restore(smmu);
	expect_alive(test);
	expect_isolated(test);
}

static void unchanged_driver_state(struct kunit *test)
{
	expect_alive(test);
	expect_isolated(test);
}

static int smmu_case_init(struct kunit *test)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, "arm,smmu-v3");
	struct smmu_case *smmu;
	struct resource res;
	int ret;

	if (!np || !pkvm_smmu_memory()) {
		of_node_put(np);
		kunit_skip(test, "no SMMU that the hypervisor drives");
	}

	smmu = kunit_kzalloc(test, sizeof(*smmu), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, smmu);
	ret = of_address_to_resource(np, 0, &res);
	of_node_put(np);
	KUNIT_ASSERT_EQ(test, ret, 0);

	smmu->phys = res.start;
	smmu->regs = ioremap(res.start, PKVM_SMMU_MMIO_SIZE);
	smmu->pages = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, PAGES_ORDER);
	smmu->edu = pci_get_device(EDU_VENDOR, EDU_DEVICE, NULL);
	KUNIT_ASSERT_TRUE(test, smmu->regs);
	KUNIT_ASSERT_NOT_NULL(test, smmu->pages);
	KUNIT_ASSERT_NOT_NULL_MSG(test, smmu->edu, "no edu device");
	KUNIT_ASSERT_EQ(test, pci_enable_device(smmu->edu), 0);
	pci_set_master(smmu->edu);
	smmu->bar = pci_iomap(smmu->edu, 0, 0);
	KUNIT_ASSERT_TRUE(test, smmu->bar);
	save(smmu);
	test->priv = smmu;

	return 0;
}

static void smmu_case_exit(struct kunit *test)
{
	struct smmu_case *smmu = test->priv;

	if (!smmu)
		return;

	pci_iounmap(smmu->edu, smmu->bar);
	pci_disable_device(smmu->edu);
	pci_dev_put(smmu->edu);
	iounmap(smmu->regs);
	free_pages((unsigned long)smmu->pages, PAGES_ORDER);
}

static struct kunit_case smmu_cases[] = {
	KUNIT_CASE(unchanged_driver_state),
	KUNIT_CASE(illegal_command),
	KUNIT_CASE(registers),
	KUNIT_CASE(commands),
	KUNIT_CASE(two_cpus),
	{}
};

static struct kunit_suite smmu_suite = {
	.name		= "pkvm_smmu",
	.init		= smmu_case_init,
	.exit		= smmu_case_exit,
	.test_cases	= smmu_cases,
};

kunit_test_suite(smmu_suite);

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_DESCRIPTION("KUnit tests of SMMUs that the protected KVM hypervisor drives");
MODULE_LICENSE("GPL");
