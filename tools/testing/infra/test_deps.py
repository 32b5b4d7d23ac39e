# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/deps.sh: it installs the packages of one list, or prints why it cannot."""

import os
import re
import subprocess
import textwrap
import unittest

from sandbox import TOP, Sandbox

# A package that every Debian system has, and that is not in our list.
PRESENT = 'base-files'
# A package that does not exist.
ABSENT = 'pkvm-package-that-does-not-exist'
# The mirror in the sources of the made-up machine.
MIRROR = 'http://mirror.invalid/debian'


class Deps(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        # A made-up apt-get that records its calls.
        self.box.write('bin/apt-get', '#!/bin/sh\necho "apt-get $*" >>apt.called\nexit 0\n')
        os.chmod(self.box.path('bin/apt-get'), 0o755)

    def packages(self, *names):
        self.box.write('scripts/pkvm/packages',
                       ''.join(f'run {name}\n' for name in names))

    def with_stub(self):
        return {'PATH': self.box.path('bin') + ':' + os.environ['PATH']}

    def machine(self, codename, qemu=None, candidate=None, backports=False, fetched=True,
                release=None):
        """Make up a Debian release, its installed QEMU, and the versions that apt knows."""
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
        """If nothing is missing, apt is not called."""
        self.packages(PRESENT)
        status, output = self.deps('run', env=self.with_stub())
        self.assertEqual(status, 0, output)
        self.assertFalse(os.path.exists(self.box.path('apt.called')))

    def test_not_root_gets_the_command(self):
        """A user other than root gets the exact command printed, and apt is not called."""
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
        """If apt reaches no mirror, the script fails with the cause and the end of the log."""
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

    def test_apt_installs_nothing(self):
        """If apt-get succeeds but installs nothing, the script fails."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        self.packages(ABSENT)
        status, output = self.deps('run', env=self.with_stub())
        self.assertNotEqual(status, 0)
        self.assertIn(f'packages are not installed: {ABSENT}', output)
        called = self.box.read('apt.called')
        self.assertIn('apt-get update', called)
        self.assertIn(f'--yes {ABSENT}\n', called)

    def test_new_enough(self):
        """If the installed version is new enough, apt is not called."""
        status, output = self.deps('run', env=self.machine('bookworm', '1:10.0.2'))
        self.assertEqual((status, output), (0, ''))
        self.assertFalse(os.path.exists(self.box.path('apt.called')))

    def test_backports(self):
        """A version that is too old is replaced from the backports, by a sources file of ours."""
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
        """The mirror is found if the sources name the release "oldstable"."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        status, output = self.deps('run', env=self.machine('bookworm', '1:7.2', '1:7.2',
                                                           release='oldstable'))
        self.assertEqual(status, 0, output)
        self.assertIn(MIRROR, self.sources()['pkvm-backports.sources'])

    def test_backports_known(self):
        """If apt knows the backports, the script adds no sources file."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        env = self.machine('bookworm', None, '1:7.2', backports=True)
        status, output = self.deps('run', env=env)
        self.assertEqual(status, 0, output)
        self.assertEqual(self.sources(), {})

    def test_backports_out_of_reach(self):
        """If the backports cannot be reached, the script says so and removes its sources file."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        env = self.machine('bookworm', '1:7.2', '1:7.2', fetched=False)
        status, output = self.deps('run', env=env)
        self.assertNotEqual(status, 0)
        self.assertIn('bookworm-backports, which has the necessary version of qemu-system-arm',
                      output)
        self.assertIn('Failed to fetch', output)
        self.assertEqual(self.sources(), {})

    def test_release_has_it(self):
        """If the release itself has the version, the backports are not used."""
        if os.getuid():
            self.skipTest('needs root, or apt is not called')
        env = self.machine('trixie', None, '1:10.0.2')
        status, _ = self.deps('run', env=env)
        # The made-up apt-get installs nothing for this command.
        self.assertNotEqual(status, 0)
        self.assertEqual(self.sources(), {})
        self.assertIn('apt-get install --no-install-recommends --yes qemu-system-arm\n',
                      self.box.read('apt.called'))

    def test_not_root_gets_the_commands_for_backports(self):
        """A user other than root gets all commands printed, and they work for root."""
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
        """--newer prints the commands, or that the installed version is new enough."""
        env = self.machine('bookworm', '1:7.2', '1:7.2')
        status, output = self.deps('--newer', 'qemu-system-arm', env=env)
        self.assertEqual(status, 0)
        self.assertIn('-t bookworm-backports qemu-system-arm', output)
        env = self.machine('bookworm', '1:10.0.2')
        self.assertIn('new enough', self.deps('--newer', 'qemu-system-arm', env=env)[1])

    def test_own_qemu(self):
        """If QEMU= selects a program, Debian's may be too old."""
        env = dict(self.machine('bookworm', '1:7.2', '1:7.2'), QEMU='/opt/qemu')
        self.assertEqual(self.deps('run', env=env), (0, ''))

    def test_package_without_its_file(self):
        """If a package does not contain a file of the list, the error names both."""
        self.box.write('scripts/pkvm/packages',
                       f'run {PRESENT} /bin/sh|/nonexistent /usr/lib/moved\n')
        status, output = self.deps('run')
        self.assertNotEqual(status, 0)
        self.assertIn(f'package {PRESENT} does not contain /usr/lib/moved', output)
        self.box.write('scripts/pkvm/packages', f'run {PRESENT} /nonexistent|/bin/sh\n')
        self.assertEqual(self.deps('run'), (0, ''))

    def test_unknown_group(self):
        """A group without packages is an error."""
        status, output = self.deps('nothing')
        self.assertNotEqual(status, 0)
        self.assertIn('nothing', output)

    def test_every_package_is_in_the_archive(self):
        """Each package of the list exists in Debian."""
        with open(os.path.join(TOP, 'scripts/pkvm/packages')) as file:
            names = [line.split()[1] for line in file if re.match(r'\w', line)]
        policy = subprocess.run(['apt-cache', 'policy', *names], stdout=subprocess.PIPE,
                                text=True, check=True).stdout
        known = set(re.findall(r'^(\S+):\n  Installed: .*\n  Candidate: [^(]', policy, re.M))
        self.assertEqual([name for name in names if name not in known], [])
