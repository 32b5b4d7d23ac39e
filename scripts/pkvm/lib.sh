# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the shell scripts of this directory share: where things are, and one way
# to give up. Every path hangs off the checkout, so that two checkouts never
# meet.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this file
BUILD=$TOP/build

# die MESSAGE...: one place that gives up; says who and why on stderr.
die()
{
	echo "${0##*/}: error: $*" >&2
	exit 1
}

# show_tail FILE [LINES]: the end of a log, indented, on stderr.
show_tail()
{
	echo "--- the end of $1:" >&2
	tail -n "${2:-20}" "$1" | sed 's/^/    /' >&2
}

# codename: that of this machine's Debian.
codename()
{
	# shellcheck source=/dev/null
	(. "${OS_RELEASE:-/etc/os-release}" && echo "${VERSION_CODENAME-}")
}

# mirror SUITE: where this machine's apt has a suite from, nothing if it has none. A source
# names it by code name, or as "stable".
mirror()
{
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(RELEASE)|$(CODENAME)|$(COMPONENT)|$(SITE)' \
		'Created-By: Packages' | awk -F'|' -v name="$1" '
		($1 == name || $2 == name) && $3 == "main" && !found { print $4; found = 1 }'
}
