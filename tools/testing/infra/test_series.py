# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/series.py: applied to the base, the exported patches give this tree."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import series
import topics
import tree
from sandbox import TOP, Sandbox, patch

PLAIN_C = 'arch/arm64/kvm/plain.c'


def git(folder, *args, **more):
    """Run git in a directory and return its output. The test fails if git does."""
    identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost',
                '-c', 'core.autocrlf=false', '-c', 'gc.auto=0']
    return subprocess.run(['git', *identity, *args], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=True, **more).stdout


class Series(unittest.TestCase):
    """The series of a made-up tree on a made-up kernel."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('arch/arm64/kvm/ours.c', 'ours\n')
        self.box.write('tools/vmm/vmm.c', 'vmm\n')
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO', more='Files: arch/arm64/kvm/ours.c\n'
                                    'Bug: 222044487\n', subject='KVM: arm64: first'),
                        second=patch(PLAIN_C, 'nine', 'NINE', more='Files: tools/vmm/\n',
                                     subject='tools: second'))
        git(self.box.top, 'init', '-q')
        git(self.box.top, 'config', 'user.name', 'A Tester')
        git(self.box.top, 'config', 'user.email', 'tester@localhost')
        git(self.box.top, 'commit', '-q', '--allow-empty', '-m', 'x')

    def export(self):
        status, output = self.box.tree()
        self.assertEqual(status, 0, output)
        return self.box.run('scripts/pkvm/series.py')

    def patches(self):
        folder = self.box.path('build/series')
        return {name: self.box.read(f'build/series/{name}') for name in sorted(os.listdir(folder))}

    def test_tags(self):
        """Each patch has the tags that the Android common kernels require."""
        status, output = self.export()
        self.assertEqual(status, 0, output)
        first, second = self.patches().values()
        self.assertRegex(first, r'(?m)^Subject: \[PATCH 1/2\] ANDROID: KVM: arm64: first$')
        self.assertRegex(first, r'(?m)^Bug: 222044487\nChange-Id: I[0-9a-f]{40}\n'
                         r'Signed-off-by: A Tester <tester@localhost>$')
        self.assertRegex(second, r'(?m)^Because the test wants it\.$')
        self.assertNotIn('Bug:', second)

    def test_stable(self):
        """The same tree results in the same patches."""
        self.export()
        before = self.patches()
        self.export()
        self.assertEqual(self.patches(), before)

    def test_change_id_outlives_an_edit(self):
        """A topic keeps its Change-Id when its files are edited."""
        def ids():
            return [line for text in self.patches().values()
                    for line in text.split('\n') if line.startswith('Change-Id')]
        self.export()
        before = ids()
        self.box.write('tools/vmm/vmm.c', 'edited\n')
        self.export()
        self.assertEqual(ids(), before)
        self.assertEqual(len(set(before)), 2)

    def test_unclaimed_file(self):
        """A file that belongs to no topic is refused, since the series would lack it."""
        self.box.write('tools/vmm2.c', 'x\n')
        status, output = self.export()
        self.assertNotEqual(status, 0)
        self.assertIn('tools/vmm2.c', output)

    def test_file_claimed_twice(self):
        """A file that belongs to two topics is refused."""
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO', more='Files: tools/ arch/\n'),
                        second=patch(PLAIN_C, 'nine', 'NINE', 'KVM: arm64: another',
                                     more='Files: tools/vmm/\n'))
        status, output = self.export()
        self.assertNotEqual(status, 0)
        self.assertIn('tools/vmm/vmm.c', output)

    def test_subject_twice(self):
        """Two topics with the same subject are refused, since they would have one Change-Id."""
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO', more='Files: tools/ arch/\n'),
                        second=patch(PLAIN_C, 'nine', 'NINE'))
        status, output = self.export()
        self.assertNotEqual(status, 0)
        self.assertIn('same subject', output)

    def test_claim_of_nothing(self):
        """A topic that names a file which does not exist is refused."""
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO', more='Files: tools/ arch/ include/x\n'))
        status, output = self.export()
        self.assertNotEqual(status, 0)
        self.assertIn('include/x', output)

    def test_patch_outside_the_series(self):
        """A patch file that patches/series does not name is refused."""
        self.box.write('patches/0009-stray.patch', patch(PLAIN_C, 'two', 'TWO'))
        status, output = self.export()
        self.assertNotEqual(status, 0)
        self.assertIn('0009-stray.patch', output)


    def test_list_grows(self):
        """A line of a list comes with the file that it names, and what leads to it with the
        line; before that, a module without objects is not built, and a list that
        names nothing is not there."""
        makefile = ('# The head.\n\ntool-y += one.o\ntool-y += two.o\nobj-y += tool.o\n\n'
                    '# Special.\nCFLAGS_three.o := -O3\nmore-$(X) += three.o\nobj-y += more.o\n')
        for name in ('one.c', 'two.S', 'three.c', 'four.c'):
            self.box.write(f'drivers/x/{name}', f'{name}\n')
        self.box.write('drivers/x/Makefile', makefile)
        self.box.write('drivers/x/list', 'x/four now\nfour\n# ../ourselves.c\n')
        self.box.write('drivers/x/late', '# The tests.\n\nx/three\nx/four\n')
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO', 'a: first',
                                    more='Files: arch/ drivers/x/one.c\n'
                                    'Lists: drivers/x/Makefile drivers/x/list '
                                    'drivers/x/late\n'),
                        second=patch(PLAIN_C, 'nine', 'NINE', 'a: second',
                                     more='Files: tools/ drivers/x/two.S\n'),
                        third='Subject: a: third\n\nWhy\n\nFiles: drivers/x/three.c\n---\n',
                        fourth='Subject: a: fourth\n\nWhy\n\nFiles: drivers/x/four.c\n---\n')
        status, output = self.export()
        self.assertEqual(status, 0, output)

        def added(text):
            """The lines that a patch adds to each file, by its name."""
            files = re.findall(r'^diff --git a/\S+ b/\S+/(\S+)\n(.*?)(?=^diff|\Z)', text,
                               re.M | re.S)
            return {name: re.findall(r'^\+(?!\+\+)(.*)$', body, re.M) for name, body in files}

        patches = [added(text) for text in self.patches().values()]
        self.assertEqual([part.get('Makefile') for part in patches],
                         [['# The head.', '', 'tool-y += one.o', 'obj-y += tool.o'],
                          ['tool-y += two.o'],
                          ['', '# Special.', 'CFLAGS_three.o := -O3', 'more-$(X) += three.o',
                           'obj-y += more.o'], None])
        self.assertEqual([part.get('list') for part in patches],
                         [['# ../ourselves.c'], None, None, ['x/four now', 'four']])
        self.assertEqual([part.get('late') for part in patches],
                         [None, None, ['# The tests.', '', 'x/three'], ['x/four']])
        _, output = self.box.run('scripts/pkvm/series.py', '--count')
        self.assertEqual([int(line.split()[0]) for line in output.splitlines()], [9, 5, 9, 4])


def touched():
    """Return all files of the base that the series changes."""
    return {path for topic in topics.load_series() for path in topic.touches}


def removals(diff):
    """Yield for each run of lines that a diff removes its file, its first line and its length."""
    for line in diff.splitlines():
        if line.startswith('--- '):
            path = line.removeprefix('--- a/')
        match = re.match(r'@@ -(\d+)(?:,(\d+))? ', line)
        if match and match.group(2) != '0':
            yield path, int(match.group(1)), int(match.group(2) or 1)


@contextlib.contextmanager
def applied():
    """Yield a repository with the base, as tag base, and with the series applied by git am."""
    build = os.path.join(TOP, 'build')
    with tree.locked():
        subprocess.run(['scripts/pkvm/tree.py'], cwd=TOP, check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(['scripts/pkvm/series.py'], cwd=TOP, check=True,
                   stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix='am.', dir=build) as repo:
        for path in touched():
            os.makedirs(os.path.dirname(os.path.join(repo, path)), exist_ok=True)
            shutil.copy(os.path.join(build, 'pristine', path), os.path.join(repo, path))
        git(repo, 'init', '-q')
        git(repo, 'add', '-A', '-f')
        git(repo, 'commit', '-q', '-m', 'base')
        git(repo, 'tag', 'base')
        folder = os.path.join(build, 'series')
        git(repo, 'am', '-q', *(os.path.join(folder, name)
                                for name in sorted(os.listdir(folder))))
        yield repo


class Whole(unittest.TestCase):
    """The series of this tree."""

    # A patch that changes more lines is not reviewed as a whole.
    MOST = 600
    # Topics that change more: each brings one file and nothing else, which is that long.
    LARGER = {
        '0222-kunit-el2-np-share.patch',
        '0226-kunit-el2-ffa.patch',
        '0602-selftests-pvm.patch',
        '0616-selftests-caps-vcpu.patch',
        '0636-selftests-np-share.patch',
        '0901-docs-pkvm.patch',
        '0902-docs-host.patch',
        '0905-docs-features.patch',
    }

    @classmethod
    def setUpClass(cls):
        cls.repo = cls.enterClassContext(applied())

    def test_patches_are_small(self):
        """No patch changes too many lines, but for those with one long file."""
        sizes = series.sizes()
        self.assertEqual({name for name, size in sizes.items() if size > self.MOST},
                         self.LARGER)
        brought = series.claims(topics.load_series())
        for name in self.LARGER:
            self.assertEqual(len(brought[name]), 1, name)

    def test_git_am_gives_the_tree(self):
        """git am of the series on the base results in the files and modes of build/linux."""
        files = git(self.repo, 'ls-files').split()
        self.assertEqual(set(files), touched() | set(tree.our_files()))
        for path in files:
            made, laid = os.path.join(self.repo, path), os.path.join(TOP, 'build/linux', path)
            self.assertEqual(tree.read(made, 'rb'), tree.read(laid, 'rb'), path)
            self.assertEqual(os.access(made, os.X_OK), os.access(laid, os.X_OK), path)

    def test_no_patch_removes_what_another_adds(self):
        """Each line that a patch removes or changes is one of the base."""
        base = git(self.repo, 'rev-parse', 'base').strip()
        for commit in git(self.repo, 'rev-list', '--reverse', 'base..').split():
            for path, first, count in removals(git(self.repo, 'show', '-U0', '--no-renames',
                                                   '--format=', commit)):
                lines = git(self.repo, 'blame', '-l', '-s', '-L', f'{first},+{count}',
                            f'{commit}^', '--', path).splitlines()
                # git puts a ^ instead of the last digit to the commit of the root.
                again = [line for line in lines if not line.startswith('^' + base[:-1])]
                self.assertEqual(again, [], git(self.repo, 'log', '-1', '--format=%s', commit))
