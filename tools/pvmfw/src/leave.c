// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of the firmware (leave.h). Rule: a device is stopped before its memory is
 * unshared.
 */
#include <libfdt.h>

#include "boot.h"
#include "console.h"
#include "counter.h"
#include "layout.h"
#include "leave.h"
#include "mmu.h"
#include "psci.h"
#include "stats.h"

static u64 uart_page(const struct firmware *fw)
{
	return align_down(fw->platform.uart_base, PAGE_SIZE);
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
	enum fw_status config, window;

	if (!fw->devices_mapped || !p->has_pci)
		return FW_OK;
	config = release_device(fw, p->config_base, p->config_size);
	window = release_device(fw, p->window_base, p->window_size);
	return config != FW_OK ? config : window;
}

/* Nothing can be printed afterwards. */
static enum fw_status release_uart(struct firmware *fw)
{
	enum fw_status own = FW_OK, early;

	if (fw->devices_mapped && uart_page(fw) != UART_DEFAULT_PAGE)
		own = release_device(fw, uart_page(fw), PAGE_SIZE);
	early = release_device(fw, UART_DEFAULT_PAGE, PAGE_SIZE);
	return own != FW_OK ? own : early;
}

/*
 * Copy the kernel's device tree to where the host's tree lies, or, if it does not fit there,
 * to other memory.
 */
static enum fw_status place_tree(struct firmware *fw, u64 *base)
{
	u32 size = fdt_totalsize(fw->tree);
	enum fw_status status;

	status = boot_place_tree(&fw->platform, fw->host_tree, align_up(size, PAGE_SIZE), base);
	if (status == FW_OK)
		status = memmap_remove(&fw->map, fw->host_tree);
	mmu_flush();
	if (status == FW_OK)
		status = memmap_add(&fw->map, *base, align_up(size, PAGE_SIZE), MEMMAP_DATA,
				    "device tree", NULL);
	if (status != FW_OK)
		return pr_error(status, "device tree of the kernel");
	mmu_sync();
	mmu_copy(*base, fw->tree, size);
	return FW_OK;
}

/* Stop the disk, then release its MMIO and memory. The UART keeps working. */
static enum fw_status take_back(struct firmware *fw)
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
	if (ended == FW_OK)
		ended = shared_check_none(&fw->pool, &fw->hyp);
	fw->ticks[PHASE_COUNT] = counter_read();
	stats_print(fw);
	if (ended != FW_OK)
		pr_error(ended, "%llu granules stay shared",
			 (unsigned long long)fw->pool.sharer.shared_now);
	else
		pr_info("nothing shared");
	if (stopped != FW_OK)
		return stopped;
	return released != FW_OK ? released : ended;
}

void leave(struct firmware *fw, enum fw_status status)
{
	enum fw_status taken = take_back(fw);
	const char *word;
	u64 tree = 0;

	if (status == FW_OK)
		status = taken;
	if (status == FW_OK && fw->tree)
		status = place_tree(fw, &tree);

	word = fw->tree ? "boot" : "off";
	pr_info("%s", status == FW_OK ? word : "reset");
	if (release_uart(fw) != FW_OK || status != FW_OK) {
		psci_system_reset();
	} else if (fw->tree) {
		memmap_flush(&fw->map);
		fw_jump(fw->platform.kernel.base, tree);
	} else {
		psci_system_off();
	}
}
