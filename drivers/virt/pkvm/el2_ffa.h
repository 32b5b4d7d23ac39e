/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the trusted application of tools/testing/spmc does on request. Its caller sends
 * a 64-bit direct message to SPMC_TA with one of these in x3 and arguments from x4 on;
 * the answer's x3 is 0 or an FF-A error, its x4 the value.
 */
#ifndef __PKVM_EL2_FFA_H__
#define __PKVM_EL2_FFA_H__

/* The endpoint that memory is shared with. */
#define SPMC_TA			0x8001

/* x4 a handle, x5 a page of 4 KiB in it: the page's first eight bytes. */
#define SPMC_TA_READ		1
/* The same, and x6 goes there first. */
#define SPMC_TA_WRITE		2
/* How many calls that share or reclaim memory have come here. */
#define SPMC_TA_CALLS		3
/* How many memory regions there are, whole or not. */
#define SPMC_TA_REGIONS		4
/* The next call x4 (a function number) ends in the FF-A error x5. */
#define SPMC_TA_REFUSE		5

#endif /* __PKVM_EL2_FFA_H__ */
