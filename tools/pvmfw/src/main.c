// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the firmware does, in order: guard the UART, map its memory, check the device tree,
 * share memory with the host, read the whole disk through it and print the digest, check
 * the kernel, unshare and unguard everything, and enter the kernel, or end the VM if there
 * is none.
 *
 * Rule: only this file decides to give up. Every error is returned to fw_main(), and leave()
 * then cleans up as it does after success.
 */
#include "boot.h"
#include "console.h"
#include "counter.h"
#include "devtree.h"
#include "exception.h"
#include "firmware.h"
#include "leave.h"
#include "main.h"
#include "mmu.h"
#include "psci.h"
#include "symbols.h"
#include "uart.h"

static struct firmware firmware;

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
 * Map what the firmware needs before it has read the device tree. The pages below the
 * stacks stay unmapped, so that a stack overflow faults.
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
		{ UART_DEFAULT_PAGE, UART_DEFAULT_PAGE + PAGE_SIZE, MEMMAP_DEVICE, "UART" },
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
		status = guard_adopt(&fw->guard, &fw->pgtable, UART_DEFAULT_PAGE);
	if (status == FW_OK)
		mmu_switch(&fw->pgtable);
	return status;
}

/* Map the pages that hold @size bytes of the host's device tree. */
static enum fw_status map_devtree(struct firmware *fw, u64 addr, u64 size)
{
	u64 end = align_up(addr + size, PAGE_SIZE);
	enum fw_status status;

	fw->host_tree = align_down(addr, PAGE_SIZE);
	status = memmap_add(&fw->map, fw->host_tree, end - fw->host_tree, MEMMAP_RODATA,
			    "device tree", NULL);
	mmu_sync();
	return status;
}

/*
 * The tree may lie anywhere above RAM_BASE; only the tree itself says how much RAM there is.
 * Map its header first, which holds its size, then the whole tree.
 */
static enum fw_status find_devtree(struct firmware *fw, u64 addr, size_t *size)
{
	enum fw_status status;

	if (addr < RAM_BASE || !range_inside(addr, FDT_MAX_SIZE, 0, (u64)1 << VA_BITS) ||
	    !is_aligned(addr, 8ull))
		return pr_error(FW_EFDT_PLACE, "0x%llx", (unsigned long long)addr);
	status = map_devtree(fw, addr, DEVTREE_HEADER_SIZE);
	if (status == FW_OK)
		status = devtree_size((const void *)addr, FDT_MAX_SIZE, size);
	if (status == FW_OK)
		status = memmap_remove(&fw->map, fw->host_tree);
	mmu_flush();
	if (status == FW_OK)
		status = map_devtree(fw, addr, *size);
	if (status == FW_OK)
		status = devtree_check((const void *)addr, *size);
	return status == FW_OK ? FW_OK : pr_error(status, NULL);
}

static enum fw_status read_devtree(struct firmware *fw, u64 addr)
{
	const void *fdt = (const void *)addr;
	struct platform *p = &fw->platform;
	enum fw_status status;
	size_t size = 0;

	status = find_devtree(fw, addr, &size);
	if (status != FW_OK)
		return status;
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

/* A VM with a kernel needs no disk. Without both the firmware has nothing to do. */
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

/* Stop the CPU if the hypervisor fails to end the VM. */
static void hang(void)
{
	for (;;)
		asm volatile("wfi");
}

void fw_main(u64 fdt, u64 enrolled, u64 started)
{
	struct firmware *fw = &firmware;

	fw->ticks[PHASE_START] = started;
	hyp_discover(&fw->hyp);
	if (guard_init(&fw->guard, &fw->hyp, enrolled, UART_DEFAULT_PAGE) != FW_OK) {
		/* No UART is guarded, so nothing can be printed. */
		psci_system_reset();
		hang();
	}
	exception_set_guard(&fw->guard);
	uart_init(UART_DEFAULT_BASE);
	pr_info("start");
	leave(fw, run(fw, fdt));
	hang();
}
