# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/fresh.sh: it runs make on a new system, and leaves no mount or process."""

import os
import signal
import subprocess
import time
import unittest

from sandbox import Sandbox

MIRROR = 'http://mirror.invalid/debian'
# A made-up debootstrap that creates the directories which the script mounts or writes to.
DEBOOTSTRAP = '''#!/bin/bash
{more}
echo "$*" >called
mkdir -p "$4"/{{proc,dev,root,etc/apt/apt.conf.d}}
'''
# A made-up chroot that stays in this system and runs make in the cloned checkout.
CHROOT = '''#!/bin/bash
root=$1; shift
while [ "$1" != make ]; do [[ "$1" =~ ^[0-9]+$ ]] && limit=$1; shift; done
[ -e "$root/proc/self" ] && [ -e "$root/dev/null" ] || exit 99
cd "$root/root/tree" && exec timeout "$limit" make "$4"
'''
MAKEFILE = '''
run test:
	@echo doing $@
bad:
	@echo doing $@; false
long:
	@echo doing $@; sleep 1000
'''


@unittest.skipIf(os.getuid(), 'only root can install a system')
class Fresh(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('Makefile', MAKEFILE)
        self.box.run('git', 'init', '-q')
        self.box.run('git', 'add', '-A')
        self.box.run('git', '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '-qm', 'x')
        self.script('debootstrap', DEBOOTSTRAP.format(more=''))
        self.script('chroot', CHROOT)
        self.script('apt-get', f'''#!/bin/bash
            . /etc/os-release
            echo "$VERSION_CODENAME||main|{MIRROR}"
            echo "$VERSION_CODENAME-security||main|{MIRROR}-security"''')

    def script(self, name, text):
        self.box.write(f'bin/{name}', text)
        os.chmod(self.box.path(f'bin/{name}'), 0o755)

    def environment(self, **more):
        return {'PATH': f'{self.box.path("bin")}:{os.environ["PATH"]}', **more}

    def fresh(self, *arguments, **more):
        status, output = self.box.run('scripts/pkvm/fresh.sh', *arguments,
                                      env=self.environment(**more))
        self.nothing_mounted()
        return status, output

    def nothing_mounted(self):
        with open('/proc/mounts') as file:
            self.assertNotIn(self.box.top, file.read())

    def test_good(self):
        """The default goals run in a clone in this order, and the system is removed."""
        self.box.write('not-committed', '')
        status, output = self.fresh('trixie')
        self.assertEqual(status, 0, output)
        self.assertLess(output.index('doing run'), output.index('doing test'))
        self.assertIn('all goals succeeded on trixie: run test', output)
        self.assertTrue(self.box.read('called').endswith(f'{MIRROR}\n'))
        self.assertFalse(os.path.exists(self.box.path('build/fresh/trixie')))

    def test_sources(self):
        """The new system gets this machine's mirrors, with the name of its own release."""
        status, _ = self.fresh('trixie', 'bad')
        self.assertNotEqual(status, 0)
        self.assertEqual(self.box.read('build/fresh/trixie/etc/apt/sources.list'),
                         f'deb {MIRROR} trixie main\ndeb {MIRROR} trixie-updates main\n'
                         f'deb {MIRROR}-security trixie-security main\n')

    def test_goal_fails(self):
        """The error names the goal, later goals do not run, and the system is kept."""
        status, output = self.fresh('bookworm', 'bad', 'test')
        self.assertNotEqual(status, 0)
        self.assertIn('make bad failed with status 2', output)
        self.assertIn('the system is kept in build/fresh/bookworm', output)
        self.assertNotIn('doing test', output)

    def test_goal_hangs(self):
        """A goal that does not end is killed at its time limit."""
        status, output = self.fresh('bookworm', 'long', GOAL_LIMIT='1')
        self.assertNotEqual(status, 0)
        self.assertIn('make long did not end within 1 s', output)

    def test_no_mirror(self):
        """If debootstrap fails, the error shows the end of its output."""
        self.script('debootstrap', '#!/bin/bash\necho E: no such mirror; exit 1\n')
        status, output = self.fresh('trixie')
        self.assertNotEqual(status, 0)
        self.assertIn('E: no such mirror', output)
        self.assertIn('could not install trixie', output)

    def test_mirror_hangs(self):
        """If debootstrap does not end, it is killed at its time limit."""
        self.script('debootstrap', DEBOOTSTRAP.format(more='exec sleep 1000'))
        status, output = self.fresh('trixie', ROOT_LIMIT='1')
        self.assertNotEqual(status, 0)
        self.assertIn('debootstrap did not end within 1 s', output)

    def test_wrong_suite(self):
        """An unknown release is refused before anything is installed."""
        for suite in '', 'buster', '../trixie':
            status, output = self.fresh(suite)
            self.assertNotEqual(status, 0)
            self.assertIn('trixie', output)
            self.assertFalse(os.path.exists(self.box.path('called')))

    def test_killed(self):
        """Whatever signal ends the script, it leaves no mount and no process."""
        for sign in signal.SIGINT, signal.SIGTERM, signal.SIGKILL:
            with subprocess.Popen(['scripts/pkvm/fresh.sh', 'trixie', 'long'], cwd=self.box.top,
                                  env=dict(os.environ, **self.environment()), text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, start_new_session=True) as process:
                for line in process.stdout:
                    if 'doing long' in line:
                        break
                os.killpg(process.pid, sign)
                process.stdout.read()
            self.nothing_mounted()
            self.assertEqual(self.processes(), [], sign)

    def processes(self):
        """Return the processes in the new system that still run after five seconds."""
        for _ in range(50):
            found = []
            for pid in filter(str.isdigit, os.listdir('/proc')):
                try:
                    place = os.readlink(f'/proc/{pid}/cwd')
                except OSError:
                    continue
                if place.startswith(self.box.path('build/fresh')):
                    found.append(place)
            if not found:
                break
            time.sleep(0.1)
        return found
