/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver for a 16550 UART: output only, polled. Rule: a broken UART loses characters but
 * does not stop the boot.
 */
#ifndef PVMFW_UART_H
#define PVMFW_UART_H

#include "types.h"

/**
 * uart_init() - Select a UART and set it to 8 bits, no parity, FIFO on, no interrupts.
 * @base: address of its registers, one byte apart, mapped as device memory
 */
void uart_init(u64 base);

/**
 * uart_putc() - Send one character.
 * @c: the character
 *
 * Polls, a bounded number of times, for an empty transmitter once per FIFO of characters.
 * May be called from the exception handler.
 */
void uart_putc(char c);

#endif
