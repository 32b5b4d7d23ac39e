/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550A UART. Rule: no input is lost; it waits until the guest has made room for it.
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
	/* Transmits a byte that the guest sent. Called without the lock. */
	void (*transmit)(void *opaque, uint8_t byte);
	/* Called, without the lock, when the FIFO has room again. */
	void (*drained)(void *opaque);
	void *opaque;

	/* The lock protects everything below. */
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
 * @uart: filled in, except for @irq, @transmit, @drained and @opaque, which the caller sets
 */
void uart_init(struct uart *uart);

/**
 * uart_read() - Handle a read of a register; for struct bus_range.
 * @device: struct uart
 * @offset: register number
 * @length: bytes; the lowest byte is the register, the others are 0
 *
 * Any vCPU thread; takes the lock.
 *
 * Return: the value.
 */
uint64_t uart_read(void *device, uint64_t offset, unsigned int length);

/**
 * uart_write() - Handle a write to a register; for struct bus_range.
 * @device: struct uart
 * @offset: register number
 * @length: bytes; all but the lowest are dropped
 * @value: the value
 *
 * Any vCPU thread; takes the lock.
 */
void uart_write(void *device, uint64_t offset, unsigned int length, uint64_t value);

/**
 * uart_receive() - Pass input to the guest.
 * @uart: the UART
 * @bytes: the input
 * @length: bytes of the input
 *
 * Any thread; takes the lock.
 *
 * Return: bytes taken; if that is less than @length, @drained is called when there is room
 * again.
 */
size_t uart_receive(struct uart *uart, const uint8_t *bytes, size_t length);

/**
 * uart_room() - Get how much input the guest can take now.
 * @uart: the UART
 *
 * Any thread; takes the lock. If there is no room, @drained is called when there is room again.
 *
 * Return: bytes that uart_receive() takes at least, if no other thread calls it meanwhile.
 */
size_t uart_room(struct uart *uart);

#endif /* VMM_UART_H */
