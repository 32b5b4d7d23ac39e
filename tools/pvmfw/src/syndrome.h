/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ESR_EL1 says of an exception.
 */
#ifndef PVMFW_SYNDROME_H
#define PVMFW_SYNDROME_H

#include "types.h"

/**
 * syndrome_class() - Name the class of an exception.
 * @esr: its syndrome
 *
 * Return: a constant string.
 */
const char *syndrome_class(u64 esr);

/**
 * syndrome_access() - Name the access that made a fault of the firmware's own.
 * @esr: its syndrome
 *
 * Return: "read", "write" or "execute"; NULL if it is no abort, or not taken from
 * EL1.
 */
const char *syndrome_access(u64 esr);

/**
 * syndrome_fault() - Name the kind of an abort.
 * @esr: its syndrome
 *
 * Return: a constant string.
 */
const char *syndrome_fault(u64 esr);

/**
 * syndrome_is_untranslated() - Tell whether a load or store met no valid entry of
 *	the page tables, and the faulting address is known.
 * @esr: its syndrome
 *
 * Maintenance of a cache is no access: it is not what a device waits for.
 *
 * Return: true if so: the first access to a page of a device looks like that.
 */
bool syndrome_is_untranslated(u64 esr);

#endif
