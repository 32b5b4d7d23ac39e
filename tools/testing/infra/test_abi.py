# SPDX-License-Identifier: GPL-2.0-only
"""Numbers of hypercalls and of the UAPI: one header has them, and the manual the same."""

import os
import re
import unittest

from sandbox import TOP
import tree

HEADER = 'include/uapi/linux/pkvm.h'
VENDOR = 0xc6000000
# Functions of FF-A: the kernel's header for them is not for programs outside of it.
OWN_NUMBERS = ('tools/testing/spmc/ffa.c',)


def read(name):
    with open(os.path.join(TOP, name)) as file:
        return file.read()


class Abi(unittest.TestCase):
    def setUp(self):
        header = read(HEADER)
        self.numbers = {name: int(number) for name, number in re.findall(
            r'^#define ARM_SMCCC_KVM_FUNC_(\w+)\t+(\d+)$', header, re.M)}
        self.numbers['FEATURES'] = 0
        macro = re.search(r'#define PKVM_GUEST_FEATURES\t(.*?[^\\])\n', header, re.S).group(1)
        self.offered = re.findall(r'1 << ARM_SMCCC_KVM_FUNC_(\w+)', macro)

    def test_one_definition(self):
        """No other file of ours defines a function id or the number of the capability."""
        defined = re.compile(r'^#\s*define\s+\w+\s+(\(?0x(?:[8c][46]0000[0-9a-f]{2}|8600ff01|'
                             r'ffbadab1)[UL]*\)?)\s*$', re.M | re.I)
        found = {name: defined.findall(read(name)) for name in tree.our_files()
                 if name.endswith(('.c', '.h', '.S')) and name not in OWN_NUMBERS}
        self.assertIn(HEADER, found)
        self.assertEqual(found.pop(HEADER), ['0xffbadab1'])
        self.assertEqual({name: ids for name, ids in found.items() if ids}, {})

    def test_offered(self):
        """All calls that the header has are in the bitmap of FEATURES."""
        self.assertEqual(sorted(self.offered), sorted(self.numbers))

    def test_documented(self):
        """The manual has the function id of each call, and the bitmap of FEATURES."""
        pages = {name: read(f'Documentation/virt/kvm/arm/pkvm-{name}.rst')
                 for name in ('hypercalls', 'mmio-guard')}
        for name in self.offered:
            number = VENDOR + self.numbers[name] if self.numbers[name] else 0x86000000
            self.assertTrue(re.search(f'^Function 0x{number:X}$', '\n'.join(pages.values()),
                                      re.M), name)
        features = sum(1 << self.numbers[name] for name in self.offered)
        self.assertTrue(f'x0       {features:#x}: ' in pages['hypercalls'], 'FEATURES')
