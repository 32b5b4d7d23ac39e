// SPDX-License-Identifier: GPL-2.0-only
/*
 * The course of the firmware: guard the UART, map the memory, believe the device
 * tree only after a check, share memory with the host, read the whole disk
 * through it and print the digest, check the kernel, take everything back, and
 * enter the kernel, or switch off if there is none.
 *
 * This is the one place that decides to give up: every error ends here, is left
 * in the same order as success, and resets the VM.
 */
#include <string.h>

#include <libfdt.h>

#include "boot.h"
#include "buddy.h"
#include "config.h"
#include "console.h"
#include "counter.h"
#include "devtree.h"
#include "disk.h"
#include "exception.h"
#include "guard.h"
#include "guest.h"
#include "hyp.h"
#include "layout.h"
#include "main.h"
#include "memmap.h"
#include "mmu.h"
#include "pgtable.h"
#include "platform.h"
#include "psci.h"
#include "shared.h"
#include "symbols.h"
#include "uart.h"

/* What the time goes into; each phase ends where the next one starts. */
enum phase {
	PHASE_START,
	PHASE_DEVTREE,
	PHASE_DISK,
	PHASE_VERIFY,
	PHASE_LEAVE,
	PHASE_COUNT,
};

struct firmware {
	struct buddy heap;
	struct pgtable pgtable;
	struct memmap map;
	struct guard guard;
	struct platform platform;
	struct fw_config config;
	struct guest guest;
	struct hyp hyp;
	struct shared_pool pool;
	struct disk disk;
	bool devices_mapped;
	void *tree;
	u64 ticks[PHASE_COUNT + 1];
	u8 heap_tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

static struct firmware firmware;

static const u64 default_uart = UART_DEFAULT_BASE & ~(PAGE_SIZE - 1);

static u64 uart_page(const struct firmware *fw)
{
	return align_down(fw->platform.uart_base, PAGE_SIZE);
}

static enum fw_status init_heap(struct firmware *fw)
{
	uintptr_t start = (uintptr_t)heap_start;
	enum fw_status status;

	status = buddy_init(&fw->heap, FW_SCRATCH_BASE, FW_SCRATCH_SHIFT, fw->heap_tree);
	if (status != FW_OK)
		return status;
	return buddy_add(&fw->heap, start, FW_SCRATCH_BASE + FW_SCRATCH_SIZE - start);
}

/*
 * Everything that is needed before the device tree was read. The pages below the
 * stacks stay unmapped.
 */
static enum fw_status map_self(struct firmware *fw)
{
	const uintptr_t guard = (uintptr_t)stack_guard, exc_guard = (uintptr_t)exc_stack_guard;
	const uintptr_t text = (uintptr_t)text_end, config = (uintptr_t)config_start;
	const uintptr_t heap = (uintptr_t)heap_start;
	const struct {
		u64 start, end;
		enum memmap_kind kind;
		const char *name;
	} ranges[] = {
		{ FW_IMAGE_BASE, text, MEMMAP_TEXT, "firmware image" },
		{ text, config + PAGE_SIZE, MEMMAP_RODATA, "firmware image" },
		{ config + PAGE_SIZE, FW_SCRATCH_BASE, MEMMAP_UNMAPPED, "firmware image" },
		{ FW_SCRATCH_BASE, guard, MEMMAP_DATA, "firmware scratch" },
		{ guard, guard + PAGE_SIZE, MEMMAP_UNMAPPED, "stack guard" },
		{ guard + PAGE_SIZE, exc_guard, MEMMAP_DATA, "firmware scratch" },
		{ exc_guard, exc_guard + PAGE_SIZE, MEMMAP_UNMAPPED, "stack guard" },
		{ exc_guard + PAGE_SIZE, heap, MEMMAP_DATA, "firmware scratch" },
		{ heap, FW_SCRATCH_BASE + FW_SCRATCH_SIZE, MEMMAP_DATA, "firmware heap" },
		{ RAM_BASE, RAM_BASE + FDT_MAX_SIZE, MEMMAP_RODATA, "device tree" },
		{ default_uart, default_uart + PAGE_SIZE, MEMMAP_DEVICE, "UART" },
	};
	enum fw_status status;
	unsigned int i;

	status = pgtable_init(&fw->pgtable, &fw->heap);
	memmap_init(&fw->map, &fw->pgtable);
	for (i = 0; i < ARRAY_SIZE(ranges) && status == FW_OK; i++)
		status = memmap_add(&fw->map, ranges[i].start, ranges[i].end - ranges[i].start,
				    ranges[i].kind, ranges[i].name, NULL);
	if (status == FW_OK)
		status = memmap_set_arena(&fw->map, heap, &fw->heap);
	if (status == FW_OK)
		status = guard_adopt(&fw->guard, &fw->pgtable, default_uart);
	if (status == FW_OK)
		mmu_switch(&fw->pgtable);
	return status;
}

static enum fw_status read_devtree(struct firmware *fw, u64 addr)
{
	const void *fdt = (const void *)addr;
	struct platform *p = &fw->platform;
	enum fw_status status;

