# SPDX-License-Identifier: GPL-2.0-only
"""Test that an Android kernel build can use our build.config.aarch64 and Kconfig, and that the
Makefiles of the programs name what they build."""

import os
import re
import subprocess
import tempfile
import unittest

import tree
from sandbox import TOP

BUILD = os.path.join(TOP, 'build')


def link_all(source, target):
    """Create a directory with links to all entries of another one."""
    os.mkdir(target)
    for name in os.listdir(source):
        os.symlink(os.path.join(source, name), os.path.join(target, name))


def own_copy(source, target, name, more=''):
    """Replace a link by a copy of the base's own file, with more text at its end."""
    pristine = os.path.join(BUILD, 'pristine', name)
    with open(pristine if os.path.exists(pristine) else os.path.join(source, name)) as file:
        text = file.read()
    os.remove(os.path.join(target, name))
    with open(os.path.join(target, name), 'w') as file:
        file.write(text + more)


def kernel_without_us(target):
    """Make a kernel with the base's options only, whose Kconfig sources our Kconfig.ext."""
    linux = os.path.join(BUILD, 'linux')
    link_all(linux, target)
    for folder in ('arch', 'arch/arm64', 'arch/arm64/configs', 'arch/arm64/kvm', 'drivers',
                   'drivers/virt'):
        os.remove(os.path.join(target, folder))
        link_all(os.path.join(linux, folder), os.path.join(target, folder))
    own_copy(linux, target, 'Kconfig', '\nsource "$(KCONFIG_EXT_PREFIX)Kconfig.ext"\n')
    with open(os.path.join(target, 'Kconfig.ext'), 'w'):
        pass
    for name in ('arch/arm64/kvm/Kconfig', 'drivers/virt/Kconfig'):
        own_copy(linux, target, name)


class BuildConfig(unittest.TestCase):
    def sourced(self, *names):
        """Return the values of variables after bash has sourced the file."""
        script = '. ./build.config.aarch64; ' + '; '.join(f'echo "{name}=${name}"'
                                                          for name in names)
        run = subprocess.run(['bash', '-euc', script], cwd=TOP, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        return dict(re.findall(r'^(\w+)=(.*)$', run.stdout, re.M))

    def test_defines_what_is_expected(self):
        """Each variable that Android's build scripts use is set and not empty."""
        names = ('ARCH', 'LLVM', 'LLVM_IAS', 'DEFCONFIG', 'PRE_DEFCONFIG_CMDS',
                 'POST_DEFCONFIG_CMDS', 'FRAGMENT_CONFIG', 'MAKE_GOALS', 'KERNEL_DIR')
        values = self.sourced(*names)
        self.assertEqual(set(values), set(names))
        self.assertEqual([name for name in names if not values[name]], [])
        self.assertEqual(values['ARCH'], 'arm64')

    def test_fragments_exist(self):
        """Each configuration fragment is a file of this tree."""
        for fragment in self.sourced('FRAGMENT_CONFIG')['FRAGMENT_CONFIG'].split():
            self.assertTrue(os.path.isfile(os.path.join(TOP, 'arch/arm64/configs', fragment)))

    def test_configures(self):
        """The file is enough to configure a kernel, and leaves no file in the source."""
        with tempfile.TemporaryDirectory(prefix='config.', dir=BUILD) as out, tree.locked():
            run = subprocess.run(['scripts/pkvm/android.sh', out], cwd=TOP,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, check=False,
                                 env=dict(os.environ, MAKE_GOALS='include/config/auto.conf',
                                          FILES='.config'))
            self.assertEqual(run.returncode, 0, run.stdout[-2000:])
            with open(os.path.join(out, 'dist/.config')) as file:
                config = file.read()
            self.assertFalse(os.path.exists(
                os.path.join(BUILD, 'linux/arch/arm64/configs/pkvm_defconfig')))
        for line in ('CONFIG_KVM=y', 'CONFIG_CC_IS_CLANG=y', 'CONFIG_JUMP_LABEL=y',
                     'CONFIG_NVHE_EL2_DEBUG=y', 'CONFIG_PKVM_EL2_KUNIT_TEST=m'):
            self.assertIn(line + '\n', config)


class KconfigExt(unittest.TestCase):
    """A kernel without this tree's patches gets its options by KCONFIG_EXT_PREFIX."""

    OPTIONS = ('PKVM_STAGE2_DEBUG', 'PKVM_PGTABLE_KUNIT_TEST', 'PKVM_FEATURES_KUNIT_TEST',
               'PKVM_EL2_KUNIT_TEST', 'PKVM_SMMU_V3', 'PKVM_SMMU_KUNIT_TEST')

    def configure(self, prefix):
        """Configure a kernel by build.config.aarch64. Return our options in its .config."""
        with tempfile.TemporaryDirectory(dir=BUILD) as top:
            kernel_without_us(os.path.join(top, 'common'))
            script = ('. "$0"; eval "$PRE_DEFCONFIG_CMDS"; cd "$ROOT_DIR/$KERNEL_DIR"; '
                      'make -s O="$ROOT_DIR/out" LLVM="$LLVM" ARCH="$ARCH" "$DEFCONFIG"')
            run = subprocess.run(['bash', '-euc', script,
                                  os.path.join(TOP, 'build.config.aarch64')],
                                 env={**os.environ, 'ROOT_DIR': top, 'KERNEL_DIR': 'common',
                                      'KCONFIG_EXT_PREFIX': prefix, 'MAKEFLAGS': ''},
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 check=False)
            self.assertEqual(run.returncode, 0, run.stdout[-2000:])
            with open(os.path.join(top, 'out/.config')) as file:
                return sorted(re.findall(r'^CONFIG_(PKVM_\w+)=[ym]$', file.read(), re.M))

    def test_options(self):
        """With the prefix Kconfig has and sets all our options, without it none of them."""
        self.assertEqual(self.configure(TOP + '/'), sorted(self.OPTIONS))
        self.assertEqual(self.configure(''), [])

    def test_all_options(self):
        """OPTIONS has all options of this tree."""
        found = []
        for name in ('arch/arm64/kvm/Kconfig.pkvm', 'drivers/virt/pkvm/Kconfig'):
            with open(os.path.join(TOP, name)) as file:
                found += re.findall(r'^config (\w+)$', file.read(), re.M)
        self.assertEqual(sorted(found), sorted(self.OPTIONS))


class Objects(unittest.TestCase):
    """What the programs are built into."""

    def test_one_name_for_the_output(self):
        """However O= names the output, make uses one name: the dependencies of an object, which
        the compiler writes, are found by the name that the object had then."""
        for program in ('vmm', 'pvmfw', 'testing/bench'):
            name = f'{os.path.basename(program)}-obj'
            path = os.path.join(BUILD, name)
            folder = os.path.join(TOP, 'tools', program)
            for words in ([], [f'O={path}'], [f'O={os.path.relpath(path, folder)}']):
                run = subprocess.run(['make', '-s', '--no-print-directory', '-C', folder, *words,
                                      '--eval=print-output: ; @echo $(O)', 'print-output'],
                                     stdout=subprocess.PIPE, text=True, check=True)
                self.assertEqual(run.stdout.strip(), path, f'{program} {words}')
