#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fresh.sh SUITE [GOAL...]: run the commands of the README on a newly installed Debian release.
#
# The script installs a minimal system with debootstrap into a directory, clones the commits of
# this checkout into it, and runs make GOAL there, for each goal in turn; the default goals are
# run and test. Mounts and processes are in namespaces of their own, so that none is left
# however the script ends. If a goal fails, the directory is kept. The log is
# build/log/fresh-SUITE.log.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

# Time limits in seconds for the installation and for each goal.
ROOT_LIMIT=${ROOT_LIMIT:-1800}
GOAL_LIMIT=${GOAL_LIMIT:-10800}

# goals ROOT GOAL...: inside the namespaces, mount /proc and /dev and run each goal.
goals()
{
	local root=$1 goal start status
	shift
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	for goal; do
		echo "  FRESH   make $goal"
		start=$SECONDS status=0
		chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			LANG=C.UTF-8 TERM="${TERM:-dumb}" \
			timeout --kill-after=30 "$GOAL_LIMIT" make -C /root/tree "$goal" || status=$?
		[ $status != 124 ] || die "make $goal did not end within $GOAL_LIMIT s"
		[ $status = 0 ] || die "make $goal failed with status $status"
		echo "  FRESH   make $goal succeeded after $((SECONDS - start)) s"
	done
}

if [ "${1-}" = --inside ]; then
	shift
	goals "$@"
	exit 0
fi

suite=${1-}
[ -n "$suite" ] || die "usage: fresh.sh SUITE [GOAL...]; SUITE is trixie or bookworm"
case $suite in
trixie|bookworm) ;;
*) die "SUITE=$suite: this tree supports trixie and bookworm" ;;
esac
shift
[ $# -gt 0 ] || set -- run test
[ "$(id -u)" = 0 ] || die "only root can install a system. As root, run: make fresh SUITE=$suite"

# Use the mirrors of this machine.
main=$(mirror "$(codename)")
security=$(mirror "$(codename)-security")
[ -n "$main" ] || die "apt has no source for Debian $(codename), so the mirror for $suite is \
unknown"

changed=$(git -C "$TOP" status --porcelain --untracked-files=no)
[ -z "$changed" ] ||
	echo "  FRESH   changes that are not committed are not tested: $(wc -l <<<"$changed") files"

root=$BUILD/fresh/$suite
mkdir -p "$BUILD/log" "$BUILD/fresh"
log=$BUILD/log/fresh-$suite.log
rm -rf --one-file-system "$root"

echo "  FRESH   installing $suite in ${root#"$TOP/"}"
status=0
timeout --foreground --kill-after=30 "$ROOT_LIMIT" debootstrap --variant=minbase \
	--include=ca-certificates,git,make "$suite" "$root" "$main" >"$log" 2>&1 </dev/null ||
	status=$?
[ $status != 124 ] || die "debootstrap did not end within $ROOT_LIMIT s"
[ $status = 0 ] || { show_tail "$log"; die "debootstrap could not install $suite"; }

{
	echo "deb $main $suite main"
	echo "deb $main $suite-updates main"
	[ -z "$security" ] || echo "deb $security $suite-security main"
} >"$root/etc/apt/sources.list"
apt-config dump | grep -E '^Acquire::(http|https|Retries)' >"$root/etc/apt/apt.conf.d/99fresh" ||
	true
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
git clone -q --no-hardlinks "$TOP" "$root/root/tree"

# On a signal, kill unshare: all processes in its namespaces end with it.
exec {output}> >(tee -a "$log")
tee=$!
unshare --mount --pid --fork --kill-child "$0" --inside "$root" "$@" \
	>&"$output" 2>&1 </dev/null {output}>&- &
inside=$!
exec {output}>&-
trap 'kill -KILL $inside; exit 130' INT TERM
wait $inside || status=$?
trap - INT TERM
wait $tee || true
[ $status = 0 ] || die "not all goals succeeded on $suite; the system is kept in \
${root#"$TOP/"}, the log is ${log#"$TOP/"}"
rm -rf --one-file-system "$root"
echo "  FRESH   all goals succeeded on $suite: $*"
