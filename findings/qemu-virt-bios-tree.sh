#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU 7.2 (qemu-system-arm 1:7.2+dfsg-7+deb12u18+b3): the device tree that
# "-machine virt,dumpdtb=" writes depends on whether -bios is given. With it the
# tree lacks the PL061 GPIO controller and the power button that is connected to it.
#
# It would be expected that -bios only selects the first code that runs. But with
# firmware QEMU replaces the button by an ACPI event device, and the machine has no
# GPIO controller. A kernel that gets a tree which was dumped without -bios would
# drive a device that does not exist. The tree has to be dumped with the same -bios
# that is used later.
#
# Seen:
#   without -bios: arm,pl061 yes, gpio-keys yes
#   with -bios: arm,pl061 no, gpio-keys no

set -euo pipefail
# shellcheck source=findings/common/packages.sh
. "$(dirname "$0")/common/packages.sh"

unpack qemu-system-arm=1:7.2+dfsg-7+deb12u18+b3
head -c 4096 /dev/zero >"$WORK/bios"

# in_tree TEXT: print whether the dumped tree contains a text.
in_tree()
{
	grep -aq "$1" "$WORK/tree" && echo yes || echo no
}

# dump NAME OPTION...: print which of the two device nodes the dumped tree contains.
dump()
{
	local name=$1
	shift
	LD_LIBRARY_PATH=$(find "$ROOT" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:) \
		"$ROOT/usr/bin/qemu-system-aarch64" -nodefaults -display none -cpu cortex-a57 \
		-machine "virt,dumpdtb=$WORK/tree" "$@" >"$WORK/log" 2>&1 ||
		{ cat "$WORK/log" >&2; fail "QEMU dumps no tree"; }
	echo "$name: arm,pl061 $(in_tree arm,pl061), gpio-keys $(in_tree gpio-keys)"
}
{ dump 'without -bios'; dump 'with -bios' -bios "$WORK/bios"; } >"$WORK/seen"

expect 'without -bios: arm,pl061 yes, gpio-keys yes
with -bios: arm,pl061 no, gpio-keys no'
