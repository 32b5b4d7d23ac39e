# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/deps.sh: packages come from one list, or the cause is told."""

import os
import re
import subprocess
import textwrap
import unittest

from sandbox import TOP, Sandbox

# Every base system has it, and no package list of ours names it.
PRESENT = 'base-files'
# No archive has it.
ABSENT = 'pkvm-package-that-does-not-exist'
# As the machine's own sources name it.
MIRROR = 'http://mirror.invalid/debian'


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

    def machine(self, codename, qemu=None, candidate=None, backports=False, fetched=True,
                release=None):
        """A made-up Debian: what it has of QEMU, and what apt knows of it."""
        self.box.write('scripts/pkvm/packages', 'run qemu-system-arm >=1:10\n')
        self.script('dpkg-query', f'''
            [ -e upgraded ] && echo "installed qemu-system-arm 1:10.0.2" && exit
            [ -n "{qemu or ''}" ] && echo "installed qemu-system-arm {qemu}"; exit 0''')
        known = [f'{release or codename}|{codename}|main|{MIRROR}',
                 f'{codename}-security||main|{MIRROR}-security']
        if backports:
            known.append(f'{codename}-backports|{codename}-backports|main|{MIRROR}')
        self.script('apt-cache', f'echo "  Candidate: {candidate or "(none)"}"')
        self.script('apt-get', f'''
            if [ "$1" = indextargets ]; then
                printf '%s\\n' {" ".join(map(repr, known))}; exit; fi
            echo "apt-get $*" >>apt.called
            case "$*" in update) [ -z "{'' if fetched else 1}" ] || [ ! -e etc/*.sources ] ||
                echo "Failed to fetch backports" ;;
            *backports*) [ -n "{1 if fetched else ''}" ] && touch upgraded || exit 100 ;;
            esac''')
        os.makedirs(self.box.path('etc'), exist_ok=True)
        self.script('apt-config', f'echo parts={self.box.path("etc")}/')
        self.box.write('os-release', f'VERSION_CODENAME={codename}\n')
        return dict(self.with_stub(), OS_RELEASE=self.box.path('os-release'))

    def script(self, name, text):
        self.box.write(f'bin/{name}', f'#!/bin/bash\n{text}\n')
        os.chmod(self.box.path(f'bin/{name}'), 0o755)

    def sources(self):
        folder = self.box.path('etc')
        return {name: self.box.read(f'etc/{name}') for name in os.listdir(folder)}

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
        self.assertIn(f'--yes {ABSENT}\n', called)

    def test_new_enough(self):
        """A version that is wanted and there is left alone."""
        status, output = self.deps('run', env=self.machine('bookworm', '1:10.0.2'))
        self.assertEqual((status, output), (0, ''))
        self.assertFalse(os.path.exists(self.box.path('apt.called')))

    def test_backports(self):
        """An older one is replaced from the backports, by a sources file told in one line."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        env = self.machine('bookworm', '1:7.2', '1:7.2')
        status, output = self.deps('run', env=env)
        self.assertEqual(status, 0, output)
        (name, text), = self.sources().items()
        self.assertEqual(name, 'pkvm-backports.sources')
        self.assertIn(f'URIs: {MIRROR}\nSuites: bookworm-backports\n', text)
        self.assertRegex(text, r'Signed-By: /usr/share/keyrings/debian-archive-keyring\.(gpg|pgp)')
        self.assertEqual(len([line for line in output.split('\n') if name in line]), 1, output)
        called = self.box.read('apt.called').split('\n')
        self.assertIn('apt-get install --no-install-recommends --yes -t bookworm-backports '
                      'qemu-system-arm', called)

    def test_backports_by_suite(self):
        """A machine whose sources say "oldstable" is understood, too."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        status, output = self.deps('run', env=self.machine('bookworm', '1:7.2', '1:7.2',
                                                           release='oldstable'))
        self.assertEqual(status, 0, output)
        self.assertIn(MIRROR, self.sources()['pkvm-backports.sources'])

    def test_backports_known(self):
        """A machine that has the backports gets no second source of them."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        env = self.machine('bookworm', None, '1:7.2', backports=True)
        status, output = self.deps('run', env=env)
        self.assertEqual(status, 0, output)
        self.assertEqual(self.sources(), {})

    def test_backports_out_of_reach(self):
        """Told by name, with the log; the source that cannot be reached is not left behind."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        env = self.machine('bookworm', '1:7.2', '1:7.2', fetched=False)
        status, output = self.deps('run', env=env)
        self.assertNotEqual(status, 0)
        self.assertIn('bookworm-backports, which has qemu-system-arm', output)
        self.assertIn('Failed to fetch', output)
        self.assertEqual(self.sources(), {})

    def test_release_has_it(self):
        """Where the release itself has it, its backports are left alone."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        env = self.machine('trixie', None, '1:10.0.2')
        status, _ = self.deps('run', env=env)
        # The made-up apt installs nothing by this command.
        self.assertNotEqual(status, 0)
        self.assertEqual(self.sources(), {})
        self.assertIn('apt-get install --no-install-recommends --yes qemu-system-arm\n',
                      self.box.read('apt.called'))

    def test_not_root_is_told_of_backports(self):
        """Without root all commands are printed, and they do what root would have done."""
        if os.getuid():
            self.skipTest('needs root to become another user')
        env = self.machine('bookworm', '1:7.2', '1:7.2')
        os.chmod(self.box.top, 0o755)
        status, output = self.box.run('setpriv', '--reuid=65534', '--clear-groups',
                                      'scripts/pkvm/deps.sh', 'run', env=env)
        self.assertNotEqual(status, 0)
        self.assertFalse(os.path.exists(self.box.path('apt.called')))
        script = output[output.index('    cat >'):]
        status, _ = self.box.run('bash', '-e', '-c', textwrap.dedent(script), env=env)
        self.assertEqual(status, 0)
        self.assertIn(f'URIs: {MIRROR}\n', self.sources()['pkvm-backports.sources'])
        self.assertIn('-t bookworm-backports qemu-system-arm\n', self.box.read('apt.called'))

    def test_newer(self):
        """--newer prints the commands, and for a machine that has it, that it has."""
        env = self.machine('bookworm', '1:7.2', '1:7.2')
        status, output = self.deps('--newer', 'qemu-system-arm', env=env)
        self.assertEqual(status, 0)
        self.assertIn('-t bookworm-backports qemu-system-arm', output)
        env = self.machine('bookworm', '1:10.0.2')
        self.assertIn('new enough', self.deps('--newer', 'qemu-system-arm', env=env)[1])

    def test_own_qemu(self):
        """Whoever has chosen a QEMU is not made to install another."""
        env = dict(self.machine('bookworm', '1:7.2', '1:7.2'), QEMU='/opt/qemu')
        self.assertEqual(self.deps('run', env=env), (0, ''))

    def test_package_without_its_file(self):
        """A package that lacks what it is wanted for is named with the file."""
        self.box.write('scripts/pkvm/packages',
                       f'run {PRESENT} /bin/sh|/nonexistent /usr/lib/moved\n')
        status, output = self.deps('run')
        self.assertNotEqual(status, 0)
        self.assertIn(f'package {PRESENT} does not give /usr/lib/moved', output)
        self.box.write('scripts/pkvm/packages', f'run {PRESENT} /nonexistent|/bin/sh\n')
        self.assertEqual(self.deps('run'), (0, ''))

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
