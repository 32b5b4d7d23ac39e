#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# libfdt 1.6.1 (libfdt-dev 1.6.1-4+b1): fdt_address_cells() of a node whose
# #address-cells is 0 is -14, FDT_ERR_BADNCELLS, while fdt_size_cells() of a
# node whose #size-cells is 0 is 0.
#
# Both would be expected to return the value of the property: libfdt.h documents
# "0 <= n" on success for both, and the device tree specification allows 0, for
# example for an interrupt controller whose children in an interrupt-map have no
# unit address. Code that parses such a map by fdt_address_cells() refuses a valid
# tree; it has to read the property itself.
#
# Seen:
#   address-cells 0: -14
#   size-cells 0: 0

set -euo pipefail
# shellcheck source=findings/common/packages.sh
. "$(dirname "$0")/common/packages.sh"

unpack libfdt-dev=1.6.1-4+b1 gcc=4:12.2.0-3 libc6-dev
cat >"$WORK/cells.c" <<'END'
#include <stdio.h>
#include <libfdt.h>

int main(void)
{
	static char tree[4096];
	int node;

	if (fdt_create_empty_tree(tree, sizeof(tree)))
		return 1;
	node = fdt_add_subnode(tree, 0, "controller");
	if (node < 0 || fdt_setprop_u32(tree, node, "#address-cells", 0) ||
	    fdt_setprop_u32(tree, node, "#size-cells", 0))
		return 1;

	printf("address-cells 0: %d\n", fdt_address_cells(tree, node));
	printf("size-cells 0: %d\n", fdt_size_cells(tree, node));

	return 0;
}
END
libs=$ROOT/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
LD_LIBRARY_PATH=$libs "$ROOT/usr/bin/gcc" --sysroot="$ROOT" -o "$WORK/cells" "$WORK/cells.c" \
	"$libs/libfdt.a"
"$WORK/cells" >"$WORK/seen"

expect 'address-cells 0: -14
size-cells 0: 0'
