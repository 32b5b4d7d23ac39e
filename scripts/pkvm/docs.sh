#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# docs.sh: make docs. The manual as HTML, by the kernel's own Sphinx build, at
# build/docs. A warning about a file of ours, or about the index, is an error.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

log=$BUILD/log/docs.log
out=$BUILD/docs-obj
mkdir -p "$out"

# Sphinx says a warning only once, for a page that it reads anew.
rm -rf "$out/Documentation/output"
echo '  DOCS    build/docs'
make -s -C "$BUILD/linux" O="$out" htmldocs SPHINXDIRS=virt/kvm >"$log" 2>&1 ||
	die "make htmldocs failed: see $log"

# The base's own pages are not without warnings.
warnings=$(grep -E '(WARNING|ERROR|CRITICAL|SEVERE|warning): ' "$log" |
	grep -F -f <(cat "$BUILD/overlay.list"; echo Documentation/virt/kvm/arm/index.rst) || true)
[ -z "$warnings" ] || die "the manual has warnings:
$warnings"

rm -rf "$BUILD/docs"
cp -r "$out/Documentation/output/virt/kvm" "$BUILD/docs"
