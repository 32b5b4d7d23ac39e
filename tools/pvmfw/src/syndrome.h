/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decodes the syndrome of an exception (ESR_EL1).
 */
#ifndef PVMFW_SYNDROME_H
#define PVMFW_SYNDROME_H

#include "types.h"

/**
 * syndrome_class() - Get the name of an exception's class.
 * @esr: its syndrome
 *
 * Return: a constant string.
 */
const char *syndrome_class(u64 esr);

/**
 * syndrome_access() - Get the name of the access that caused an abort.
 * @esr: its syndrome
 *
 * Return: "read", "write" or "execute"; NULL if the exception is not an abort taken from
 * EL1.
 */
const char *syndrome_access(u64 esr);

/**
 * syndrome_fault() - Get the name of an abort's kind.
 * @esr: its syndrome
 *
 * Return: a constant string.
 */
const char *syndrome_fault(u64 esr);

/**
 * syndrome_is_untranslated() - Check whether a load or store caused a translation fault with
 *	a known address, as the first access to a page of a device does.
 * @esr: its syndrome
 *
 * Return: true if so; false for cache maintenance, which does not access a device.
 */
bool syndrome_is_untranslated(u64 esr);

#endif
