#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vary.sh OBJDIR FROM [SOURCE]: let a kernel in OBJDIR start from the objects of the one in FROM.
#
# The kernel's makefiles compile again what depends on a changed symbol, a changed file or another
# command, and nothing else. SOURCE is where the sources are, if not at build/linux. They must then
# be links to those there, or newer than the objects.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: vary.sh OBJDIR FROM [SOURCE]"
obj=$(realpath -m "$1")
source=$(realpath -m "${3:-$BUILD/linux}")

new=$obj.new
rm -rf "$obj" "$new"
mkdir -p "$(dirname "$obj")"
cp -a "$2" "$new"
# A kernel that is out of date must not look made.
rm -f "$new/.config" "$new/vmlinux" "$new/arch/arm64/boot/Image"
if [ "$source" != "$BUILD/linux" ]; then
	# Commands and dependencies name sources by their whole path.
	find "$new" -name '*.cmd' -exec sed -i "s|$BUILD/linux/|$source/|g" {} +
fi
mv "$new" "$obj"
