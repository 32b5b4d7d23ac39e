// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550 UART (uart.h).
 */
#include "mmio.h"
#include "uart.h"

#define UART_THR	0
#define UART_IER	1
#define UART_FCR	2	/* written */
#define UART_IIR	2	/* read */
#define UART_LCR	3
#define UART_LSR	5

#define FCR_ENABLE	0x01
#define IIR_FIFO	0xc0
#define FIFO_SIZE	16
#define LCR_8N1		0x03
#define LSR_THRE	0x20

/* Polls after which a character is sent although the UART is not ready. */
#define TX_POLLS	10000

static u64 uart_base;
/* Bytes that an empty transmitter takes, and how many more it takes before the next poll. */
static unsigned int fifo_size, room;

void uart_init(u64 base)
{
	uart_base = base;
	mmio_write8(base + UART_IER, 0);
	mmio_write8(base + UART_LCR, LCR_8N1);
	mmio_write8(base + UART_FCR, FCR_ENABLE);
	fifo_size = (mmio_read8(base + UART_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	room = 0;
}

void uart_putc(char c)
{
	unsigned int polls = TX_POLLS;

	if (!room) {
		while (!(mmio_read8(uart_base + UART_LSR) & LSR_THRE) && --polls)
			;
		room = fifo_size;
	}
	room--;
	mmio_write8(uart_base + UART_THR, (u8)c);
}
