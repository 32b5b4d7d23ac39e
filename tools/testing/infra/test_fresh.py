# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/fresh.sh: a root of its own, and nothing of it left when it ends."""

import os
import signal
import subprocess
import time
import unittest

from sandbox import Sandbox

MIRROR = 'http://mirror.invalid/debian'
# Makes a root that has the folders which are mounted or written to.
DEBOOTSTRAP = '''#!/bin/bash
{more}
echo "$*" >called
mkdir -p "$4"/{{proc,dev,root,etc/apt/apt.conf.d}}
'''
# Instead of another root, the checkout in it: its make is ours.
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


@unittest.skipIf(os.getuid(), 'only root can make another root')
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
        """Both commands of the README run in a clone, and the root is gone."""
        self.box.write('not-committed', '')
        status, output = self.fresh('trixie')
        self.assertEqual(status, 0, output)
        self.assertLess(output.index('doing run'), output.index('doing test'))
        self.assertIn('trixie: make run test are good', output)
        self.assertTrue(self.box.read('called').endswith(f'{MIRROR}\n'))
        self.assertFalse(os.path.exists(self.box.path('build/fresh/trixie')))

    def test_sources(self):
        """The root has the mirrors of this machine, by the name of its own release."""
        status, _ = self.fresh('trixie', 'bad')
        self.assertNotEqual(status, 0)
        self.assertEqual(self.box.read('build/fresh/trixie/etc/apt/sources.list'),
                         f'deb {MIRROR} trixie main\ndeb {MIRROR} trixie-updates main\n'
                         f'deb {MIRROR}-security trixie-security main\n')

    def test_goal_fails(self):
        """The goal is named, what follows does not run, and the root stays for a look."""
        status, output = self.fresh('bookworm', 'bad', 'test')
        self.assertNotEqual(status, 0)
        self.assertIn('make bad failed with status 2', output)
        self.assertIn('the root is left in build/fresh/bookworm', output)
        self.assertNotIn('doing test', output)

    def test_goal_hangs(self):
        status, output = self.fresh('bookworm', 'long', GOAL_LIMIT='1')
        self.assertNotEqual(status, 0)
        self.assertIn('make long did not end within 1 s', output)

    def test_no_mirror(self):
        """debootstrap that fails is told with the end of what it said."""
        self.script('debootstrap', '#!/bin/bash\necho E: no such mirror; exit 1\n')
        status, output = self.fresh('trixie')
        self.assertNotEqual(status, 0)
        self.assertIn('E: no such mirror', output)
        self.assertIn('could not make a root of trixie', output)

    def test_mirror_hangs(self):
        self.script('debootstrap', DEBOOTSTRAP.format(more='exec sleep 1000'))
        status, output = self.fresh('trixie', ROOT_LIMIT='1')
        self.assertNotEqual(status, 0)
        self.assertIn('debootstrap did not end within 1 s', output)

    def test_wrong_suite(self):
        for suite in '', 'buster', '../trixie':
            status, output = self.fresh(suite)
            self.assertNotEqual(status, 0)
            self.assertIn('trixie', output)
            self.assertFalse(os.path.exists(self.box.path('called')))

    def test_killed(self):
        """However it ends, no mount and no process is left."""
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
        """Processes in the root that have not ended after a while."""
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
