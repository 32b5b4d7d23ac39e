#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the build, run and test scripts of scripts/pkvm, by pytest, told as TAP.

infra.py [NAME...]: all test_*.py beside this file, or only the named ones: test_x, or
test_x::Class::test. Each test states the rule that it guards. Nothing here touches the
checkout's own build beyond reading what make has left there.
"""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, '../../../scripts/pkvm')


class Tap:
    """pytest's results as TAP: one line for each test, the reason of a failure as comments."""

    def __init__(self, label):
        self.label = label

    def name(self, nodeid):
        """test_x.py::Class::test_y as "x: Class.test_y"."""
        path, _, rest = nodeid.partition('::')
        where = os.path.basename(path).removeprefix('test_').removesuffix('.py')
        return f'{self.label} {where}: {rest.replace("::", ".")}'

    def failed(self, nodeid, reason):
        """One failure."""
        print(f'not ok {self.name(nodeid)}')
        print(*(f'#   {line}' for line in str(reason).rstrip().split('\n')), sep='\n', flush=True)

    def pytest_collection_finish(self, session):
        """How many there will be."""
        print(f'1..{len(session.items)}', flush=True)

    def pytest_collectreport(self, report):
        """A file that cannot be read is a failure."""
        if report.failed:
            self.failed(report.nodeid, report.longrepr)

    def pytest_runtest_logreport(self, report):
        """A test has been prepared, run or cleaned up after."""
        if report.failed and report.when == 'teardown':
            self.failed(f'{report.nodeid} (clean-up)', report.longreprtext)
        elif report.failed:
            self.failed(report.nodeid, report.longreprtext)
        elif report.skipped:
            print(f'ok {self.name(report.nodeid)} # SKIP {report.longrepr[2]}', flush=True)
        elif report.when == 'call':
            print(f'ok {self.name(report.nodeid)}', flush=True)


def main(label, folder, names):
    """Run test_*.py of a folder, or those that are named; the status."""
    sys.dont_write_bytecode = True
    sys.path[:0] = [HERE, SCRIPTS]
    targets = []
    for name in names:
        file, _, rest = name.partition('::')
        targets.append(os.path.join(folder, f'{file}.py') + (f'::{rest}' if rest else ''))
    # Nothing of the machine's or the user's: neither configuration nor a cache. What a test
    # prints is shown where it fails.
    os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'
    return int(pytest.main(['-c', os.devnull, '--rootdir', folder, '-p', 'no:cacheprovider',
                            '-p', 'no:terminal', '-p', 'no:faulthandler', '--import-mode=prepend',
                            *(targets or [folder])], plugins=[Tap(label)]))


if __name__ == '__main__':
    sys.exit(main('infra', HERE, sys.argv[1:]))
