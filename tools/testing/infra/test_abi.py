# SPDX-License-Identifier: GPL-2.0-only
"""Hypercalls of guests: whoever makes or answers one has the same number for it."""

import os
import re
import unittest

from sandbox import TOP

HEADER = 'build/linux/include/linux/arm-smccc.h'
# Who defines numbers of its own, by names that end like those of the kernel.
PROGRAMS = ('tools/pvmfw/src/vendor.h', 'tools/testing/bench/guest/guest.h',
            'tools/testing/bench/guest/kernel.S', 'tools/testing/selftests/kvm/arm64/pvm.h',
            'tools/vmm/tests/vm/guest.c')
ALIASES = {'MEMINFO': 'HYP_MEMINFO', 'MMIO_GUARD_MAP': 'MMIO_GUARD'}
PREFIXES = ('VENDOR_HYP_', 'HVC_', 'KVM_')
BASE = 0xc6000000


def read(name):
    with open(os.path.join(TOP, name)) as file:
        return file.read()


def kernel_name(name):
    """The kernel's name of a function, by the name that a program has for it."""
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    if re.match('R?GUARD_', name):
        name = 'MMIO_' + name
    return ALIASES.get(name, name)


class Abi(unittest.TestCase):
    def setUp(self):
        self.numbers = {name: int(number) for name, number in re.findall(
            r'^#define ARM_SMCCC_KVM_FUNC_(\w+)\t+(\d+)$', read(HEADER), re.M)}
        hvc = read('arch/arm64/kvm/hyp/nvhe/guest_hvc.c')
        macro = re.search(r'#define PVM_FEATURES\t(.*?[^\\])\n', hvc, re.S).group(1)
        self.offered = re.findall(r'BIT\(ARM_SMCCC_KVM_FUNC_(\w+)\)', macro)
        self.features = sum(1 << self.numbers[name] for name in self.offered)

    def test_programs(self):
        """Each number that a program defines is the kernel's."""
        for program in PROGRAMS:
            found = re.findall(r'^#define (\w+)\s+(0xc60000[0-9a-f]{2})(?:UL)?$', read(program),
                               re.M | re.I)
            self.assertTrue(found, program)
            for name, number in found:
                self.assertEqual(BASE + self.numbers.get(kernel_name(name), -1), int(number, 16),
                                 f'{name} of {program}')

    def test_features(self):
        """The tests and the manual expect the bitmap of FEATURES that EL2 answers."""
        word = f'{self.features:#x}'
        self.assertIn(f'answered(got, {word}, 0, 0, 0)',
                      read('tools/testing/selftests/kvm/arm64/fuzz_model.c'))
        self.assertIn(f'{{ HVC_FEATURES, 0, 0, {word} }}',
                      read('tools/testing/selftests/kvm/arm64/pkvm_guest_stats.c'))
        self.assertIn(f'x0       {word}: ',
                      read('Documentation/virt/kvm/arm/pkvm-hypercalls.rst'))

    def test_documented(self):
        """The manual has the function id of each call that EL2 offers."""
        manual = ''.join(read(f'Documentation/virt/kvm/arm/pkvm-{name}.rst')
                         for name in ('hypercalls', 'mmio-guard'))
        for name in self.offered:
            number = BASE + self.numbers[name] if self.numbers[name] else 0x86000000
            self.assertRegex(manual, f'(?m)^Function 0x{number:X}$', name)
