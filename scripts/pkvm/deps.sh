#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deps.sh GROUP...          check that the packages of these groups are installed, are new
#                           enough, and contain the files that this tree needs.
# deps.sh --newer PACKAGE   print the commands that install a version that is new enough.
#
# If nothing is missing, the script does not call apt. Otherwise it installs the packages if
# root runs it, and prints the necessary commands if another user does. If the release has only
# an older version of a package, the package is taken from the release's backports. The script
# adds a sources file for these, with the mirror that the machine already uses.

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
[ -x /usr/bin/dpkg-query ] || die "this is not a Debian system: dpkg-query is missing"

# listed NAME...: print a line "package version files" for each package of these groups, or for
# this package. The version is "-" if any version will do.
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
[ -n "$wanted" ] || die "scripts/pkvm/packages lists no package for: $*"
# If the user selects a QEMU, the version of Debian's does not matter.
[ -z "${QEMU-}" ] || wanted=$(awk '$1 == "qemu-system-arm" { $2 = "-" } 1' <<<"$wanted")

# lacking: print a line "package version" for each package that is not installed or too old.
lacking()
{
	local package version have names
	declare -A installed
	mapfile -t names < <(cut -d' ' -f1 <<<"$wanted")
	# If dpkg-query does not know one package, it fails but still lists the others.
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

# candidate PACKAGE: print the version that apt would install, or nothing if it knows none.
candidate()
{
	apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

CODENAME=$(codename)
BACKPORTS=$CODENAME-backports

# sources_file: print the path of our sources file, in the directory that apt reads.
sources_file()
{
	local parts
	eval "$(apt-config shell parts Dir::Etc::sourceparts/d)"
	echo "${parts%/}/pkvm-backports.sources"
}

# backports: print the contents of our sources file, or nothing if apt knows the backports.
backports()
{
	local uri keys
	[ -z "$(mirror "$BACKPORTS")" ] || return 0
	uri=$(mirror "$CODENAME")
	[ -n "$uri" ] || die "apt has no source for Debian $CODENAME, so the mirror for \
$BACKPORTS is unknown"
	for keys in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ ! -e "$keys" ] || break
	done
	printf '%s\n' 'Types: deb' "URIs: $uri" "Suites: $BACKPORTS" 'Components: main' \
		"Signed-By: $keys"
}

# commands PLAIN NEW...: print the commands for root. NEW are packages from the backports.
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

# sort_out: put each package of $need into $plain, or into $new if only the backports have a
# version that is new enough.
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

# apt ARGUMENT...: run apt-get with its output in the log.
apt()
{
	apt-get "$@" >>"$log" 2>&1 </dev/null
}

need=$(lacking)

if [ -n "$newer" ]; then
	if [ -z "$need" ]; then
		echo "The installed package $* is new enough: select its program by PATH or QEMU."
	else
		sort_out
		echo "As root, run:"
		commands "$plain" "${new[@]}"
	fi
	exit 0
fi

if [ -n "$need" ] && [ "$(id -u)" != 0 ]; then
	sort_out
	die "packages are missing or too old, and only root can install packages. As root, run:
$(commands "$plain" "${new[@]}")"
fi

if [ -n "$need" ]; then
	mkdir -p "$BUILD/log"
	log=$BUILD/log/apt.log
	: >"$log"
	export DEBIAN_FRONTEND=noninteractive
	echo "  APT     $(cut -d' ' -f1 <<<"$need" | xargs)"
	failed="apt-get could not install $(cut -d' ' -f1 <<<"$need" | xargs); check the network \
and the mirror"
	apt update || { show_tail "$log"; die "$failed"; }
	sort_out
	if [ ${#new[@]} -gt 0 ]; then
		text=$(backports)
		if [ -n "$text" ]; then
			file=$(sources_file)
			echo "  APT     ${new[*]} from $BACKPORTS, by $file"
			echo "$text" >"$file"
		fi
		# If the backports cannot be used, remove our sources file again.
		if ! apt update || ! apt install --no-install-recommends --yes \
				-t "$BACKPORTS" "${new[@]}"; then
			[ -z "$text" ] || rm -f "$file"
			show_tail "$log"
			die "$BACKPORTS, which has the necessary version of ${new[*]}, cannot be reached \
or used"
		fi
	fi
	# shellcheck disable=SC2086 # a list of words
	[ -z "$plain" ] || apt install --no-install-recommends --yes $plain ||
		{ show_tail "$log"; die "$failed"; }
	need=$(lacking)
	[ -z "$need" ] || die "apt-get succeeded, but these packages are not installed: \
$(cut -d' ' -f1 <<<"$need" | xargs)"
fi

# Another release may have moved a file that this tree needs. Check this now rather than fail
# in the middle of a long build. "a|b" means that one of the two files is enough.
while read -r package _ files; do
	for file in $files; do
		found=
		for path in ${file//|/ }; do
			[ ! -e "$path" ] || found=1
		done
		[ -n "$found" ] || die "package $package does not contain $file; find the package \
that contains it in this release"
	done
done <<<"$wanted"
