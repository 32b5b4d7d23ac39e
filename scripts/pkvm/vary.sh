#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vary.sh OBJDIR FROM [SOURCE]: copy the objects of the kernel in FROM to OBJDIR, as the start of
# another kernel.
#
# The kernel's makefiles then compile only the files whose options, sources or commands differ.
# SOURCE is the source directory, if it is not build/linux. Each file there has to be a link to the
# file in build/linux or newer than the objects.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: vary.sh OBJDIR FROM [SOURCE]"
obj=$(realpath -m "$1")
source=$(realpath -m "${3:-$BUILD/linux}")

new=$obj.new
rm -rf "$obj" "$new"
# Half a copy is of no use, and may be what fills the disk.
trap 'rm -rf "$new"' EXIT
mkdir -p "$(dirname "$obj")"
cp -a "$2" "$new"
# Remove the results, so that make does not take them for up to date.
rm -f "$new/.config" "$new/vmlinux" "$new/arch/arm64/boot/Image"
if [ "$source" != "$BUILD/linux" ]; then
	# The recorded commands and dependencies contain absolute paths of sources.
	find "$new" -name '*.cmd' -exec sed -i "s|$BUILD/linux/|$source/|g" {} +
fi
mv "$new" "$obj"
