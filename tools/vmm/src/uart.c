// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550A UART (uart.h), as the 16550D data sheet describes it, but without a baud rate or a
 * modem, and with a transmitter that is always empty.
 */
#include <linux/serial_reg.h>

#include "uart.h"

/* The modem inputs report a modem that is always ready. */
#define UART_MSR_READY		(UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD)
#define UART_IER_ALL		(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define UART_MCR_ALL		(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | UART_MCR_OUT2 | \
				 UART_MCR_LOOP)
#define UART_IIR_FIFO_ENABLED	0xc0
#define UART_LCR_RESET		UART_LCR_WLEN8

void uart_init(struct uart *uart)
{
	pthread_mutex_init(&uart->lock, NULL);
	uart->fifo_head = 0;
	uart->fifo_count = 0;
	uart->sender_waits = false;
	uart->overrun = false;
	uart->thr_interrupt = false;
	uart->ier = 0;
	uart->fcr = 0;
	uart->lcr = UART_LCR_RESET;
	uart->mcr = 0;
	uart->scr = 0;
	uart->dll = 0;
	uart->dlm = 0;
}

/* The pending interrupt with the highest priority. */
static uint8_t pending_interrupt(const struct uart *uart)
{
	if ((uart->ier & UART_IER_RLSI) && uart->overrun)
		return UART_IIR_RLSI;
	if ((uart->ier & UART_IER_RDI) && uart->fifo_count)
		return UART_IIR_RDI;
	if ((uart->ier & UART_IER_THRI) && uart->thr_interrupt)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

static void update_irq(struct uart *uart)
{
	irq_line_set(&uart->irq, pending_interrupt(uart) != UART_IIR_NO_INT);
}

static void fifo_put(struct uart *uart, uint8_t byte)
{
	uart->fifo[(uart->fifo_head + uart->fifo_count) % UART_FIFO_SIZE] = byte;
	uart->fifo_count++;
}

static uint8_t fifo_get(struct uart *uart)
{
	uint8_t byte;

	if (!uart->fifo_count)
		return 0;
	byte = uart->fifo[uart->fifo_head];
	uart->fifo_head = (uart->fifo_head + 1) % UART_FIFO_SIZE;
	uart->fifo_count--;
	return byte;
}

static uint8_t read_iir(struct uart *uart)
{
	uint8_t iir = pending_interrupt(uart);

	if (iir == UART_IIR_THRI)
		uart->thr_interrupt = false;
	if (uart->fcr & UART_FCR_ENABLE_FIFO)
		iir |= UART_IIR_FIFO_ENABLED;
	return iir;
}

static uint8_t read_lsr(struct uart *uart)
{
	uint8_t lsr = UART_LSR_TEMT | UART_LSR_THRE;

	if (uart->fifo_count)
		lsr |= UART_LSR_DR;
	if (uart->overrun)
		lsr |= UART_LSR_OE;
	uart->overrun = false;
	return lsr;
}

/* In loop-back mode the modem outputs are connected to the modem inputs. */
static uint8_t read_msr(const struct uart *uart)
{
	uint8_t msr = 0;

	if (!(uart->mcr & UART_MCR_LOOP))
		return UART_MSR_READY;
	if (uart->mcr & UART_MCR_RTS)
		msr |= UART_MSR_CTS;
	if (uart->mcr & UART_MCR_DTR)
		msr |= UART_MSR_DSR;
	if (uart->mcr & UART_MCR_OUT1)
		msr |= UART_MSR_RI;
	if (uart->mcr & UART_MCR_OUT2)
		msr |= UART_MSR_DCD;
	return msr;
}

static uint8_t read_register(struct uart *uart, uint64_t offset)
{
	bool divisor = uart->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_RX:
		return divisor ? uart->dll : fifo_get(uart);
	case UART_IER:
		return divisor ? uart->dlm : uart->ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return read_lsr(uart);
	case UART_MSR:
		return read_msr(uart);
	case UART_SCR:
		return uart->scr;
	default:
		return 0xff;
	}
}

uint64_t uart_read(void *device, uint64_t offset, unsigned int length)
{
	struct uart *uart = device;
	bool drained;
	uint8_t value;

	(void)length;
	pthread_mutex_lock(&uart->lock);
	value = read_register(uart, offset);
	drained = uart->sender_waits && uart->fifo_count < UART_FIFO_SIZE;
	if (drained)
		uart->sender_waits = false;
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);

	if (drained)
		uart->drained(uart->opaque);
	return value;
}

/* True if the byte must be transmitted. */
static bool write_thr(struct uart *uart, uint8_t value)
{
	uart->thr_interrupt = true;
	if (!(uart->mcr & UART_MCR_LOOP))
		return true;
	if (uart->fifo_count == UART_FIFO_SIZE)
		uart->overrun = true;
	else
		fifo_put(uart, value);
	return false;
}

static void write_ier(struct uart *uart, uint8_t value)
{
	/* Enabling the interrupt of an empty transmitter raises it. */
	if (value & ~uart->ier & UART_IER_THRI)
		uart->thr_interrupt = true;
	uart->ier = value & UART_IER_ALL;
}

static void write_fcr(struct uart *uart, uint8_t value)
{
	/* Switching the FIFOs on or off empties them. */
	if ((value & UART_FCR_CLEAR_RCVR) || ((value ^ uart->fcr) & UART_FCR_ENABLE_FIFO))
		uart->fifo_count = 0;
	uart->fcr = value & UART_FCR_ENABLE_FIFO;
}

/* True if @value is a byte that must be transmitted. */
static bool write_register(struct uart *uart, uint64_t offset, uint8_t value)
{
	bool divisor = uart->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_TX:
		if (!divisor)
			return write_thr(uart, value);
		uart->dll = value;
		break;
	case UART_IER:
		if (divisor)
			uart->dlm = value;
		else
			write_ier(uart, value);
		break;
	case UART_FCR:
		write_fcr(uart, value);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value & UART_MCR_ALL;
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	default:
		break;
	}
	return false;
}

void uart_write(void *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct uart *uart = device;
	bool drained, transmit;

	(void)length;
	pthread_mutex_lock(&uart->lock);
	transmit = write_register(uart, offset, value);
	drained = uart->sender_waits && uart->fifo_count < UART_FIFO_SIZE;
	if (drained)
		uart->sender_waits = false;
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);

	/*
	 * Standard output may block for long. Transmit without the lock, so that the main thread
	 * does not wait for it and can handle signals.
	 */
	if (transmit)
		uart->transmit(uart->opaque, value);
	if (drained)
		uart->drained(uart->opaque);
}

size_t uart_receive(struct uart *uart, const uint8_t *bytes, size_t length)
{
	size_t done = 0;

	pthread_mutex_lock(&uart->lock);
	while (done < length && uart->fifo_count < UART_FIFO_SIZE)
		fifo_put(uart, bytes[done++]);
	if (done < length)
		uart->sender_waits = true;
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
	return done;
}

size_t uart_room(struct uart *uart)
{
	size_t room;

	pthread_mutex_lock(&uart->lock);
	room = UART_FIFO_SIZE - uart->fifo_count;
	if (!room)
		uart->sender_waits = true;
	pthread_mutex_unlock(&uart->lock);
	return room;
}
