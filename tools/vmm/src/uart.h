/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550A UART.
 */
#ifndef VMM_UART_H
#define VMM_UART_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "irq.h"

#define UART_FIFO_SIZE	64

struct uart {
	pthread_mutex_t lock;
	struct irq_line irq;
	/* Takes one byte that the guest sent. Called without the lock held. */
	void (*transmit)(void *opaque, uint8_t byte);
	/* Tells that uart_receive() has room again. Called without the lock held. */
	void (*drained)(void *opaque);
	void *opaque;

	/* All below is guarded by the lock. */
	uint8_t fifo[UART_FIFO_SIZE];
	unsigned int fifo_head;
	unsigned int fifo_count;
	bool sender_waits;
	bool overrun;
	bool thr_interrupt;
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scr;
	uint8_t dll;
	uint8_t dlm;
};

/**
 * uart_init() - Put a UART into its reset state.
 * @uart: what to fill in; @irq, @transmit, @drained and @opaque are set by the caller
 */
void uart_init(struct uart *uart);

/**
 * uart_read() - The guest reads a register; for struct bus_range.
 * @device: struct uart
 * @offset: register number
 * @length: bytes; the register is the lowest one, the others are 0
 *
 * Return: the register.
 */
uint64_t uart_read(void *device, uint64_t offset, unsigned int length);

/**
 * uart_write() - The guest writes a register; for struct bus_range.
 * @device: struct uart
 * @offset: register number
 * @length: bytes; all but the lowest are dropped
 * @value: what it writes
 */
void uart_write(void *device, uint64_t offset, unsigned int length, uint64_t value);

/**
 * uart_receive() - Hand input to the guest.
 * @uart: the UART
 * @bytes: the input
 * @length: how much
 *
 * Any thread.
 *
 * Return: how much there was room for; if that is less than @length, @drained
 * is called when there is room again.
 */
size_t uart_receive(struct uart *uart, const uint8_t *bytes, size_t length);

/**
 * uart_room() - How much input the guest can take now.
 * @uart: the UART
 *
 * Any thread. When there is none, @drained is called once there is some.
 *
 * Return: bytes that uart_receive() takes at least, if nobody else calls it.
 */
size_t uart_room(struct uart *uart);

#endif /* VMM_UART_H */