	if (addr < RAM_BASE || addr >= RAM_BASE + FDT_MAX_SIZE || !is_aligned(addr, 8ull))
		return pr_error(FW_EFDT_PLACE, "0x%llx", (unsigned long long)addr);
	status = devtree_check(fdt, RAM_BASE + FDT_MAX_SIZE - addr);
	if (status != FW_OK)
		return pr_error(status, NULL);
	status = platform_parse(fdt, p);
	if (status == FW_OK)
		status = platform_memmap(p, !hyp_can_share(&fw->hyp), &fw->map);
	if (status != FW_OK)
		return status;
	mmu_sync();
	fw->devices_mapped = true;
	if (p->uart_base != UART_DEFAULT_BASE)
		uart_init(p->uart_base);
	return p->kernel.size ? guest_parse(fdt, p, &fw->config, &fw->map, &fw->guest) : FW_OK;
}

/* Without a kernel the disk is all that there is to do. */
static enum fw_status read_disk(struct firmware *fw)
{
	enum fw_status status;

	status = shared_init(&fw->pool, &fw->hyp, &fw->heap, fw->platform.swiotlb.base,
			     fw->platform.swiotlb.base ? fw->platform.swiotlb.size : 0);
	if (status == FW_OK && !fw->pool.dynamic)
		status = memmap_set_arena(&fw->map, fw->platform.swiotlb.base, &fw->pool.free);
	if (status != FW_OK)
		return pr_error(status, NULL);
	status = disk_init(&fw->disk, &fw->platform, &fw->pool);
	if (status == FW_ENODISK && fw->platform.kernel.size) {
		pr_info("no disk");
		return FW_OK;
	}
	if (status == FW_ENODISK)
		return pr_error(status, NULL);
	return status == FW_OK ? disk_hash(&fw->disk, &fw->heap, &fw->config) : status;
}

static enum fw_status check_kernel(struct firmware *fw)
{
	enum fw_status status;

	status = boot_check(&fw->platform, &fw->config);
	if (status != FW_OK || !fw->platform.kernel.size)
		return status;
	pr_info("kernel %llu bytes at 0x%llx, initrd %llu bytes: as configured",
		(unsigned long long)fw->platform.kernel.size,
		(unsigned long long)fw->platform.kernel.base,
		(unsigned long long)fw->platform.initrd.size);
	fw->tree = buddy_alloc(&fw->heap, GUEST_TREE_SIZE);
	if (!fw->tree)
		return pr_error(FW_ENOMEM, "device tree of the kernel");
	status = guest_write(&fw->guest, &fw->platform, fw->tree, GUEST_TREE_SIZE);
	return status == FW_OK ? FW_OK : pr_error(status, "device tree of the kernel");
}

static enum fw_status run(struct firmware *fw, u64 fdt)
{
	enum fw_status status;

	status = psci_check();
	if (status == FW_OK)
		status = init_heap(fw);
	if (status == FW_OK)
		status = map_self(fw);
	if (status != FW_OK)
		return pr_error(status, NULL);
	status = config_parse(config_start, CONFIG_MAX_SIZE, &fw->config);
	if (status != FW_OK)
		return pr_error(status, NULL);
	fw->ticks[PHASE_DEVTREE] = counter_read();
	status = read_devtree(fw, fdt);
	fw->ticks[PHASE_DISK] = counter_read();
	if (status == FW_OK)
		status = read_disk(fw);
	fw->ticks[PHASE_VERIFY] = counter_read();
	if (status == FW_OK)
		status = check_kernel(fw);
	return status;
}

static enum fw_status release_device(struct firmware *fw, u64 base, u64 size)
{
	enum fw_status status, removed;

	status = guard_release(&fw->guard, base, size);
	removed = memmap_remove(&fw->map, base);
	mmu_flush();
	return status != FW_OK ? status : removed;
}

static enum fw_status release_pci(struct firmware *fw)
{
	const struct platform *p = &fw->platform;
	enum fw_status ecam, window;

	if (!fw->devices_mapped || !p->has_pci)
		return FW_OK;
	ecam = release_device(fw, p->ecam_base, p->ecam_size);
	window = release_device(fw, p->window_base, p->window_size);
	return ecam != FW_OK ? ecam : window;
}

/* Nothing can be said any more afterwards. */
static enum fw_status release_uart(struct firmware *fw)
{
	enum fw_status own = FW_OK, early;

	if (fw->devices_mapped && uart_page(fw) != default_uart)
		own = release_device(fw, uart_page(fw), PAGE_SIZE);
	early = release_device(fw, default_uart, PAGE_SIZE);
	return own != FW_OK ? own : early;
}

/* Put the kernel's device tree in the place of the host's, in as many pages as it needs. */
static enum fw_status place_tree(struct firmware *fw)
{
	u32 size = fdt_totalsize(fw->tree);
	enum fw_status status;

