// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI Express root port (root_port.h; PCI Express base specification 4.0, 6.7 and 7.5.3).
 *
 * The slot has neither a button nor a lamp, nor a switch for its power: a function comes and
 * goes as by a surprise, which the port can report. Its commands complete at once, so it does
 * not report that.
 */
#include <stddef.h>

#include <linux/pci_regs.h>

#include "le.h"
#include "root_port.h"

/* Any root port of this machine; QEMU's has these IDs, and no driver asks for them. */
#define DEVICE_ROOT_PORT	0x000c
#define CLASS_BRIDGE_PCI	0x060400
/* Bytes of the capability, of version 2. */
#define EXPRESS_LENGTH		0x3c
#define EXPRESS_VERSION		2
#define TYPE_SHIFT		4
#define WIDTH_1			PCI_EXP_LNKSTA_NLW_X1
#define NUMBER_SHIFT		19
#define EVENTS			(PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)

#define container_of_port(function) \
	((struct root_port *)((char *)(function) - offsetof(struct root_port, pci)))

static uint8_t *express_register(struct root_port *port, unsigned int offset)
{
	return &port->pci.config[port->express + offset];
}

/* Events that the guest has not cleared request an interrupt, if it has enabled them. */
static void update_interrupt(struct root_port *port)
{
	uint16_t control = get_le16(express_register(port, PCI_EXP_SLTCTL));
	uint16_t status = get_le16(express_register(port, PCI_EXP_SLTSTA));
	bool pending = (status & PCI_EXP_SLTSTA_PDC && control & PCI_EXP_SLTCTL_PDCE) ||
		       (status & PCI_EXP_SLTSTA_DLLSC && control & PCI_EXP_SLTCTL_DLLSCE);

	pci_set_interrupt(&port->pci, pending && control & PCI_EXP_SLTCTL_HPIE);
}

static void config_written(struct pci_function *function, unsigned int offset,
			   unsigned int length)
{
	struct root_port *port = container_of_port(function);

	(void)offset;
	(void)length;
	update_interrupt(port);
	port->written(port->owner);
}

static const struct pci_function_ops port_ops = {
	.config_written = config_written,
};

int root_port_init(struct root_port *port, unsigned int number)
{
	static const struct pci_ids ids = {
		.vendor = PCI_VENDOR_ID_REDHAT,
		.device = DEVICE_ROOT_PORT,
		.class = CLASS_BRIDGE_PCI,
	};
	uint8_t capability[EXPRESS_LENGTH] = { PCI_CAP_ID_EXP };
	int offset;

	pci_function_init(&port->pci, &ids, &port_ops);
	pci_function_make_bridge(&port->pci);

	put_le16(&capability[PCI_EXP_FLAGS], EXPRESS_VERSION | PCI_EXP_FLAGS_SLOT |
		 PCI_EXP_TYPE_ROOT_PORT << TYPE_SHIFT);
	put_le32(&capability[PCI_EXP_DEVCAP], PCI_EXP_DEVCAP_RBER);
	put_le32(&capability[PCI_EXP_LNKCAP],
		 PCI_EXP_LNKCAP_SLS_2_5GB | WIDTH_1 | PCI_EXP_LNKCAP_DLLLARC);
	put_le16(&capability[PCI_EXP_LNKSTA], PCI_EXP_LNKSTA_CLS_2_5GB | WIDTH_1);
	put_le32(&capability[PCI_EXP_SLTCAP], PCI_EXP_SLTCAP_HPS | PCI_EXP_SLTCAP_HPC |
		 PCI_EXP_SLTCAP_NCCS | number << NUMBER_SHIFT);
	offset = pci_function_add_capability(&port->pci, capability, sizeof(capability));
	if (offset < 0)
		return offset;

	port->express = offset;
	put_le16(&port->pci.writable[offset + PCI_EXP_SLTCTL], PCI_EXP_SLTCTL_PDCE |
		 PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE);
	put_le16(&port->pci.clearable[offset + PCI_EXP_SLTSTA], EVENTS);
	return 0;
}

void root_port_plug(struct root_port *port, struct pci_function *function)
{
	uint16_t link = get_le16(express_register(port, PCI_EXP_LNKSTA));
	uint16_t slot = get_le16(express_register(port, PCI_EXP_SLTSTA));

	port->pci.child = function;
	link &= ~PCI_EXP_LNKSTA_DLLLA;
	slot &= ~PCI_EXP_SLTSTA_PDS;
	if (function) {
		link |= PCI_EXP_LNKSTA_DLLLA;
		slot |= PCI_EXP_SLTSTA_PDS;
	}
	put_le16(express_register(port, PCI_EXP_LNKSTA), link);
	put_le16(express_register(port, PCI_EXP_SLTSTA), slot | EVENTS);
	update_interrupt(port);
}
