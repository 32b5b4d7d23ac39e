#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# config.sh OBJDIR FRAGMENT...: configure the kernel in build/linux, with OBJDIR for its
# objects, as allnoconfig plus the fragments in their order. The script fails if Kconfig does
# not set an option to the value that a fragment requests: without this check, missing options
# would show only as failures at run time. MAKEARGS is passed to the kernel's make. KSRC
# selects another kernel than build/linux.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: config.sh OBJDIR FRAGMENT..."
obj=$1
shift

mkdir -p "$obj"
obj=$(cd "$obj" && pwd)
cat "$@" >"$obj/pkvm.fragments"
log=$obj/pkvm.config.log
# shellcheck disable=SC2086 # MAKEARGS is a list of words
if ! make -C "${KSRC:-$BUILD/linux}" O="$obj" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
	${MAKEARGS:-} KCONFIG_ALLCONFIG="$obj/pkvm.fragments" allnoconfig >"$log" 2>&1; then
	show_tail "$log"
	die "the configuration failed"
fi

# If several fragments set an option, the last one counts, as in Kconfig.
refused=$(awk '
	/^CONFIG_[A-Za-z0-9_]+=/ { split($0, part, "="); want[part[1]] = $0 }
	/^# CONFIG_[A-Za-z0-9_]+ is not set$/ { want[$2] = $0 }
	END { for (symbol in want) print want[symbol] }' "$obj/pkvm.fragments" |
	sort | while read -r line; do
		case $line in
		*=n|"# "*) symbol=${line#\# }; symbol=${symbol%%[ =]*}
			grep -q "^$symbol=" "$obj/.config" && echo "$line" ;;
		*) grep -qxF "$line" "$obj/.config" || echo "$line" ;;
		esac
	done) || true
[ -z "$refused" ] || die "Kconfig did not set these options as the fragments request, probably
because a dependency is missing:
$refused"
