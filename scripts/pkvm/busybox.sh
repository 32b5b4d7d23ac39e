#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# busybox.sh OUTPUT: fetch the program of Debian's busybox-static for arm64, for the guest's
# root file system.
#
# apt downloads the package from this machine's package sources and checks its signature. apt
# keeps its state in a temporary directory here: the machine does not get arm64 as a foreign
# architecture, nothing is installed, and root privileges are not needed.

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

# apt ARGUMENT...: run apt-get for arm64 with its state in the temporary directory.
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
# A package source without arm64, or one that is down, may not be the one that is needed.
apt update || true
if ! apt download "$package"; then
	show_tail "$log"
	die "no package source of this machine has $package for arm64. Check the network and
the mirror, and whether the sources in /etc/apt are limited to other architectures."
fi
dpkg-deb --extract "$scratch/${package}"_*_arm64.deb "$scratch/root"
# Debian 12 has the program in /bin, Debian 13 in /usr/bin.
for path in usr/bin bin; do
	if [ -f "$scratch/root/$path/busybox" ]; then
		mv "$scratch/root/$path/busybox" "$output"
		exit 0
	fi
done
die "package $package contains neither bin/busybox nor usr/bin/busybox"
