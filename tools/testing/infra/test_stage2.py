# SPDX-License-Identifier: GPL-2.0-only
"""Test tools/testing/stage2/stage2.py: it parses dumps of stage-2 tables and draws them."""

import os
import sys
import unittest

import sandbox

sys.path.insert(0, os.path.join(sandbox.TOP, 'tools/testing/stage2'))
import stage2  # noqa: E402

DUMP = '''0x000000000000-0x00003fffffff L1 1 x 1048576K mmio RW- normal
0x000040000000-0x0000401fffff L2 1 x 2048K owned RWX normal
0x000040200000-0x0000402fffff L3 256 x 4K shared RWX normal
0x000040300000-0x00004033ffff L3 64 x 4K guest c
0x000040340000-0x00004037ffff L3 64 x 4K hyp 4
0x000040380000-0x0000403fffff L3 128 x 4K owned RWX normal
0x000040400000-0x00007fffffff L2 510 x 2048K empty
leaves L1: 1
leaves L2: 1
leaves L3: 384
annotated: 128
tables L1: 1
tables L2: 1
tables L3: 1
tables: 3
references: 131
'''


class Parse(unittest.TestCase):
    """A dump is parsed, or refused with the reason."""

    def test_totals(self):
        """The totals and their summary are those of the dump."""
        dump = stage2.Dump(DUMP)
        self.assertEqual(dump.totals['tables'], 3)
        self.assertIn('1 L1, 1 L2, 384 L3 leaves, 3 table pages', dump.summary())

    def test_faults(self):
        """The number of faults is not part of the state of the tables; a VM's dump has none."""
        dump = stage2.Dump(DUMP + 'faults: 12\n')
        self.assertEqual(dump.faults, 12)
        self.assertEqual(dump.totals, stage2.Dump(DUMP).totals)
        self.assertIsNone(stage2.Dump(DUMP).faults)

    def test_lasting(self):
        """lasting() ignores device mappings that were added, but not split memory."""
        lasting = stage2.Dump(DUMP).lasting()
        used = DUMP.replace('L2 510 x 2048K empty', 'L2 510 x 2048K mmio RW- normal') \
            .replace('leaves L2: 1', 'leaves L2: 511')
        self.assertEqual(stage2.Dump(used).lasting(), lasting)
        split = DUMP.replace('leaves L3: 384', 'leaves L3: 385')
        self.assertNotEqual(stage2.Dump(split).lasting(), lasting)

    def test_memory(self):
        """memory() is the range from the first to the last entry for memory."""
        self.assertEqual(stage2.Dump(DUMP).memory(), (0x40000000, 0x40400000))

    def test_levels(self):
        """The average number of levels counts memory only, not MMIO or unmapped entries."""
        self.assertAlmostEqual(stage2.Dump(DUMP).levels_walked(), (2 * 2 + 1.5 * 3) / 3.5)

    def test_console(self):
        """Other console output around a dump is ignored."""
        self.assertEqual(stage2.Dump(f'pages: 5\npvmfw: x\n{DUMP}pvmfw: y\n').totals['tables'], 3)

    def test_none(self):
        """A text without a complete dump is refused."""
        for text in ('', DUMP.replace('references', 'x'), 'tables: 3\n'):
            with self.assertRaisesRegex(stage2.DumpError, 'not a dump'):
                stage2.Dump(text)

    def test_gap(self):
        """A dump with a gap is refused."""
        with self.assertRaisesRegex(stage2.DumpError, 'gap at 0x40200000'):
            stage2.Dump(DUMP.replace('0x000040200000-', '0x000040201000-'))


class Picture(unittest.TestCase):
    """Each column of the picture shows the shares of the kinds of entries in it."""

    def test_columns(self):
        """A column of one kind shows that kind."""
        shares = stage2.columns(stage2.Dump(DUMP), 0x40000000, 0x40400000)
        self.assertEqual(len(shares), stage2.COLUMNS)
        self.assertEqual(shares[0], {'blocks (L2)': 1})
        self.assertEqual(shares[stage2.COLUMNS * 5 // 8], {'shared': 1})
        self.assertEqual(shares[stage2.COLUMNS * 13 // 16 - 1], {'guest': 1})
        self.assertEqual(shares[-1], {'pages (L3)': 1})

    def test_mixed_column(self):
        """A column of several kinds shows their proportions."""
        shares = stage2.columns(stage2.Dump(DUMP), 0x40000000, 0x40000000 + (4 << 30))[0]
        self.assertAlmostEqual(sum(shares.values()), 1)
        self.assertAlmostEqual(shares['blocks (L2)'], 0.5)
        self.assertAlmostEqual(shares['shared'], 0.25)

    def test_script(self):
        """Rows are drawn from the top, and equal columns as one box."""
        dump = stage2.Dump(DUMP)
        text = stage2.script([('first', dump), ('second', dump)], 'svg', 'x.svg')
        self.assertIn('set ytics ("first" 1.5, "second" 0.5)', text)
        self.assertIn('0 1 0 512 1.1000 1.9000 0x66bb6a', text)

    def test_draw(self):
        """An SVG and a PNG file are written."""
        box = sandbox.Sandbox()
        self.addCleanup(box.close)
        stage2.draw([('only', stage2.Dump(DUMP))], box.path('picture'))
        with open(box.path('picture.svg')) as file:
            self.assertIn('<svg', file.read())
        with open(box.path('picture.png'), 'rb') as file:
            self.assertEqual(file.read(4), b'\x89PNG')


if __name__ == '__main__':
    unittest.main()
