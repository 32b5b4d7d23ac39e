#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# initramfs.sh OUTPUT: write the host's root, a compressed cpio archive with init, VMM and
# firmware. The same programs result in the same bytes.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || die "usage: initramfs.sh OUTPUT"

echo "  ROOT    ${1#"$TOP/"}"
{
	for dir in dev etc proc sys tmp; do
		echo "dir /$dir 0755 0 0"
	done
	echo "nod /dev/console 0600 0 0 c 5 1"
	for program in init vmm pvmfw.bin; do
		[ ! -e "$BUILD/$program" ] || echo "file /$program $BUILD/$program 0755 0 0"
	done
} | "$BUILD/gen_init_cpio" -t 0 - | gzip -9n >"$1.new"
mv "$1.new" "$1"
