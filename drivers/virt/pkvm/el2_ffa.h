/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to the trusted application of tools/testing/spmc, which tests use to see FF-A from the
 * secure side. The caller sends a 64-bit direct message to SPMC_TA with a request in x3 and
 * arguments from x4 on. In the answer x3 is 0 or an FF-A error, and x4 the value. The last
 * constant is what the TRNG of that firmware returns.
 */
#ifndef __PKVM_EL2_FFA_H__
#define __PKVM_EL2_FFA_H__

/* The endpoint ID of the trusted application, with which the host shares memory. */
#define SPMC_TA			0x8001

/* Read the first eight bytes of a page: x4 is a handle, x5 the number of a 4 KiB page in it. */
#define SPMC_TA_READ		1
/* Write x6 there, and read it back. */
#define SPMC_TA_WRITE		2
/* Get the number of share and reclaim calls that the SPMC has received. */
#define SPMC_TA_CALLS		3
/* Get the number of memory regions, including incomplete ones. */
#define SPMC_TA_REGIONS		4
/* Make the next call of function x4 fail with the FF-A error x5. */
#define SPMC_TA_REFUSE		5

/* TRNG_RND64: this and 1 in x1, and 2 in x2, and 3 in x3, however many bits are asked for. */
#define SPMC_ENTROPY		0xe27209701e27209UL

#endif /* __PKVM_EL2_FFA_H__ */
