# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/hooks.py: edited commits are saved as the patches of their topics."""

import subprocess
import unittest

import hooks
from sandbox import Sandbox, patch

PLAIN_C = 'arch/arm64/kvm/plain.c'
# Lines of the base that all hooks together may change. What is longer belongs into a file of
# ours, of which the hook is a call.
MOST = 1300


class Hooks(unittest.TestCase):
    """The round trip from patches to commits and back, on a made-up kernel."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO', subject='KVM: arm64: first'),
                        second=patch(PLAIN_C, 'nine', 'NINE', subject='KVM: arm64: second'))
        self.assertEqual(self.box.tree()[0], 0)

    def hooks(self, *args):
        return self.box.run('scripts/pkvm/hooks.py', *args, '--base', self.box.tarball)

    def edit(self, old, new):
        path = f'build/hooks/{PLAIN_C}'
        self.box.write(path, self.box.read(path).replace(old, new))

    def git(self, *args):
        subprocess.run(['git', '-c', 'user.name=Test', '-c', 'user.email=test@localhost', *args],
                       cwd=self.box.path('build/hooks'), check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def make(self):
        status, output = self.hooks('make')
        self.assertEqual(status, 0, output)
        # The made-up patches lack the function names that git writes after "@@".
        self.assertEqual(self.hooks('save')[0], 0)

    def test_unchanged(self):
        """If no commit was edited, no patch is written."""
        self.make()
        status, output = self.hooks('save')
        self.assertEqual((status, output), (0, ''))

    def test_round_trip(self):
        """An edit of one topic changes only its patch, which keeps its message and applies."""
        self.make()
        self.edit('TWO', 'TWICE')
        self.git('commit', '-qa', '--fixup=:/0001-first')
        self.git('-c', 'sequence.editor=true', 'rebase', '-q', '-i', '--autosquash', 'base')
        status, output = self.hooks('save')
        self.assertEqual(status, 0, output)
        self.assertIn('0001-first.patch', output)
        self.assertNotIn('0002-second.patch', output)
        self.assertIn('Because the test wants it.', self.box.read('patches/0001-first.patch'))
        self.assertEqual(self.box.tree()[0], 0)
        self.assertIn('TWICE', self.box.read(f'build/linux/{PLAIN_C}'))

    def test_unsaved(self):
        """Changes that were not saved are discarded only with --force."""
        self.make()
        self.edit('TWO', 'TWICE')
        status, output = self.hooks('make')
        self.assertEqual(status, 1)
        self.assertIn('not saved', output)
        self.assertEqual(self.hooks('make', '--force')[0], 0)

    def test_stray_commit(self):
        """A commit that is not a topic is refused, and no patch is written."""
        self.make()
        self.edit('TWO', 'TWICE')
        self.git('commit', '-qa', '-m', 'a thought')
        before = self.box.read('patches/0001-first.patch')
        status, output = self.hooks('save')
        self.assertEqual(status, 1)
        self.assertIn('"a thought" is not a topic', output)
        self.assertEqual(self.box.read('patches/0001-first.patch'), before)

    def test_uncommitted(self):
        """Changes that are not committed are refused, since they belong to no topic."""
        self.make()
        self.edit('TWO', 'TWICE')
        status, output = self.hooks('save')
        self.assertEqual(status, 1)
        self.assertIn('not committed', output)

    def test_count(self):
        """A line that a hook replaces counts twice, the header of a diff does not."""
        status, output = self.box.run('scripts/pkvm/hooks.py', 'count')
        self.assertEqual((status, output), (0, '    2 0001-first.patch\n    2 0002-second.patch\n'
                                            '    4 in all\n'))


class Size(unittest.TestCase):
    """The real hooks."""

    def test_size(self):
        """The hooks are small, so that they can be carried to another kernel."""
        lines = hooks.count()
        table = ''.join(f'\n{changed:5} {name}' for name, changed in lines.items())
        print(f'lines of the base that hooks change: {sum(lines.values())}{table}')
        self.assertLessEqual(sum(lines.values()), MOST, table)


if __name__ == '__main__':
    unittest.main()
