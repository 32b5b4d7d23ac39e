/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A level-triggered interrupt line from a device to the interrupt controller. Rule: the
 * controller is called only when the level changes.
 */
#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include <stdbool.h>

/* The device that owns the line protects it by its own lock. */
struct irq_line {
	/* Sets the level of input @spi of the controller. */
	void (*set)(void *controller, unsigned int spi, bool level);
	void *controller;
	unsigned int spi;
	bool level;
};

/**
 * irq_line_set() - Set the level of a line.
 * @line: the line; the caller holds the lock of the device that owns it
 * @level: true requests an interrupt
 */
static inline void irq_line_set(struct irq_line *line, bool level)
{
	if (line->level == level)
		return;
	line->level = level;
	line->set(line->controller, line->spi, level);
}

#endif /* VMM_IRQ_H */
