#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deps.sh GROUP...: see that the packages of these groups are installed.
#
# A machine that has them all is left alone: apt is not called. Otherwise root
# gets them by apt-get, and anybody else is told the command that root needs.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || die "usage: deps.sh GROUP..."
[ -x /usr/bin/dpkg-query ] || die "this is no Debian system: dpkg-query is missing"

wanted=()
for group; do
	mapfile -t -O "${#wanted[@]}" wanted < \
		<(awk -v g="$group" '$1 == g { print $2 }' "$TOP/scripts/pkvm/packages")
done
[ "${#wanted[@]}" -gt 0 ] || die "no package is listed for: $*"

# missing: which of the wanted packages are not installed, one per line.
missing()
{
	local have
	# dpkg-query fails when one is unknown and still lists the others.
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
	       awk '$1 == "installed" { print $2 }' | sort -u) || true
	comm -13 <(echo "$have") <(printf '%s\n' "${wanted[@]}" | sort -u)
}

mapfile -t need < <(missing)
[ "${#need[@]}" -gt 0 ] || exit 0

command="apt-get install --no-install-recommends ${need[*]}"
if [ "$(id -u)" != 0 ]; then
	die "packages are missing and only root can install them. As root, run:
    apt-get update && $command"
fi

mkdir -p "$BUILD/log"
log=$BUILD/log/apt.log
: >"$log"
export DEBIAN_FRONTEND=noninteractive
echo "  APT     ${need[*]}"
# shellcheck disable=SC2086 # the command is a list of words
if ! { apt-get update && $command --yes; } >"$log" 2>&1 </dev/null; then
	show_tail "$log"
	die "apt-get could not install ${need[*]}; is the network or the mirror down?"
fi

mapfile -t need < <(missing)
[ "${#need[@]}" -eq 0 ] || die "apt-get succeeded, yet these are not installed: ${need[*]}"
