#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the build, run and test scripts of scripts/pkvm, told as TAP.

infra.py [NAME...]: all test_*.py beside this file, or only the named ones. Each
test states the rule that it guards. Nothing here touches the checkout's own
build beyond reading what make has left there.
"""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class Tap(unittest.TestResult):
    """One TAP line for each test; the reason of a failure as comments."""

    def name(self, test):
        return test.id().removeprefix('test_').replace('.', ': ', 1)

    def comment(self, text):
        for line in text.rstrip().split('\n'):
            print(f'#   {line}')
        sys.stdout.flush()

    def addSuccess(self, test):
        print(f'ok infra {self.name(test)}', flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f'ok infra {self.name(test)} # SKIP {reason}', flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        print(f'not ok infra {self.name(test)}')
        self.comment(self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        print(f'not ok infra {self.name(test)}')
        self.comment(self.errors[-1][1])


def main():
    sys.dont_write_bytecode = True
    sys.path[:0] = [HERE, os.path.join(HERE, '../../../scripts/pkvm')]
    loader = unittest.TestLoader()
    if sys.argv[1:]:
        suite = loader.loadTestsFromNames(sys.argv[1:])
    else:
        suite = loader.discover(HERE, pattern="test_*.py")
    result = Tap()
    suite.run(result)
    return 0 if result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
