# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/deps.sh: packages come from one list, or the cause is told."""

import os
import re
import subprocess
import unittest

from sandbox import TOP, Sandbox

# Every base system has it, and no package list of ours names it.
PRESENT = 'base-files'
# No archive has it.
ABSENT = 'pkvm-package-that-does-not-exist'


class Deps(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        # A command of this name that tells on whoever calls it.
        self.box.write('bin/apt-get', '#!/bin/sh\necho "apt-get $*" >>apt.called\nexit 0\n')
        os.chmod(self.box.path('bin/apt-get'), 0o755)

    def packages(self, *names):
        self.box.write('scripts/pkvm/packages',
                       ''.join(f'run {name}\n' for name in names))

    def with_stub(self):
        return {'PATH': self.box.path('bin') + ':' + os.environ['PATH']}

    def deps(self, *groups, env=None, **more):
        return self.box.run('scripts/pkvm/deps.sh', *groups, env=env, **more)

    def test_satisfied_does_not_call_apt(self):
        """A machine that has everything is left alone."""
        self.packages(PRESENT)
        status, output = self.deps('run', env=self.with_stub())
        self.assertEqual(status, 0, output)
        self.assertFalse(os.path.exists(self.box.path('apt.called')))

    def test_not_root_is_told_the_command(self):
        """Without root nothing is tried; the exact command for root is printed."""
        if os.getuid():
            self.skipTest('needs root to become another user')
        self.packages(PRESENT, ABSENT)
        os.chmod(self.box.top, 0o755)
        status, output = self.box.run('setpriv', '--reuid=65534', '--clear-groups',
                                      'scripts/pkvm/deps.sh', 'run', env=self.with_stub())
        self.assertNotEqual(status, 0)
        self.assertIn(f'apt-get install --no-install-recommends {ABSENT}\n', output)
        self.assertNotIn(PRESENT, output)
        self.assertFalse(os.path.exists(self.box.path('apt.called')))

    def test_no_network(self):
        """apt that reaches no mirror: the cause, the log's end, a failure."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        self.packages(ABSENT)
        state = self.box.path('apt')
        for folder in ('lists/partial', 'archives/partial'):
            os.makedirs(os.path.join(state, folder))
        self.box.write('apt/sources.list', 'deb http://127.0.0.1:9/debian bookworm main\n')
        self.box.write('apt/apt.conf', f'''
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "{state}/lists";
Dir::Cache::archives "{state}/archives";
Acquire::Retries "0";
''')
        status, output = self.deps('run', env={'APT_CONFIG': f'{state}/apt.conf'})
        self.assertNotEqual(status, 0)
        self.assertIn('apt-get could not install', output)
        self.assertIn('127.0.0.1', output)
        self.assertIn(ABSENT, output)

    def test_apt_that_lies(self):
        """apt-get that succeeds and installs nothing is noticed."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        self.packages(ABSENT)
        status, output = self.deps('run', env=self.with_stub())
        self.assertNotEqual(status, 0)
        self.assertIn(f'not installed: {ABSENT}', output)
        called = self.box.read('apt.called')
        self.assertIn('apt-get update', called)
        self.assertIn(f'{ABSENT} --yes', called)

    def test_unknown_group(self):
        """A group that nothing is listed for is a mistake, not a success."""
        status, output = self.deps('nothing')
        self.assertNotEqual(status, 0)
        self.assertIn('nothing', output)

    def test_every_package_is_in_the_archive(self):
        """Each package that we name exists in Debian under that name."""
        with open(os.path.join(TOP, 'scripts/pkvm/packages')) as file:
            names = [line.split()[1] for line in file if re.match(r'\w', line)]
        policy = subprocess.run(['apt-cache', 'policy', *names], stdout=subprocess.PIPE,
                                text=True, check=True).stdout
        known = set(re.findall(r'^(\S+):\n  Installed: .*\n  Candidate: [^(]', policy, re.M))
        self.assertEqual([name for name in names if name not in known], [])