	status = memmap_remove(&fw->map, RAM_BASE);
	mmu_flush();
	if (status == FW_OK)
		status = memmap_add(&fw->map, RAM_BASE, align_up(size, PAGE_SIZE), MEMMAP_DATA,
				    "device tree", NULL);
	if (status != FW_OK)
		return pr_error(status, "device tree of the kernel");
	mmu_sync();
	memcpy((void *)RAM_BASE, fw->tree, size);
	return FW_OK;
}

/* Guard calls that it had taken to guard all of the devices at once. */
static u64 eager_guards(const struct firmware *fw)
{
	const struct platform *p = &fw->platform;
	u64 granule = fw->hyp.guard_granule;

	if (!fw->guard.active || !fw->devices_mapped)
		return 0;
	return 1 + (align_up(p->ecam_size, granule) + align_up(p->window_size, granule)) / granule;
}

static void print_stats(struct firmware *fw)
{
	const struct hyp *h = &fw->hyp;
	const u64 *t = fw->ticks;

	pr_info("stats ranges=%u refills=%llu share_calls=%llu unshare_calls=%llu pages_shared_peak=%llu granule_queries=%llu requests=%llu in_flight_peak=%u pool_pages_peak=%llu per_alloc_calls=%llu guard_calls=%llu unguard_calls=%llu guard_pages_peak=%llu guard_queries=%llu guard_eager_calls=%llu",
		h->ranges, (unsigned long long)fw->pool.stats.refills,
		(unsigned long long)h->share_calls, (unsigned long long)h->unshare_calls,
		(unsigned long long)fw->pool.sharer.shared_peak,
		(unsigned long long)h->granule_queries,
		(unsigned long long)fw->disk.blk.requests, fw->disk.blk.in_flight_peak,
		(unsigned long long)align_up(fw->pool.stats.in_use_peak, PAGE_SIZE) / PAGE_SIZE,
		(unsigned long long)fw->pool.stats.per_alloc_calls,
		(unsigned long long)h->guard_calls, (unsigned long long)h->unguard_calls,
		(unsigned long long)fw->guard.pages_peak, (unsigned long long)h->guard_queries,
		(unsigned long long)eager_guards(fw));
	/* Whoever comes next can go on counting from here. */
	pr_info("ticks start=%llu devtree=%llu disk=%llu verify=%llu leave=%llu counter=%llu",
		(unsigned long long)(t[PHASE_DEVTREE] - t[PHASE_START]),
		(unsigned long long)(t[PHASE_DISK] - t[PHASE_DEVTREE]),
		(unsigned long long)(t[PHASE_VERIFY] - t[PHASE_DISK]),
		(unsigned long long)(t[PHASE_LEAVE] - t[PHASE_VERIFY]),
		(unsigned long long)(t[PHASE_COUNT] - t[PHASE_LEAVE]),
		(unsigned long long)t[PHASE_COUNT]);
}

/* Devices first, then the memory that they used; the UART works throughout. */
static enum fw_status leave(struct firmware *fw)
{
	enum fw_status stopped, released, ended;

	fw->ticks[PHASE_LEAVE] = counter_read();
	stopped = virtio_blk_stop(&fw->disk.blk);
	if (stopped != FW_OK)
		pr_error(stopped, "stopping the disk");
	released = release_pci(fw);
	if (released != FW_OK)
		pr_error(released, "PCI");
	ended = shared_end(&fw->pool);
	if (ended != FW_OK)
		pr_error(ended, "%llu granules stay shared",
			 (unsigned long long)fw->pool.sharer.shared_now);
	else
		ended = shared_check_none(&fw->pool, &fw->hyp);
	fw->ticks[PHASE_COUNT] = counter_read();
	print_stats(fw);
	if (ended == FW_OK)
		pr_info("nothing shared");
	if (stopped != FW_OK)
		return stopped;
	return released != FW_OK ? released : ended;
}

/* The end, also of a VM that its hypervisor fails to end. */
static void stop(bool ok)
{
	if (ok)
		psci_system_off();
	else
		psci_system_reset();
	for (;;)
		asm volatile("wfi");
}

static void end_vm(struct firmware *fw, bool ok)
{
	pr_info("%s", ok ? "off" : "reset");
	ok &= release_uart(fw) == FW_OK;
	stop(ok);
}

void fw_main(u64 fdt, u64 enrolled, u64 started)
{
	struct firmware *fw = &firmware;
	enum fw_status status, left;

	fw->ticks[PHASE_START] = started;
	hyp_discover(&fw->hyp);
	if (guard_init(&fw->guard, &fw->hyp, enrolled, default_uart) != FW_OK)
		stop(false);
	exception_set_guard(&fw->guard);
	uart_init(UART_DEFAULT_BASE);
	pr_info("start");
	status = run(fw, fdt);
	left = leave(fw);
	if (status == FW_OK)
		status = left;
	if (status == FW_OK && fw->tree)
		status = place_tree(fw);
	if (status != FW_OK || !fw->tree)
		end_vm(fw, status == FW_OK);

	pr_info("boot");
	if (release_uart(fw) != FW_OK)
		stop(false);
	memmap_flush(&fw->map);
	fw_jump(fw->platform.kernel.base, RAM_BASE);
}
