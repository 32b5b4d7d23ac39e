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
