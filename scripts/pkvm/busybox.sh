#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# busybox.sh OUTPUT: Debian's busybox-static for arm64, for the guest's root.
#
# It comes by apt from the package sources of this machine, checked by their
# keys. apt's state lies in a folder of its own here: the machine learns of no
# foreign architecture, nothing is installed, and no root is needed.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || die "usage: busybox.sh OUTPUT"
output=$(realpath -m "$1")
package=busybox-static

mkdir -p "$BUILD/log" "$(dirname "$output")"
log=$BUILD/log/busybox.log
: >"$log"
scratch=$(mktemp -d "$BUILD/apt.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/lists/partial" "$scratch/archives/partial"
: >"$scratch/status"

# apt ARGUMENT...: apt-get for arm64 with a state of its own.
apt()
{
	(cd "$scratch" && apt-get -q \
		-o APT::Architecture=arm64 -o APT::Architectures=arm64 \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none \
		-o Dir::State::lists="$scratch/lists" -o Dir::State::status="$scratch/status" \
		-o Dir::Cache="$scratch" -o Dir::Cache::archives="$scratch/archives" "$@") \
		>>"$log" 2>&1 </dev/null
}

echo "  APT     $package for arm64"
# A source that has nothing for arm64, or is down, matters only if it is the one.
apt update || true
if ! apt download "$package"; then
	show_tail "$log"
	die "no package source of this machine gives $package for arm64; is the network or the
mirror down, or are the sources in /etc/apt limited to other architectures?"
fi
dpkg-deb --extract "$scratch/${package}"_*_arm64.deb "$scratch/root"
# Debian 12 has it in /bin, Debian 13 in /usr/bin.
for path in usr/bin bin; do
	if [ -f "$scratch/root/$path/busybox" ]; then
		mv "$scratch/root/$path/busybox" "$output"
		exit 0
	fi
done
die "package $package does not give bin/busybox or usr/bin/busybox"
