# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/tree.py: the patched source depends only on base, files and patches."""

import os
import subprocess
import tarfile
import unittest

from sandbox import BASE, PLAIN, TOP, Sandbox, patch

PLAIN_C = 'arch/arm64/kvm/plain.c'


class Tree(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('arch/arm64/kvm/ours.c', 'ours\n')
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO'))

    def make(self):
        status, output = self.box.tree()
        self.assertEqual(status, 0, output)
        return output

    def refused(self):
        status, output = self.box.tree()
        self.assertNotEqual(status, 0, output)
        self.assertIn('error: ', output)
        self.assertNotIn('Traceback', output)
        return output

    def test_files_and_patches_arrive(self):
        """build/linux contains the base, our files and the changes of the patches."""
        self.make()
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/ours.c'), 'ours\n')
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('two', 'TWO'))
        self.assertEqual(self.box.read('build/linux/tools/untouched.c'), 'x\n')

    def test_bare(self):
        """--bare makes a copy of the base: links, and newer files where the tree differs."""
        self.make()
        before = self.box.mtimes()
        self.bare()
        base, ours = (self.box.path(f'build/{where}linux') for where in ('stock/', ''))
        self.assertEqual(self.box.read(f'build/stock/linux/{PLAIN_C}'), PLAIN)
        self.assertFalse(os.path.exists(f'{base}/arch/arm64/kvm/ours.c'))
        self.assertTrue(os.path.samefile(f'{base}/tools/untouched.c', f'{ours}/tools/untouched.c'))
        self.assertGreater(os.stat(f'{base}/{PLAIN_C}').st_mtime_ns, max(before.values()))
        self.assertEqual(self.box.mtimes(), before)

    def bare(self):
        """Make build/stock/linux by --bare."""
        os.makedirs(self.box.path('build/stock'), exist_ok=True)
        status, output = self.box.run('scripts/pkvm/tree.py', '--bare', 'build/stock/linux')
        self.assertEqual(status, 0, output)

    def test_bare_outlives_edits(self):
        """Later changes of build/linux do not change the copy of the base by its links."""
        self.make()
        self.bare()
        self.box.write('arch/arm64/kvm/ours.c', 'edited\n')
        self.box.series(first=patch('arch/arm64/kvm/other.c', 'two', 'TWO'))
        self.make()
        for name in ('plain.c', 'other.c'):
            self.assertEqual(self.box.read(f'build/stock/linux/arch/arm64/kvm/{name}'), PLAIN)

    def test_bare_of_nothing(self):
        """--bare without build/linux is an error."""
        status, output = self.box.run('scripts/pkvm/tree.py', '--bare', 'build/stock/linux')
        self.assertEqual(status, 1)
        self.assertIn('run make tree first', output)

    def test_second_run_writes_nothing(self):
        """A second run changes no time stamp, not that of linux.stamp either."""
        self.make()
        before = self.box.mtimes(), os.stat(self.box.path('build/linux.stamp')).st_mtime_ns
        self.make()
        after = self.box.mtimes(), os.stat(self.box.path('build/linux.stamp')).st_mtime_ns
        self.assertEqual(before, after)

    def test_edit_touches_one_file(self):
        """After an edit of one file only that file is written."""
        self.make()
        before = self.box.mtimes()
        self.box.write('arch/arm64/kvm/ours.c', 'edited\n')
        self.make()
        after = self.box.mtimes()
        self.assertEqual({path for path in after if after[path] != before.get(path)},
                         {'arch/arm64/kvm/ours.c'})

    def test_program_does_not_rebuild_kernel(self):
        """A change below tools/ does not touch linux.stamp."""
        self.make()
        before = os.stat(self.box.path('build/linux.stamp')).st_mtime_ns
        self.box.write('tools/vmm/main.c', 'new\n')
        self.make()
        self.assertEqual(self.box.read('build/linux/tools/vmm/main.c'), 'new\n')
        self.assertEqual(os.stat(self.box.path('build/linux.stamp')).st_mtime_ns, before)

    def test_changed_patch_starts_from_pristine(self):
        """A changed patch is applied to the base's file, not to a patched one."""
        self.make()
        before = self.box.mtimes()
        self.box.series(first=patch(PLAIN_C, 'nine', 'NINE'))
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('nine', 'NINE'))
        after = self.box.mtimes()
        self.assertEqual({path for path in after if after[path] != before[path]}, {PLAIN_C})

    def test_dropped_patch_restores(self):
        """A file that no patch changes any more is restored."""
        self.make()
        self.box.series()
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN)

    def test_removed_file_goes(self):
        """A file that this tree no longer has is removed, and its directory if it is empty."""
        self.box.write('drivers/virt/pkvm/gone.c', 'gone\n')
        self.make()
        self.assertIn('drivers/virt/pkvm/gone.c', self.box.mtimes())
        os.remove(self.box.path('drivers/virt/pkvm/gone.c'))
        os.rmdir(self.box.path('drivers/virt/pkvm'))
        self.make()
        self.assertFalse(os.path.exists(self.box.path('build/linux/drivers')))
        self.assertTrue(os.path.exists(self.box.path('build/linux/tools/untouched.c')))

    def test_ignored_files_stay_out(self):
        """Objects of a build in the checkout are not copied to build/linux."""
        self.box.write('drivers/virt/pkvm/module.ko', 'object\n')
        self.make()
        self.assertNotIn('drivers/virt/pkvm/module.ko', self.box.mtimes())

    def test_file_of_the_base_is_refused(self):
        """A file of ours with the name of a base file is refused."""
        self.box.write('tools/untouched.c', 'ours\n')
        self.assertIn('tools/untouched.c', self.refused())
        self.assertEqual(self.box.read('build/linux/tools/untouched.c'), 'x\n')

    def test_failing_hunk_is_named(self):
        """If a hunk does not apply, the error names file, patch, and both versions."""
        self.box.base(dict(BASE, **{
            'Makefile': BASE['Makefile'].replace('117', '107'),
            PLAIN_C: PLAIN.replace('two', 'zwei')}))
        output = self.refused()
        for word in (PLAIN_C, '0001-first.patch', '6.12.107', '6.12.117'):
            self.assertIn(word, output)

    def test_fuzz_is_refused(self):
        """A hunk whose context differs is refused."""
        self.box.base(dict(BASE, **{PLAIN_C: PLAIN.replace('five', 'fuenf')}))
        self.assertIn('0001-first.patch', self.refused())

    def test_moved_hunk_applies(self):
        """A hunk whose context has moved is applied there."""
        self.box.series(first=patch(PLAIN_C, 'six', 'SIX'))
        self.box.base(dict(BASE, **{PLAIN_C: 'zero\n' + PLAIN}))
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'),
                         'zero\n' + PLAIN.replace('six', 'SIX'))

    def test_missing_file_is_named(self):
        """If a patch changes a file that the base lacks, the error names the file."""
        self.box.series(first=patch('arch/arm64/kvm/absent.c', 'two', 'TWO'))
        self.assertIn('arch/arm64/kvm/absent.c', self.refused())

    def test_new_file_in_a_patch_is_refused(self):
        """A patch that creates a file is refused."""
        self.box.series(first='Subject: a: b\n\nwhy\n---\nnew file mode 100644\n'
                              '--- /dev/null\n+++ b/arch/new.c\n@@ -0,0 +1 @@\n+x\n')
        self.assertIn('0001-first.patch: "new file mode 100644"', self.refused())

    def test_patch_outside_the_tree_is_refused(self):
        """A patch to a file outside the kernel tree is refused."""
        self.box.series(first=patch('../../escape.c', 'two', 'TWO'))
        self.assertIn('leaves the kernel tree', self.refused())

    def test_patch_without_reason_is_refused(self):
        """A patch whose message has no body is refused."""
        self.box.series(first='Subject: a: b\n\nBug: 1\n---\n')
        self.assertIn('0001-first.patch', self.refused())

    def test_other_minor_is_refused(self):
        """A base of another minor version is refused, and no tree is made."""
        self.box.base(dict(BASE, Makefile=BASE['Makefile'].replace('12', '6')))
        self.assertIn('6.6.117', self.refused())
        self.assertFalse(os.path.exists(self.box.path('build/linux')))

    def test_missing_fixes_are_named(self):
        """An old base is accepted, with a warning that names the security fixes that it lacks."""
        def warned(sublevel):
            self.box.base(dict(BASE, Makefile=BASE['Makefile'].replace('117', str(sublevel))))
            return self.make()

        output = warned(113)
        self.assertIn('6.12.113 lacks', output)
        self.assertNotIn('CVE-2025-40102', output)
        self.assertIn('CVE-2026-72288', output)
        self.assertIn('CVE-2026-98466', output)
        self.assertIn('CVE-2025-40102', warned(107))
        output = warned(116)
        self.assertNotIn('CVE-2026-72288', output)
        self.assertIn('CVE-2026-98466', output)
        self.assertNotIn('warning', warned(117))

    def test_missing_base_is_named(self):
        """If the base is missing, the error names its path and its package."""
        os.remove(self.box.tarball)
        output = self.refused()
        self.assertIn(self.box.tarball, output)
        self.assertIn('linux-source-6.12', output)

    def test_broken_tarball_is_refused(self):
        """A truncated tarball leaves no incomplete build/linux, and the next run succeeds."""
        with open(self.box.tarball, 'r+b') as file:
            file.truncate(100)
        self.assertIn(self.box.tarball, self.refused())
        self.assertFalse(os.path.exists(self.box.path('build/linux')))
        self.box.base(BASE)
        self.make()

    def test_no_kernel_is_refused(self):
        """A tarball that is not a kernel is refused."""
        self.box.base({'README': 'no kernel\n'})
        self.assertIn('Makefile', self.refused())

    def test_new_base_is_unpacked(self):
        """If the tarball of the base changes, the whole tree is made again."""
        self.make()
        self.box.base(dict(BASE, **{'tools/untouched.c': 'newer\n'}))
        self.make()
        self.assertEqual(self.box.read('build/linux/tools/untouched.c'), 'newer\n')
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('two', 'TWO'))
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/ours.c'), 'ours\n')

    def test_killed_between_is_repaired(self):
        """A run after one that was killed repairs files that are incomplete."""
        self.make()
        self.box.write('build/overlay.list', 'arch/arm64/kvm/ours.c\n')
        self.box.write(f'build/linux/{PLAIN_C}', 'half written')
        self.box.write('build/linux/arch/arm64/kvm/ours.c', 'half')
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('two', 'TWO'))
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/ours.c'), 'ours\n')

    def test_two_checkouts(self):
        """Two checkouts do not affect each other."""
        other = Sandbox()
        self.addCleanup(other.close)
        self.make()
        before = self.box.mtimes()
        other.series(first=patch(PLAIN_C, 'nine', 'NINE'))
        status, output = other.tree()
        self.assertEqual(status, 0, output)
        self.assertEqual(self.box.mtimes(), before)
        self.assertEqual(other.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('nine', 'NINE'))


