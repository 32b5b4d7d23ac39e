// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550 UART (uart.h).
 */
#include <linux/serial_reg.h>

#include "mmio.h"
#include "uart.h"

#define FIFO_SIZE	16
/* Both bits are set if the UART has a FIFO that works. */
#define IIR_FIFO	0xc0

/* Polls after which a character is sent although the UART is not ready. */
#define TX_POLLS	10000

static u64 uart_base;
/* Bytes that an empty transmitter takes, and how many more it takes before the next poll. */
static unsigned int fifo_size, room;

void uart_init(u64 base)
{
	uart_base = base;
	mmio_write8(base + UART_IER, 0);
	mmio_write8(base + UART_LCR, UART_LCR_WLEN8);
	mmio_write8(base + UART_FCR, UART_FCR_ENABLE_FIFO);
	fifo_size = (mmio_read8(base + UART_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	room = 0;
}

void uart_putc(char c)
{
	unsigned int polls = TX_POLLS;

	if (!room) {
		while (!(mmio_read8(uart_base + UART_LSR) & UART_LSR_THRE) && --polls)
			;
		room = fifo_size;
	}
	room--;
	mmio_write8(uart_base + UART_TX, (u8)c);
}
