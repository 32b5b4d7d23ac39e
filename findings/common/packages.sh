# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the scripts of this directory: download packages of Debian 12 in given versions, and unpack
# them in a temporary directory, which is removed when the script ends. Nothing is installed, and
# the machine's package lists do not change. The mirror is that of the machine's apt.

WORK=$(mktemp -d)
ROOT=$WORK/root
trap 'rm -rf "$WORK"' EXIT

fail()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# unpack PACKAGE=VERSION...: unpack these packages and all that they depend on to $ROOT.
unpack()
{
	local mirror options
	# shellcheck disable=SC2016 # apt expands it
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		 grep -v -e security -e '^file:' | sort | uniq -c | sort -rn |
		 awk 'NR == 1 { print $2 }')
	[ -n "$mirror" ] || fail "apt knows no mirror: run apt-get update"

	mkdir -p "$WORK"/{lists/partial,cache/archives/partial,none} "$ROOT"
	: >"$WORK/status"
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
		"$mirror" bookworm "${mirror%/}-security/" bookworm-security \
		>"$WORK/sources.list"
	options=(-o Dir::Etc::SourceList="$WORK/sources.list"
		 -o Dir::Etc::SourceParts="$WORK/none"
		 -o Dir::State::Lists="$WORK/lists" -o Dir::State::status="$WORK/status"
		 -o Dir::Cache="$WORK/cache" -o APT::Sandbox::User=root
		 -o APT::Install-Recommends=false)
	{ apt-get "${options[@]}" update &&
	  apt-get "${options[@]}" --yes --download-only install "$@"; } >"$WORK/log" 2>&1 ||
		{ tail -n 5 "$WORK/log" >&2; fail "the mirror does not have $*"; }
	for package in "$WORK"/cache/archives/*.deb; do
		dpkg-deb --extract "$package" "$ROOT"
	done
}

# expect TEXT: compare the observed behaviour, in $WORK/seen, with what the script states.
expect()
{
	cat "$WORK/seen"
	diff <(printf '%s\n' "$1") "$WORK/seen" >&2 || fail "the behaviour is not the stated one"
}
