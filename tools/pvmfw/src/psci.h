/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of the Power State Coordination Interface (Arm DEN 0022) that the firmware
 * makes.
 */
#ifndef PVMFW_PSCI_H
#define PVMFW_PSCI_H

#include "status.h"

/**
 * psci_check() - Check that PSCI is new enough to have SYSTEM_OFF and SYSTEM_RESET.
 *
 * Call: PSCI_VERSION.
 *
 * Return: FW_OK, or FW_EPSCI if PSCI is missing or older than 0.2.
 */
enum fw_status psci_check(void);

/**
 * psci_system_off() - End the VM.
 *
 * Call: SYSTEM_OFF. Returns only if the call failed.
 */
void psci_system_off(void);

/**
 * psci_system_reset() - Reset the VM.
 *
 * Call: SYSTEM_RESET. Returns only if the call failed. May be called from the exception
 * handler.
 */
void psci_system_reset(void);

#endif
