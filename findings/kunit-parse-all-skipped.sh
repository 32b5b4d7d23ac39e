#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kunit.py of Linux 6.12.117 (linux-source-6.12 6.12.117-1~deb12u1): "kunit.py
# parse" of a valid KTAP log ends with 1 where every test was skipped, and with
# 0 as soon as one test passed.
#
# It would be expected that skipped tests are not a failure: KTAP reports a skipped
# test as "ok", and the summary that the tool prints counts no failure. A script
# that parses the logs of several machines therefore reports a failure for a
# machine that only lacks the hardware.
#
# Seen:
#   all skipped: status 1, Testing complete. Ran 1 tests: skipped: 1
#   one passed: status 0, Testing complete. Ran 2 tests: passed: 1, skipped: 1

set -euo pipefail
# shellcheck source=findings/common/packages.sh
. "$(dirname "$0")/common/packages.sh"

unpack linux-source-6.12=6.12.117-1~deb12u1
mkdir "$WORK/linux"
tar -C "$WORK/linux" --strip-components=1 -xf "$ROOT/usr/src/linux-source-6.12.tar.xz" \
	linux-source-6.12/tools/testing/kunit

cat >"$WORK/skipped" <<'END'
KTAP version 1
1..1
    KTAP version 1
    # Subtest: suite
    1..1
    ok 1 needs_hardware # SKIP not on this machine
ok 1 suite # SKIP
END
cat >"$WORK/passed" <<'END'
KTAP version 1
1..1
    KTAP version 1
    # Subtest: suite
    1..2
    ok 1 needs_hardware # SKIP not on this machine
    ok 2 needs_nothing
ok 1 suite
END

# run NAME LOG: print the exit status of the tool, and its last line without the time.
run()
{
	local status=0
	python3 "$WORK/linux/tools/testing/kunit/kunit.py" parse "$2" >"$WORK/output" 2>&1 ||
		status=$?
	echo "$1: status $status, $(tail -n 1 "$WORK/output" | sed 's/^\[[0-9:]*\] //')"
}
{ run 'all skipped' "$WORK/skipped"; run 'one passed' "$WORK/passed"; } >"$WORK/seen"

expect 'all skipped: status 1, Testing complete. Ran 1 tests: skipped: 1
one passed: status 0, Testing complete. Ran 2 tests: passed: 1, skipped: 1'
