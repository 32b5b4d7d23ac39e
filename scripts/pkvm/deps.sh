#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deps.sh GROUP...          see that the packages of these groups are installed,
#                           new enough, and give the files that are wanted of them.
# deps.sh --newer PACKAGE   print the command that brings one that is new enough.
#
# A machine that has them all is left alone: apt is not called. Otherwise root gets
# them by apt-get, and anybody else is told the commands that root needs. What the
# release has only in an older version comes from its backports, by a sources file of
# our own, with the mirror that the machine uses already.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

LIST=$TOP/scripts/pkvm/packages
newer=
if [ "${1-}" = --newer ]; then
	newer=1
	shift
fi
[ $# -gt 0 ] || die "usage: deps.sh GROUP... | --newer PACKAGE"
[ -x /usr/bin/dpkg-query ] || die "this is no Debian system: dpkg-query is missing"

# listed: lines "package version files" of the groups, or of the package, asked for.
# The version is "-" where any will do.
listed()
{
	local key=1
	[ -z "$newer" ] || key=2
	awk -v key="$key" -v wanted=" $* " '
		!/^#/ && NF && index(wanted, " " $key " ") {
			version = "-"; files = ""
			for (i = 3; i <= NF; i++)
				if ($i ~ /^>=/) version = substr($i, 3); else files = files " " $i
			print $2, version files
		}' "$LIST" | sort -u
}

wanted=$(listed "$@")
[ -n "$wanted" ] || die "no package is listed for: $*"
# Whoever has chosen a QEMU need not have a new one from Debian as well.
[ -z "${QEMU-}" ] || wanted=$(awk '$1 == "qemu-system-arm" { $2 = "-" } 1' <<<"$wanted")

# lacking: "package version" of what is not installed, or too old, one per line.
lacking()
{
	local package version have names
	declare -A installed
	mapfile -t names < <(cut -d' ' -f1 <<<"$wanted")
	# dpkg-query fails when one is unknown and still lists the others.
	while read -r _ package version; do
		installed[$package]=$version
	done < <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' \
		 "${names[@]}" 2>/dev/null | grep '^installed ' || true)
	while read -r package version _; do
		have=${installed[$package]-}
		if [ -z "$have" ] || { [ "$version" != - ] &&
		   dpkg --compare-versions "$have" lt "$version"; }; then
			echo "$package $version"
		fi
	done <<<"$wanted"
}

# candidate PACKAGE: the version that apt would take, nothing if it knows none.
candidate()
{
	apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

CODENAME=$(codename)
BACKPORTS=$CODENAME-backports

# sources_file: where apt looks for sources, so that ours is found.
sources_file()
{
	local parts
	eval "$(apt-config shell parts Dir::Etc::sourceparts/d)"
	echo "${parts%/}/pkvm-backports.sources"
}

# backports: the contents of our sources file, nothing if the machine has that source.
backports()
{
	local uri keys
	[ -z "$(mirror "$BACKPORTS")" ] || return 0
	uri=$(mirror "$CODENAME")
	[ -n "$uri" ] || die "apt has no source for Debian $CODENAME, and so no mirror to take \
$BACKPORTS from"
	for keys in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ ! -e "$keys" ] || break
	done
	printf '%s\n' 'Types: deb' "URIs: $uri" "Suites: $BACKPORTS" 'Components: main' \
		"Signed-By: $keys"
}

# commands PLAIN NEW...: what root has to type. NEW are packages from the backports.
commands()
{
	local plain=$1 text
	shift
	if [ $# -gt 0 ]; then
		text=$(backports)
		[ -z "$text" ] || printf "    cat >%s <<'END'\n%s\nEND\n" "$(sources_file)" "$text"
	fi
	echo "    apt-get update"
	[ -z "$plain" ] || echo "    apt-get install --no-install-recommends $plain"
	[ $# -eq 0 ] || echo "    apt-get install --no-install-recommends -t $BACKPORTS $*"
}

# sort_out: split what is lacking into plain and new, by what apt would take.
sort_out()
{
	local package version have
	plain='' new=()
	while read -r package version; do
		[ -n "$package" ] || continue
		have=$([ "$version" = - ] || candidate "$package")
		if [ "$version" = - ] || { [ -n "$have" ] &&
		   dpkg --compare-versions "$have" ge "$version"; } ||
		   { [ -z "$have" ] && [ "$CODENAME" != bookworm ]; }; then
			plain+="${plain:+ }$package"
		else
			new+=("$package")
		fi
	done <<<"$need"
}

# apt ARGUMENT...: apt-get, its output in the log.
apt()
{
	apt-get "$@" >>"$log" 2>&1 </dev/null
}

need=$(lacking)

if [ -n "$newer" ]; then
	if [ -z "$need" ]; then
		echo "The package $* of this machine is new enough: take its program, by PATH or QEMU."
	else
		sort_out
		echo "As root, run:"
		commands "$plain" "${new[@]}"
	fi
	exit 0
fi

if [ -n "$need" ] && [ "$(id -u)" != 0 ]; then
	sort_out
	die "packages are missing or too old, and only root can install them. As root, run:
$(commands "$plain" "${new[@]}")"
fi

if [ -n "$need" ]; then
	mkdir -p "$BUILD/log"
	log=$BUILD/log/apt.log
	: >"$log"
	export DEBIAN_FRONTEND=noninteractive
	echo "  APT     $(cut -d' ' -f1 <<<"$need" | xargs)"
	failed="apt-get could not install $(cut -d' ' -f1 <<<"$need" | xargs); is the network or \
the mirror down?"
	apt update || { show_tail "$log"; die "$failed"; }
	sort_out
	if [ ${#new[@]} -gt 0 ]; then
		text=$(backports)
		if [ -n "$text" ]; then
			file=$(sources_file)
			echo "  APT     ${new[*]} from $BACKPORTS, by $file"
			echo "$text" >"$file"
		fi
		# Without the backports, apt goes on as it was before.
		if ! apt update || ! apt install --no-install-recommends --yes \
				-t "$BACKPORTS" "${new[@]}"; then
			[ -z "$text" ] || rm -f "$file"
			show_tail "$log"
			die "$BACKPORTS, which has ${new[*]} as new as is needed, cannot be reached or \
used"
		fi
	fi
	# shellcheck disable=SC2086 # a list of words
	[ -z "$plain" ] || apt install --no-install-recommends --yes $plain ||
		{ show_tail "$log"; die "$failed"; }
	need=$(lacking)
	[ -z "$need" ] || die "apt-get succeeded, yet these are not installed: \
$(cut -d' ' -f1 <<<"$need" | xargs)"
fi

# What a package is wanted for may lie elsewhere in another release: say so before hours of
# building, not after. "a|b" is one of the two.
while read -r package _ files; do
	for file in $files; do
		found=
		for path in ${file//|/ }; do
			[ ! -e "$path" ] || found=1
		done
		[ -n "$found" ] || die "package $package does not give $file; what gives it in \
this release?"
	done
done <<<"$wanted"
