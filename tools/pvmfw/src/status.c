// SPDX-License-Identifier: GPL-2.0-only
/*
 * The messages for the errors of status.h.
 */
#include <stddef.h>

#include "status.h"

static const char *const status_text[FW_STATUS_COUNT] = {
	[FW_OK] = "no error",
	[FW_EAGAIN] = "not ready yet",
	[FW_ENOMEM] = "out of memory",
	[FW_EALIGN] = "address or size is misaligned",
	[FW_ERANGE] = "address or size is out of range",
	[FW_EOVERLAP] = "ranges overlap",
	[FW_ETOOMANY] = "too many ranges",
	[FW_EBADFREE] = "freed memory that was not allocated",
	[FW_EFAULT] = "not a lazily mapped page of a device",
	[FW_ETIMEOUT] = "device does not respond",
	[FW_EFDT_PLACE] = "device tree is misplaced",
	[FW_EFDT_HEADER] = "device tree has a bad header",
	[FW_EFDT_SIZE] = "device tree claims more than its region holds",
	[FW_EFDT_STRUCT] = "device tree is malformed",
	[FW_EFDT_PSCI] = "device tree has no PSCI by HVC",
	[FW_EFDT_MEMORY] = "device tree describes no usable memory",
	[FW_EFDT_RESERVED] = "device tree reserves a range that wraps",
	[FW_EFDT_UART] = "device tree describes no usable UART",
	[FW_EFDT_PCI] = "device tree describes no usable PCI host",
	[FW_EFDT_SWIOTLB] = "device tree describes no usable DMA pool",
	[FW_EFDT_KERNEL] = "device tree gives the kernel an invalid place",
	[FW_EFDT_INITRD] = "device tree gives the initrd an invalid place",
	[FW_EFDT_CPUS] = "device tree describes no usable CPUs",
	[FW_EFDT_GIC] = "device tree describes no usable GICv3",
	[FW_EFDT_IRQ] = "device tree describes no usable interrupt",
	[FW_EFDT_CMDLINE] = "device tree has a command line that is too long or not printable",
	[FW_ECONFIG_HEADER] = "configuration has a bad header",
	[FW_ECONFIG_ENTRY] = "configuration has an unknown, malformed or conflicting entry",
	[FW_ENODIGEST] = "configuration has no digest for this image",
	[FW_ENOIMAGE] = "device tree has no image for this digest",
	[FW_EDIGEST] = "digest differs from that of the configuration",
	[FW_EKERNEL] = "not an arm64 kernel, or it does not fit where it lies",
	[FW_EPSCI] = "PSCI is older than 0.2",
	[FW_EHYP_GRANULE] = "hypervisor reports no usable granule",
	[FW_EHYP_SHARE] = "hypervisor refused to share memory",
	[FW_EHYP_UNSHARE] = "hypervisor refused to unshare memory",
	[FW_EHYP_ENROLL] = "hypervisor refused to start its MMIO guard",
	[FW_EHYP_GUARD] = "hypervisor refused to guard or unguard MMIO",
	[FW_ESHARED] = "memory is still shared",
	[FW_EPOOL] = "pool of shared memory exists already",
	[FW_ENOPOOL] = "device tree names no memory that the host can access",
	[FW_EPCI_BAR] = "PCI device has a bad BAR",
	[FW_EPCI_WINDOW] = "PCI window is exhausted",
	[FW_EPCI_CAP] = "PCI device has bad capabilities",
	[FW_ENODISK] = "no virtio block device",
	[FW_EVIRTIO_FEATURES] = "virtio device lacks a required feature",
	[FW_EVIRTIO_QUEUE] = "virtio device has no usable queue",
	[FW_EVIRTIO_RING] = "virtio device wrote an invalid used ring",
	[FW_EVIRTIO_CONFIG] = "virtio device keeps changing its configuration",
	[FW_EVIRTIO_BROKEN] = "virtio device needs a reset",
	[FW_EBLK_CAPACITY] = "disk has an invalid capacity",
	[FW_EBLK_TOO_LARGE] = "disk is larger than the configuration allows",
	[FW_EBLK_RANGE] = "read beyond the end of the disk",
	[FW_EBLK_IO] = "disk reports an I/O error",
	[FW_EBLK_UNSUPPORTED] = "disk does not support reads",
	[FW_EBLK_STATUS] = "disk reports an unknown status",
	[FW_EBLK_SHORT] = "disk returned fewer bytes than requested",
};

const char *fw_strstatus(enum fw_status status)
{
	if ((unsigned int)status >= FW_STATUS_COUNT || !status_text[status])
		return "unknown error";
	return status_text[status];
}
