# SPDX-License-Identifier: GPL-2.0-only
"""Test that the table of CPU features has every field that the kernel knows, and so the manual."""

import os
import re
import unittest

import sandbox

TABLE = os.path.join(sandbox.TOP, 'arch/arm64/kvm/hyp/nvhe/guest_features.c')
MANUAL = os.path.join(sandbox.TOP, 'Documentation/virt/kvm/arm/pkvm-features.rst')
SYSREG = os.path.join(sandbox.TOP, 'build/linux/arch/arm64/tools/sysreg')

ROW = re.compile(r'^\tROW(?:_S)?\((\w+), (\w+),\s+(\w+), (\w+),\s+(\w+), (\w+),\s+(\w+)\),$', re.M)
OFFERS = {
    'HIDDEN': 'hidden',
    'HIDDEN_OPEN': 'hidden, open',
    'STATELESS': 'offered',
    'STATE': 'offered, state',
}
OPTIONS = {
    'ALWAYS': '',
    'WITH_SVE': 'SVE',
    'WITH_PTRAUTH': 'pointer authentication',
    'WITH_MTE': 'MTE',
    'WITH_GICV3': 'GICv3',
}


def rows():
    """Return the rows of the table, in the words of the manual."""
    def offer(how, most):
        limited = how in ('STATELESS', 'STATE') and most not in ('ANY', '1')
        return f'{OFFERS[how]}, up to {most}' if limited else OFFERS[how]

    with open(TABLE) as file:
        found = ROW.findall(file.read())
    return [(reg, field, offer(pvm, pvm_max), offer(np, np_max), OPTIONS[option])
            for reg, field, pvm, pvm_max, np, np_max, option in found]


def manual():
    """Return the rows of the manual's list-table."""
    with open(MANUAL) as file:
        text = file.read()
    found = re.findall(r'^   \* - (.*)\n     - (.*)\n     - ?(.*)\n     - ?(.*)\n     - ?(.*)$',
                       text, re.M)
    return [tuple(column.strip() for column in row) for row in found[1:]]


def fields():
    """Return all fields of AArch64 ID registers in the kernel's list of registers."""
    reg, found = None, []
    with open(SYSREG) as file:
        for line in file:
            words = line.split()
            if not words:
                continue
            if words[0] == 'Sysreg':
                match = re.fullmatch(r'ID_AA64(\w+)_EL1', words[1])
                reg = match and match[1]
            elif words[0] == 'EndSysreg':
                reg = None
            elif reg and words[0] in ('Field', 'Enum', 'SignedEnum', 'UnsignedEnum'):
                found.append((reg, words[2]))
    return found


class Features(unittest.TestCase):
    """guest_features.c, the kernel's list of fields and the manual agree."""

    def test_no_field_is_missing(self):
        """The table has each field of the kernel's list."""
        named = {row[:2] for row in rows()}
        # Registers with implementation-defined contents are not shown to VMs at all.
        known = {field for field in fields() if not field[0].startswith('AFR')}
        self.assertGreater(len(known), 150)
        self.assertEqual(sorted(known - named), [])

    def test_no_field_twice(self):
        """The table has no field twice."""
        named = [row[:2] for row in rows()]
        self.assertEqual(len(named), len(set(named)))

    def test_manual(self):
        """The manual has the rows of the table."""
        self.assertEqual(manual(), rows())


if __name__ == '__main__':
    unittest.main()