class Oldest(unittest.TestCase):
    """The patches apply to the oldest 6.12.y in Debian's archive that tree.py supports."""

    @staticmethod
    def kept_for():
        """Return the oldest version that tree.py supports."""
        import tree
        return tree.BASE_OLDEST

    def fetch(self, folder):
        """Return the oldest package, which is downloaded to build/ once, and its version."""
        listing = subprocess.run(['apt-cache', 'madison', 'linux-source-6.12'],
                                 stdout=subprocess.PIPE, text=True, check=True).stdout

        def number(version):
            return tuple(int(part) for part in version.split('-')[0].split('.'))

        # Backports may keep one from before.
        versions = [version for version in (line.split('|')[1].strip()
                                            for line in listing.splitlines())
                    if number(version) >= self.kept_for()]
        if not versions:
            self.skipTest('the package lists of apt have no base')

        oldest = min(versions, key=number)
        have = [name for name in os.listdir(folder) if f'_{oldest}_' in name]
        if not have:
            done = subprocess.run(['apt-get', 'download', '-q', f'linux-source-6.12={oldest}'],
                                  cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False)
            have = [name for name in os.listdir(folder) if f'_{oldest}_' in name]
            if done.returncode or not have:
                self.skipTest('apt cannot fetch the oldest base: '
                              + done.stdout.strip().split('\n')[-1])
        return os.path.join(folder, have[0]), '.'.join(map(str, number(oldest)))

    def test_oldest_base(self):
        import topics
        folder = os.path.join(TOP, 'build/oldest')
        os.makedirs(folder, exist_ok=True)
        package, version = self.fetch(folder)
        series = topics.load_series()
        touched = sorted({path for topic in series for path in topic.touches})
        root = os.path.join(folder, version)
        missing = [path for path in touched if not os.path.exists(os.path.join(root, path))]
        if missing:
            self.unpack(package, root, missing)
        box = Sandbox()
        self.addCleanup(box.close)
        for path in touched:
            with open(os.path.join(root, path)) as file:
                box.write(f'work/{path}', file.read())
        for topic in series:
            topic.apply(box.path('work'), version)

    def unpack(self, package, root, wanted):
        """Extract some files of the kernel tarball in a package."""
        os.makedirs(root, exist_ok=True)
        inner = './usr/src/linux-source-6.12.tar.xz'
        with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', package],
                              stdout=subprocess.PIPE) as outer, \
                subprocess.Popen(['tar', '-xO', inner], stdin=outer.stdout,
                                 stdout=subprocess.PIPE) as kernel, \
                tarfile.open(fileobj=kernel.stdout, mode='r|xz') as tar:
            for member in tar:
                path = member.name.partition('/')[2]
                if path in wanted and member.isfile():
                    target = os.path.join(root, path)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    with open(target, 'wb') as file:
                        file.write(tar.extractfile(member).read())


if __name__ == '__main__':
    unittest.main()
