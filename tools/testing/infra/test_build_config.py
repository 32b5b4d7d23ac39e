# SPDX-License-Identifier: GPL-2.0-only
"""build.config.aarch64: an Android kernel build finds in it all that it asks for."""

import os
import re
import subprocess
import unittest

from sandbox import TOP

BUILD = os.path.join(TOP, 'build')

class BuildConfig(unittest.TestCase):
    def sourced(self, *names):
        """The values of variables after bash has sourced the file."""
        script = '. ./build.config.aarch64; ' + '; '.join(f'echo "{name}=${name}"'
                                                          for name in names)
        run = subprocess.run(['bash', '-euc', script], cwd=TOP, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        return dict(re.findall(r'^(\w+)=(.*)$', run.stdout, re.M))

    def test_defines_what_is_expected(self):
        """Architecture, toolchain, goals and configuration are set and not empty."""
        names = ('ARCH', 'LLVM', 'LLVM_IAS', 'DEFCONFIG', 'PRE_DEFCONFIG_CMDS',
                 'POST_DEFCONFIG_CMDS', 'FRAGMENT_CONFIG', 'MAKE_GOALS', 'KERNEL_DIR')
        values = self.sourced(*names)
        self.assertEqual(set(values), set(names))
        self.assertEqual([name for name in names if not values[name]], [])
        self.assertEqual(values['ARCH'], 'arm64')

    def test_fragments_exist(self):
        for fragment in self.sourced('FRAGMENT_CONFIG')['FRAGMENT_CONFIG'].split():
            self.assertTrue(os.path.isfile(os.path.join(TOP, 'arch/arm64/configs', fragment)))

    def test_builds(self):
        """By the file alone the tests' host is built, and the source left as it was."""
        out = os.path.join(BUILD, 'test-host')
        run = subprocess.run(['make', 'test-host'], cwd=TOP, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             check=False)
        self.assertEqual(run.returncode, 0, run.stdout[-2000:])
        for name in ('Image', 'vmlinux', 'System.map'):
            self.assertTrue(os.path.getsize(os.path.join(out, 'dist', name)))
        self.assertFalse(os.path.exists(
            os.path.join(BUILD, 'linux/arch/arm64/configs/pkvm_defconfig')))
        with open(os.path.join(out, '.config')) as file:
            config = file.read()
        for line in ('CONFIG_KVM=y', 'CONFIG_CC_IS_CLANG=y', 'CONFIG_JUMP_LABEL=y'):
            self.assertIn(line + '\n', config)
