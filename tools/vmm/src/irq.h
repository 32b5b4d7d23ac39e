/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A level-triggered interrupt line from a device to the interrupt controller.
 */
#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include <stdbool.h>

/* The device that owns the line calls it under the device's own lock. */
struct irq_line {
	/* Drives input @spi of the controller. */
	void (*set)(void *controller, unsigned int spi, bool level);
	void *controller;
	unsigned int spi;
	bool level;
};

/**
 * irq_line_set() - Drive a line, and tell the controller only of changes.
 * @line: the line
 * @level: true asks for an interrupt
 */
static inline void irq_line_set(struct irq_line *line, bool level)
{
	if (line->level == level)
		return;
	line->level = level;
	line->set(line->controller, line->spi, level);
}

#endif /* VMM_IRQ_H */
