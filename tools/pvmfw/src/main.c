// SPDX-License-Identifier: GPL-2.0-only
/*
 * The course of the firmware: map the memory, believe the device tree only
 * after a check, share memory with the host, read the whole disk through it,
 * print the digest, take everything back, switch off.
 *
 * This is the one place that decides to give up: every error ends here, is left
 * in the same order as success, and resets the VM.
 */
#include "buddy.h"
#include "console.h"
#include "devtree.h"
#include "hyp.h"
#include "layout.h"
#include "main.h"
#include "mmu.h"
#include "pci.h"
#include "pgtable.h"
#include "psci.h"
#include "sha256.h"
#include "shared.h"
#include "symbols.h"
#include "uart.h"
#include "virtio_blk.h"

struct firmware {
	struct buddy heap;
	struct pgtable pgtable;
	struct platform platform;
	struct hyp hyp;
	struct shared_pool pool;
	struct pci_host pci;
	struct virtio_blk disk;
	u8 heap_tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

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
 * Everything that is needed before the device tree was read, the page of the
 * default UART included.
 */
static enum fw_status map_self(struct firmware *fw)
{
	const uintptr_t guard = (uintptr_t)stack_guard, exc_guard = (uintptr_t)exc_stack_guard;
	const struct {
		u64 start, end;
		enum pgtable_kind kind;
	} ranges[] = {
		{ FW_IMAGE_BASE, (uintptr_t)text_end, PGTABLE_TEXT },
		{ (uintptr_t)text_end, align_up((uintptr_t)image_end, PAGE_SIZE),
		  PGTABLE_RODATA },
		{ FW_SCRATCH_BASE, guard, PGTABLE_DATA },
		{ guard + PAGE_SIZE, exc_guard, PGTABLE_DATA },
		{ exc_guard + PAGE_SIZE, FW_SCRATCH_BASE + FW_SCRATCH_SIZE, PGTABLE_DATA },
		{ RAM_BASE, RAM_BASE + FDT_MAX_SIZE, PGTABLE_RODATA },
		{ align_down(UART_DEFAULT_BASE, PAGE_SIZE),
		  align_up(UART_DEFAULT_BASE + UART_SIZE, PAGE_SIZE), PGTABLE_DEVICE },
	};
	enum fw_status status;
	unsigned int i;

	status = pgtable_init(&fw->pgtable, &fw->heap);
	for (i = 0; i < ARRAY_SIZE(ranges) && status == FW_OK; i++)
		status = pgtable_map(&fw->pgtable, ranges[i].start,
				     ranges[i].end - ranges[i].start, ranges[i].kind);
	if (status == FW_OK)
		mmu_switch(&fw->pgtable);
	return status;
}

/* The devices that the checked device tree names. */
static enum fw_status map_devices(struct firmware *fw)
{
	const struct platform *p = &fw->platform;
	u64 uart = align_down(p->uart_base, PAGE_SIZE);
	u64 uart_end = align_up(p->uart_base + UART_SIZE, PAGE_SIZE);
	enum fw_status status = FW_OK;

	if (uart != align_down(UART_DEFAULT_BASE, PAGE_SIZE))
		status = pgtable_map(&fw->pgtable, uart, uart_end - uart, PGTABLE_DEVICE);
	if (status == FW_OK && p->has_pci)
		status = pgtable_map(&fw->pgtable, p->ecam_base, p->ecam_size, PGTABLE_DEVICE);
	if (status == FW_OK && p->has_pci)
		status = pgtable_map(&fw->pgtable, p->window_base, p->window_size, PGTABLE_DEVICE);
	if (status != FW_OK)
		return pr_error(status, "mapping devices");
	mmu_sync();
	return FW_OK;
}

static enum fw_status read_devtree(struct firmware *fw, u64 addr)
{
	struct memmap map = { 0 };
	enum fw_status status;

	if (addr < RAM_BASE || addr >= RAM_BASE + FDT_MAX_SIZE || !is_aligned(addr, 8ull))
		return pr_error(FW_EFDT_PLACE, "0x%llx", (unsigned long long)addr);
	status = devtree_check((const void *)addr, RAM_BASE + FDT_MAX_SIZE - addr);
	if (status != FW_OK)
		return pr_error(status, NULL);
	status = devtree_parse((const void *)addr, &fw->platform);
	if (status == FW_OK)
		status = platform_memmap(&fw->platform, &map);
	return status;
}

static enum fw_status init_disk(struct firmware *fw)
{
	struct pci_dev dev;
	enum fw_status status;

