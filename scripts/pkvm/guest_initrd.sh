#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_initrd.sh OUTPUT: write the initrd of the Linux guest, a compressed cpio archive with
# busybox and an init script. The same input files result in the same bytes.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || die "usage: guest_initrd.sh OUTPUT"

echo "  INITRD  ${1#"$TOP/"}"
{
	for dir in bin dev mnt proc; do
		echo "dir /$dir 0755 0 0"
	done
	echo "nod /dev/console 0600 0 0 c 5 1"
	echo "file /bin/busybox $BUILD/guest/busybox 0755 0 0"
	echo "file /init $TOP/tools/testing/guest/initrd 0755 0 0"
} | "$BUILD/gen_init_cpio" -t 0 - | gzip -9n >"$1.new"
mv "$1.new" "$1"
