#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# android.sh OUTDIR [MAKEARG...]: build the kernel in build/linux with the settings of
# build.config.aarch64 and nothing else, as the build scripts of Android kernels do. The
# objects go to OUTDIR, a copy of FILES to OUTDIR/dist. make check uses this script.

set -euo pipefail
# shellcheck source=scripts/pkvm/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 1 ] || die "usage: android.sh OUTDIR [MAKEARG...]"
out=$1
shift

export ROOT_DIR=$BUILD KERNEL_DIR=linux
set -a
# shellcheck source=build.config.aarch64
. "$TOP/build.config.aarch64"
set +a

tool_args=(LLVM="$LLVM" LLVM_IAS="$LLVM_IAS" ARCH="$ARCH" "$@")
cd "$ROOT_DIR/$KERNEL_DIR"
mkdir -p "$out/dist"
eval "$PRE_DEFCONFIG_CMDS"
make O="$out" "${tool_args[@]}" "$DEFCONFIG" && status=0 || status=$?
eval "$POST_DEFCONFIG_CMDS"
[ "$status" = 0 ] || die "make $DEFCONFIG failed"

read -ra goals <<<"$MAKE_GOALS"
make O="$out" "${tool_args[@]}" "${goals[@]}"
for file in $FILES; do
	cp -p "$out/$file" "$out/dist/"
done