	if (!fw->platform.has_pci)
		return pr_error(FW_ENODISK, NULL);
	status = pci_init(&fw->pci, &fw->platform);
	if (status != FW_OK)
		return status;
	status = pci_find(&fw->pci, VIRTIO_PCI_VENDOR, VIRTIO_PCI_DEVICE_BLK, &dev);
	if (status == FW_ENODISK)
		return pr_error(status, NULL);
	if (status == FW_OK)
		status = virtio_blk_init(&fw->disk, &dev, &fw->pool);
	if (status != FW_OK)
		return pr_error(status, "disk in PCI slot %u", dev.slot);
	pr_info("disk %llu bytes", (unsigned long long)fw->disk.sectors * SECTOR_SIZE);
	return FW_OK;
}

static enum fw_status hash_disk(struct firmware *fw)
{
	u64 bytes = fw->disk.sectors * SECTOR_SIZE, at;
	u8 digest[SHA256_DIGEST_SIZE];
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	enum fw_status status;
	struct sha256 sha;
	unsigned int i;
	void *buffer;
	u32 len;

	buffer = buddy_alloc(&fw->heap, VIRTIO_BLK_MAX_READ);
	if (!buffer)
		return pr_error(FW_ENOMEM, "read buffer");
	sha256_init(&sha);
	for (at = 0; at < bytes; at += len) {
		len = bytes - at < VIRTIO_BLK_MAX_READ ? (u32)(bytes - at) : VIRTIO_BLK_MAX_READ;
		status = virtio_blk_read(&fw->disk, at / SECTOR_SIZE, buffer, len);
		if (status != FW_OK)
			return pr_error(status, "disk, sectors %llu to %llu",
					(unsigned long long)at / SECTOR_SIZE,
					(unsigned long long)(at + len) / SECTOR_SIZE - 1);
		sha256_update(&sha, buffer, len);
	}
	sha256_final(&sha, digest);
	for (i = 0; i < SHA256_DIGEST_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 0xf];
	}
	hex[2 * SHA256_DIGEST_SIZE] = '\0';
	pr_info("sha256 %s", hex);
	return buddy_free(&fw->heap, buffer, VIRTIO_BLK_MAX_READ);
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

	status = read_devtree(fw, fdt);
	if (status == FW_OK)
		status = map_devices(fw);
	if (status != FW_OK)
		return status;
	if (fw->platform.uart_base != UART_DEFAULT_BASE)
		uart_init(fw->platform.uart_base);

	hyp_discover(&fw->hyp);
	status = shared_init(&fw->pool, &fw->hyp, &fw->heap);
	if (status != FW_OK)
		return pr_error(status, NULL);
	status = init_disk(fw);
	if (status != FW_OK)
		return status;
	return hash_disk(fw);
}

/* Devices first, then the memory that they used; the UART works throughout. */
static enum fw_status leave(struct firmware *fw)
{
	enum fw_status stopped, ended;

	stopped = virtio_blk_stop(&fw->disk);
	if (stopped != FW_OK)
		pr_error(stopped, "stopping the disk");
	ended = shared_end(&fw->pool);
	if (ended != FW_OK)
		pr_error(ended, "%llu granules stay shared",
			 (unsigned long long)fw->pool.sharer.shared_now);

	pr_info("stats share_calls=%llu unshare_calls=%llu pages_shared_peak=%llu granule_queries=%llu requests=%llu",
		(unsigned long long)fw->hyp.share_calls,
		(unsigned long long)fw->hyp.unshare_calls,
		(unsigned long long)fw->pool.sharer.shared_peak,
		(unsigned long long)fw->hyp.granule_queries,
		(unsigned long long)fw->disk.requests);
	if (!fw->pool.sharer.shared_now)
		pr_info("nothing shared");
	return stopped != FW_OK ? stopped : ended;
}

void fw_main(u64 fdt)
{
	enum fw_status status, left;

	uart_init(UART_DEFAULT_BASE);
	pr_info("start");
	status = run(&firmware, fdt);
	left = leave(&firmware);
	if (status == FW_OK && left == FW_OK) {
		pr_info("off");
		psci_system_off();
	} else {
		pr_info("reset");
		psci_system_reset();
	}
	for (;;)
		asm volatile("wfi");
}
