/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI Express root port with a slot, into which a function can be plugged while the guest
 * runs. The guest learns of it by an interrupt: pciehp of Linux handles it.
 */
#ifndef VMM_ROOT_PORT_H
#define VMM_ROOT_PORT_H

#include "pci.h"

struct root_port {
	struct pci_function pci;
	/* Offset of the PCI Express capability. */
	unsigned int express;
	/* Called with the lock held after the guest has written to configuration space. */
	void (*written)(void *owner);
	void *owner;
};

/**
 * root_port_init() - Initialise a root port with an empty slot.
 * @port: filled in, except for the interrupt line, @written and @owner, which the caller sets
 * @number: the number of its slot, 1 to 255
 *
 * Return: 0, or -ENOSPC if configuration space has no room for the capability.
 */
int root_port_init(struct root_port *port, unsigned int number);

/**
 * root_port_plug() - Plug a function into the slot, or pull the one out that is there.
 * @port: the port; the host bridge's lock is held
 * @function: the function, or NULL
 *
 * The guest gets an interrupt, if it wants that.
 */
void root_port_plug(struct root_port *port, struct pci_function *function);

#endif /* VMM_ROOT_PORT_H */
