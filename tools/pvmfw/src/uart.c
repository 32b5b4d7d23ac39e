// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550 UART of uart.h.
 */
#include "mmio.h"
#include "uart.h"

#define UART_THR	0
#define UART_IER	1
#define UART_FCR	2
#define UART_LCR	3
#define UART_LSR	5

#define FCR_ENABLE	0x01
#define LCR_8N1		0x03
#define LSR_THRE	0x20

/* A UART that never gets ready loses characters, but must not stop the boot. */
#define TX_POLLS	10000

static u64 uart_base;

void uart_init(u64 base)
{
	uart_base = base;
	mmio_write8(base + UART_IER, 0);
	mmio_write8(base + UART_LCR, LCR_8N1);
	mmio_write8(base + UART_FCR, FCR_ENABLE);
}

void uart_putc(char c)
{
	unsigned int polls = TX_POLLS;

	while (!(mmio_read8(uart_base + UART_LSR) & LSR_THRE) && --polls)
		;
	mmio_write8(uart_base + UART_THR, (u8)c);
}
