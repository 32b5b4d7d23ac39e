# SPDX-License-Identifier: GPL-2.0-only
"""Test how the root of the Linux guest is made: reproducibly, and with Debian's own busybox."""

import hashlib
import os
import time
import unittest

import guest_root
from sandbox import Sandbox

PROGRAMS = {
    'busybox': b'\x7fELF' + bytes(range(256)) * 64,
    'sve': b'\x7fELF' + bytes(range(256)) * 4,
}


class Root(unittest.TestCase):
    """scripts/pkvm/guest_root.py"""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        for name, content in PROGRAMS.items():
            with open(self.box.path(name), 'wb') as file:
                file.write(content)

    def make(self, name):
        image = self.box.path(name)
        guest_root.make({name: self.box.path(name) for name in PROGRAMS}, image)
        return image

    def test_reproducible(self):
        """The image does not depend on the time, or on mode and time stamps of its input."""
        first = self.make('one')
        os.chmod(self.box.path('busybox'), 0o600)
        os.utime(self.box.path('busybox'), (1, 1))
        time.sleep(1.1)
        second = self.make('two')
        with open(first, 'rb') as one, open(second, 'rb') as two:
            self.assertEqual(hashlib.sha256(one.read()).digest(),
                             hashlib.sha256(two.read()).digest())

    def test_content(self):
        """The image contains each file with its mode and contents, owned by root."""
        image = self.make('image')
        for path, mode in (('/bin/busybox', '0755'), ('/bin/sve', '0755'), ('/etc/rc', '0755'),
                           ('/etc/inittab', '0644'), ('/srv/data', '0644')):
            stat = guest_root.run('debugfs', '-R', f'stat {path}', image).stdout
            self.assertRegex(stat, rf'Type: regular +Mode: +{mode} ')
            self.assertRegex(stat, r'User: +0 +Group: +0 ')
        for path in guest_root.applets():
            stat = guest_root.run('debugfs', '-R', f'stat {path}', image).stdout
            self.assertIn('Fast link dest: "/bin/busybox"', stat)
        copy = self.box.path('copy')
        contents = {f'/bin/{name}': content for name, content in PROGRAMS.items()}
        for path, data in {**contents, '/srv/data': guest_root.data()}.items():
            guest_root.run('debugfs', '-R', f'dump {path} {copy}', image)
            with open(copy, 'rb') as file:
                self.assertEqual(file.read(), data)

    def test_too_large(self):
        """Files that do not fit are an error, and no incomplete image is left."""
        with open(self.box.path('busybox'), 'wb') as file:
            file.write(os.urandom(guest_root.SIZE))
        with self.assertRaises(guest_root.RootError):
            self.make('image')
        self.assertFalse(os.path.exists(self.box.path('image')))

    def test_no_busybox(self):
        """If busybox is missing, there is an error message and no stack trace."""
        status, output = self.box.run('scripts/pkvm/guest_root.py', '/nonexistent',
                                      self.box.path('sve'), self.box.path('image'))
        self.assertEqual(status, 1)
        self.assertIn('guest_root.py: error: ', output)
        self.assertNotIn('Traceback', output)
        self.assertFalse(os.path.exists(self.box.path('image')))


class Busybox(unittest.TestCase):
    """scripts/pkvm/busybox.sh"""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def fetch(self, **env):
        return self.box.run('scripts/pkvm/busybox.sh', 'build/busybox', env=env)

    def left(self):
        """Return the files that a run left in the build directory, except for its log."""
        return set(os.listdir(self.box.path('build'))) - {'log'}

    def test_no_network(self):
        """If the mirror is down, the error shows apt's message, and no file is left."""
        self.box.write('apt/sources.list', 'deb http://127.0.0.1:9/debian bookworm main\n')
        self.box.write('apt/apt.conf', f'''
Dir::Etc::sourcelist "{self.box.path('apt/sources.list')}";
Dir::Etc::sourceparts "-";
Acquire::Retries "0";
''')
        status, output = self.fetch(APT_CONFIG=self.box.path('apt/apt.conf'))
        self.assertNotEqual(status, 0)
        self.assertIn('busybox.sh: error: no package source', output)
        self.assertIn('127.0.0.1', output)
        self.assertEqual(self.left(), set())

    def test_machine_is_left_alone(self):
        """Each call of apt-get uses a state directory of the script, never the machine's."""
        self.box.write('bin/apt-get', '#!/bin/bash\necho "$*" >>"$CALLED"\nexit 100\n')
        os.chmod(self.box.path('bin/apt-get'), 0o755)
        status, _ = self.fetch(CALLED=self.box.path('called'),
                               PATH=self.box.path('bin') + ':' + os.environ['PATH'])
        self.assertNotEqual(status, 0)
        calls = self.box.read('called').splitlines()
        self.assertEqual(len(calls), 2)
        for call in calls:
            for option in ('Dir::State::lists', 'Dir::State::status', 'Dir::Cache',
                           'Dir::Cache::archives'):
                self.assertRegex(call, rf'{option}={self.box.path("build")}/apt\.')
            self.assertIn('APT::Architecture=arm64', call)
            self.assertNotIn(' install', call)
