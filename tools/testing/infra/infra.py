#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run the tests of scripts/pkvm and of the documentation by pytest, and report them as TAP.

infra.py [NAME...]: run all test_*.py beside this file, or only the named ones: test_x, or
test_x::Class::test. The docstring of each test states what must hold. The tests read what make has
left in build/, but do not change it.
"""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, '../../../scripts/pkvm')


class Tap:
    """Prints pytest's results as TAP: a line for each test, and comments for a failure."""

    def __init__(self, label):
        self.label = label

    def name(self, nodeid):
        """Return the name of a test in TAP: test_x.py::Class::test_y as "x: Class.test_y"."""
        path, _, rest = nodeid.partition('::')
        where = os.path.basename(path).removeprefix('test_').removesuffix('.py')
        return f'{self.label} {where}: {rest.replace("::", ".")}'

    def failed(self, nodeid, reason):
        """Print one failure."""
        print(f'not ok {self.name(nodeid)}')
        print(*(f'#   {line}' for line in str(reason).rstrip().split('\n')), sep='\n', flush=True)

    def pytest_collection_finish(self, session):
        """Print the plan."""
        print(f'1..{len(session.items)}', flush=True)

    def pytest_collectreport(self, report):
        """Print a failure for a file that cannot be imported."""
        if report.failed:
            self.failed(report.nodeid, report.longrepr)

    def pytest_runtest_logreport(self, report):
        """Print the result of a test, or a failure of its setup or clean-up."""
        if report.failed and report.when == 'teardown':
            self.failed(f'{report.nodeid} (clean-up)', report.longreprtext)
        elif report.failed:
            self.failed(report.nodeid, report.longreprtext)
        elif report.skipped:
            print(f'ok {self.name(report.nodeid)} # SKIP {report.longrepr[2]}', flush=True)
        elif report.when == 'call':
            print(f'ok {self.name(report.nodeid)}', flush=True)


def main(label, folder, names):
    """Run all or some test_*.py of a directory. Return pytest's exit status."""
    sys.dont_write_bytecode = True
    sys.path[:0] = [HERE, SCRIPTS]
    targets = []
    for name in names:
        file, _, rest = name.partition('::')
        targets.append(os.path.join(folder, f'{file}.py') + (f'::{rest}' if rest else ''))
    # Use no configuration of the machine or the user, and no cache. A failure shows the test's
    # output.
    os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'
    return int(pytest.main(['-c', os.devnull, '--rootdir', folder, '-p', 'no:cacheprovider',
                            '-p', 'no:terminal', '-p', 'no:faulthandler', '--import-mode=prepend',
                            *(targets or [folder])], plugins=[Tap(label)]))


if __name__ == '__main__':
    sys.exit(main('infra', HERE, sys.argv[1:]))
