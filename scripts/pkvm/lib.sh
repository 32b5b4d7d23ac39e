# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Functions and paths that the shell scripts of this directory share. All paths are below the
# checkout, so that several checkouts do not interfere.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this file
BUILD=$TOP/build

# die MESSAGE...: print the script's name and an error message on stderr, and exit.
die()
{
	echo "${0##*/}: error: $*" >&2
	exit 1
}

# show_tail FILE [LINES]: print the end of a log, indented, on stderr.
show_tail()
{
	echo "--- the end of $1:" >&2
	tail -n "${2:-20}" "$1" | sed 's/^/    /' >&2
}

# codename: print the code name of this machine's Debian release.
codename()
{
	# shellcheck source=/dev/null
	(. "${OS_RELEASE:-/etc/os-release}" && echo "${VERSION_CODENAME-}")
}

# mirror SUITE: print the URL from which this machine's apt gets a suite, or nothing if it does
# not use that suite. A source may name the suite by its code name or as "stable".
mirror()
{
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(RELEASE)|$(CODENAME)|$(COMPONENT)|$(SITE)' \
		'Created-By: Packages' | awk -F'|' -v name="$1" '
		($1 == name || $2 == name) && $3 == "main" && !found { print $4; found = 1 }'
}
