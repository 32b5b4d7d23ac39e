/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 16550 UART, output only, polled.
 */
#ifndef PVMFW_UART_H
#define PVMFW_UART_H

#include "types.h"

/**
 * uart_init() - Choose the UART and set it to 8 bits, no parity, FIFO on, no
 *	interrupts.
 * @base: address of its registers, one byte apart, mapped as device memory
 */
void uart_init(u64 base);

/**
 * uart_putc() - Send one character; waits for room for a bounded time. Room is asked for
 *	once for as many characters as the transmitter's FIFO takes.
 * @c: the character
 */
void uart_putc(char c);

#endif
