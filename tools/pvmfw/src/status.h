/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The errors of the firmware, each with a name and a message. Functions return them to
 * their callers; only main.c decides to give up.
 */
#ifndef PVMFW_STATUS_H
#define PVMFW_STATUS_H

/**
 * enum fw_status - What a function returns.
 * @FW_OK: no error
 * @FW_EAGAIN: not ready yet
 * @FW_ENOMEM: out of memory
 * @FW_EALIGN: address or size is misaligned
 * @FW_ERANGE: address or size is out of range
 * @FW_EOVERLAP: ranges overlap
 * @FW_ETOOMANY: too many ranges
 * @FW_EBADFREE: freed memory that was not allocated
 * @FW_EFAULT: not a lazily mapped page of a device
 * @FW_ETIMEOUT: device does not respond
 * @FW_EFDT_PLACE: device tree is misplaced
 * @FW_EFDT_HEADER: device tree has a bad header
 * @FW_EFDT_SIZE: device tree claims more than its region holds
 * @FW_EFDT_STRUCT: device tree is malformed
 * @FW_EFDT_PSCI: device tree has no PSCI by HVC
 * @FW_EFDT_MEMORY: device tree describes no usable memory
 * @FW_EFDT_RESERVED: device tree reserves a range that wraps
 * @FW_EFDT_UART: device tree describes no usable UART
 * @FW_EFDT_PCI: device tree describes no usable PCI host
 * @FW_EFDT_SWIOTLB: device tree describes no usable DMA pool
 * @FW_EFDT_KERNEL: device tree gives the kernel an invalid place
 * @FW_EFDT_INITRD: device tree gives the initrd an invalid place
 * @FW_EFDT_CPUS: device tree describes no usable CPUs
 * @FW_EFDT_GIC: device tree describes no usable GICv3
 * @FW_EFDT_IRQ: device tree describes no usable interrupt
 * @FW_EFDT_CMDLINE: device tree has a command line that is too long or not printable
 * @FW_ECONFIG_HEADER: configuration has a bad header
 * @FW_ECONFIG_ENTRY: configuration has an unknown, malformed or conflicting entry
 * @FW_ENODIGEST: configuration has no digest for this image
 * @FW_ENOIMAGE: device tree has no image for this digest
 * @FW_EDIGEST: digest differs from that of the configuration
 * @FW_EKERNEL: not an arm64 kernel, or it does not fit where it lies
 * @FW_EPSCI: PSCI is older than 0.2
 * @FW_EHYP_GRANULE: hypervisor reports no usable granule
 * @FW_EHYP_SHARE: hypervisor refused to share memory
 * @FW_EHYP_UNSHARE: hypervisor refused to unshare memory
 * @FW_EHYP_ENROLL: hypervisor refused to start its MMIO guard
 * @FW_EHYP_GUARD: hypervisor refused to guard or unguard MMIO
 * @FW_ESHARED: memory is still shared
 * @FW_EPOOL: pool of shared memory exists already
 * @FW_ENOPOOL: device tree names no memory that the host can access
 * @FW_EPCI_BAR: PCI device has a bad BAR
 * @FW_EPCI_WINDOW: PCI window is exhausted
 * @FW_EPCI_CAP: PCI device has bad capabilities
 * @FW_ENODISK: no virtio block device
 * @FW_EVIRTIO_FEATURES: virtio device lacks a required feature
 * @FW_EVIRTIO_QUEUE: virtio device has no usable queue
 * @FW_EVIRTIO_RING: virtio device wrote an invalid used ring
 * @FW_EVIRTIO_CONFIG: virtio device keeps changing its configuration
 * @FW_EVIRTIO_BROKEN: virtio device needs a reset
 * @FW_EBLK_CAPACITY: disk has an invalid capacity
 * @FW_EBLK_TOO_LARGE: disk is larger than the configuration allows
 * @FW_EBLK_RANGE: read beyond the end of the disk
 * @FW_EBLK_IO: disk reports an I/O error
 * @FW_EBLK_UNSUPPORTED: disk does not support reads
 * @FW_EBLK_STATUS: disk reports an unknown status
 * @FW_EBLK_SHORT: disk returned fewer bytes than requested
 * @FW_STATUS_COUNT: number of values
 */
enum fw_status {
	FW_OK,
	FW_EAGAIN,
	FW_ENOMEM,
	FW_EALIGN,
	FW_ERANGE,
	FW_EOVERLAP,
	FW_ETOOMANY,
	FW_EBADFREE,
	FW_EFAULT,
	FW_ETIMEOUT,
	FW_EFDT_PLACE,
	FW_EFDT_HEADER,
	FW_EFDT_SIZE,
	FW_EFDT_STRUCT,
	FW_EFDT_PSCI,
	FW_EFDT_MEMORY,
	FW_EFDT_RESERVED,
	FW_EFDT_UART,
	FW_EFDT_PCI,
	FW_EFDT_SWIOTLB,
	FW_EFDT_KERNEL,
	FW_EFDT_INITRD,
	FW_EFDT_CPUS,
	FW_EFDT_GIC,
	FW_EFDT_IRQ,
	FW_EFDT_CMDLINE,
	FW_ECONFIG_HEADER,
	FW_ECONFIG_ENTRY,
	FW_ENODIGEST,
	FW_ENOIMAGE,
	FW_EDIGEST,
	FW_EKERNEL,
	FW_EPSCI,
	FW_EHYP_GRANULE,
	FW_EHYP_SHARE,
	FW_EHYP_UNSHARE,
	FW_EHYP_ENROLL,
	FW_EHYP_GUARD,
	FW_ESHARED,
	FW_EPOOL,
	FW_ENOPOOL,
	FW_EPCI_BAR,
	FW_EPCI_WINDOW,
	FW_EPCI_CAP,
	FW_ENODISK,
	FW_EVIRTIO_FEATURES,
	FW_EVIRTIO_QUEUE,
	FW_EVIRTIO_RING,
	FW_EVIRTIO_CONFIG,
	FW_EVIRTIO_BROKEN,
	FW_EBLK_CAPACITY,
	FW_EBLK_TOO_LARGE,
	FW_EBLK_RANGE,
	FW_EBLK_IO,
	FW_EBLK_UNSUPPORTED,
	FW_EBLK_STATUS,
	FW_EBLK_SHORT,
	FW_STATUS_COUNT,
};

/**
 * fw_strstatus() - Get the message for a status.
 * @status: the status
 *
 * Return: a constant string, never NULL.
 */
const char *fw_strstatus(enum fw_status status);

#endif
