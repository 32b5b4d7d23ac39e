/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power state coordination (Arm DEN 0022): the calls that the firmware makes.
 */
#ifndef PVMFW_PSCI_H
#define PVMFW_PSCI_H

#include "status.h"

/**
 * psci_check() - Make sure that PSCI can switch the VM off.
 *
 * Call: PSCI_VERSION.
 *
 * Return: FW_OK, or FW_EPSCI if PSCI is missing or older than 0.2.
 */
enum fw_status psci_check(void);

/**
 * psci_system_off() - End the VM.
 *
 * Call: SYSTEM_OFF. Comes back only if the hypervisor failed to.
 */
void psci_system_off(void);

/**
 * psci_system_reset() - Start the VM over.
 *
 * Call: SYSTEM_RESET. Comes back only if the hypervisor failed to.
 */
void psci_system_reset(void);

#endif
