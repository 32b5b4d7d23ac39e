/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The errors of the firmware: values with a name and a message each. Functions
 * return them upwards; main.c alone decides to give up.
 */
#ifndef PVMFW_STATUS_H
#define PVMFW_STATUS_H

/**
 * enum fw_status - What a function returns; status.c has the meaning of each.
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
	FW_EPSCI,
	FW_EHYP_GRANULE,
	FW_EHYP_SHARE,
	FW_EHYP_UNSHARE,
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
	FW_EBLK_RANGE,
	FW_EBLK_IO,
	FW_EBLK_UNSUPPORTED,
	FW_EBLK_STATUS,
	FW_EBLK_SHORT,
	FW_STATUS_COUNT,
};

/**
 * fw_strstatus() - Give the message of a status.
 * @status: the status
 *
 * Return: a constant string, never NULL.
 */
const char *fw_strstatus(enum fw_status status);

#endif
