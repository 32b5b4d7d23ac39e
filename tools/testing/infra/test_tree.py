# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/tree.py: the patched source is a pure function of its inputs."""

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
        """Base, our files and the hooks together make build/linux."""
        self.make()
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/ours.c'), 'ours\n')
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('two', 'TWO'))
        self.assertEqual(self.box.read('build/linux/tools/untouched.c'), 'x\n')

    def test_bare(self):
        """--bare makes the base beside the tree: links, and a newer file where they differ."""
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
        """Make build/stock/linux."""
        os.makedirs(self.box.path('build/stock'), exist_ok=True)
        status, output = self.box.run('scripts/pkvm/tree.py', '--bare', 'build/stock/linux')
        self.assertEqual(status, 0, output)

    def test_bare_outlives_edits(self):
        """What is changed in the tree later does not reach the base through a link."""
        self.make()
        self.bare()
        self.box.write('arch/arm64/kvm/ours.c', 'edited\n')
        self.box.series(first=patch('arch/arm64/kvm/other.c', 'two', 'TWO'))
        self.make()
        for name in ('plain.c', 'other.c'):
            self.assertEqual(self.box.read(f'build/stock/linux/arch/arm64/kvm/{name}'), PLAIN)

    def test_bare_of_nothing(self):
        """Without a tree there is no base of it."""
        status, output = self.box.run('scripts/pkvm/tree.py', '--bare', 'build/stock/linux')
        self.assertEqual(status, 1)
        self.assertIn('run make tree first', output)

    def test_second_run_writes_nothing(self):
        """What is up to date keeps its mtime, the stamp of the kernel too."""
        self.make()
        before = self.box.mtimes(), os.stat(self.box.path('build/linux.stamp')).st_mtime_ns
        self.make()
        after = self.box.mtimes(), os.stat(self.box.path('build/linux.stamp')).st_mtime_ns
        self.assertEqual(before, after)

    def test_edit_touches_one_file(self):
        """An edit of one file rewrites that file alone."""
        self.make()
        before = self.box.mtimes()
        self.box.write('arch/arm64/kvm/ours.c', 'edited\n')
        self.make()
        after = self.box.mtimes()
        self.assertEqual({path for path in after if after[path] != before.get(path)},
                         {'arch/arm64/kvm/ours.c'})

    def test_program_does_not_rebuild_kernel(self):
        """A change of what the kernel only carries leaves its stamp alone."""
        self.make()
        before = os.stat(self.box.path('build/linux.stamp')).st_mtime_ns
        self.box.write('tools/vmm/main.c', 'new\n')
        self.make()
        self.assertEqual(self.box.read('build/linux/tools/vmm/main.c'), 'new\n')
        self.assertEqual(os.stat(self.box.path('build/linux.stamp')).st_mtime_ns, before)

    def test_changed_patch_starts_from_pristine(self):
        """A changed hook is applied to the base's file, not to its own result."""
        self.make()
        before = self.box.mtimes()
        self.box.series(first=patch(PLAIN_C, 'nine', 'NINE'))
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('nine', 'NINE'))
        after = self.box.mtimes()
        self.assertEqual({path for path in after if after[path] != before[path]}, {PLAIN_C})

    def test_dropped_patch_restores(self):
        """A file that no hook touches any more is the base's again."""
        self.make()
        self.box.series()
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN)

    def test_removed_file_goes(self):
        """A file that we no longer have is gone, with its empty directory."""
        self.box.write('drivers/virt/pkvm/gone.c', 'gone\n')
        self.make()
        self.assertIn('drivers/virt/pkvm/gone.c', self.box.mtimes())
        os.remove(self.box.path('drivers/virt/pkvm/gone.c'))
        os.rmdir(self.box.path('drivers/virt/pkvm'))
        self.make()
        self.assertFalse(os.path.exists(self.box.path('build/linux/drivers')))
        self.assertTrue(os.path.exists(self.box.path('build/linux/tools/untouched.c')))

    def test_ignored_files_stay_out(self):
        """What a build leaves in the checkout is not laid over a kernel."""
        self.box.write('drivers/virt/pkvm/module.ko', 'object\n')
        self.make()
        self.assertNotIn('drivers/virt/pkvm/module.ko', self.box.mtimes())

    def test_file_of_the_base_is_refused(self):
        """A whole file of ours never replaces one of the base."""
        self.box.write('tools/untouched.c', 'ours\n')
        self.assertIn('tools/untouched.c', self.refused())
        self.assertEqual(self.box.read('build/linux/tools/untouched.c'), 'x\n')

    def test_failing_hunk_is_named(self):
        """A hunk that does not apply: file, patch, and both versions are told."""
        self.box.base(dict(BASE, **{
            'Makefile': BASE['Makefile'].replace('117', '107'),
            PLAIN_C: PLAIN.replace('two', 'zwei')}))
        output = self.refused()
        for word in (PLAIN_C, '0001-first.patch', '6.12.107', '6.12.117'):
            self.assertIn(word, output)

    def test_fuzz_is_refused(self):
        """A hunk whose context differs is not applied by guess."""
        self.box.base(dict(BASE, **{PLAIN_C: PLAIN.replace('five', 'fuenf')}))
        self.assertIn('0001-first.patch', self.refused())

    def test_moved_hunk_applies(self):
        """A hunk whose context only moved applies."""
        self.box.series(first=patch(PLAIN_C, 'six', 'SIX'))
        self.box.base(dict(BASE, **{PLAIN_C: 'zero\n' + PLAIN}))
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'),
                         'zero\n' + PLAIN.replace('six', 'SIX'))

    def test_missing_file_is_named(self):
        """A hook for a file that the base lacks names the file."""
        self.box.series(first=patch('arch/arm64/kvm/absent.c', 'two', 'TWO'))
        self.assertIn('arch/arm64/kvm/absent.c', self.refused())

    def test_new_file_in_a_patch_is_refused(self):
        """New files are whole files of the tree, not hunks."""
        self.box.series(first='Subject: a: b\n\nwhy\n---\nnew file mode 100644\n'
                              '--- /dev/null\n+++ b/arch/new.c\n@@ -0,0 +1 @@\n+x\n')
        self.assertIn('0001-first.patch: "new file mode 100644"', self.refused())

    def test_patch_outside_the_tree_is_refused(self):
        """A hook cannot reach out of the kernel tree."""
        self.box.series(first=patch('../../escape.c', 'two', 'TWO'))
        self.assertIn('leaves the kernel tree', self.refused())

    def test_patch_without_reason_is_refused(self):
        """Every hook says why."""
        self.box.series(first='Subject: a: b\n\nBug: 1\n---\n')
        self.assertIn('0001-first.patch', self.refused())

    def test_other_minor_is_refused(self):
        """A base of another minor version is told apart before anything is patched."""
        self.box.base(dict(BASE, Makefile=BASE['Makefile'].replace('12', '6')))
        self.assertIn('6.6.117', self.refused())
        self.assertFalse(os.path.exists(self.box.path('build/linux')))

    def test_missing_fixes_are_named(self):
        """An old base is taken, with a warning that names the security fixes which it lacks."""
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
        """A base package that is gone: the path and the package are told."""
        os.remove(self.box.tarball)
        output = self.refused()
        self.assertIn(self.box.tarball, output)
        self.assertIn('linux-source-6.12', output)

    def test_broken_tarball_is_refused(self):
        """A truncated base leaves no half tree that a later run believes in."""
        with open(self.box.tarball, 'r+b') as file:
            file.truncate(100)
        self.assertIn(self.box.tarball, self.refused())
        self.assertFalse(os.path.exists(self.box.path('build/linux')))
        self.box.base(BASE)
        self.make()

    def test_no_kernel_is_refused(self):
        """A tarball of something else is refused."""
        self.box.base({'README': 'no kernel\n'})
        self.assertIn('Makefile', self.refused())

    def test_new_base_is_unpacked(self):
        """Another base version replaces the tree, patches and files included."""
        self.make()
        self.box.base(dict(BASE, **{'tools/untouched.c': 'newer\n'}))
        self.make()
        self.assertEqual(self.box.read('build/linux/tools/untouched.c'), 'newer\n')
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('two', 'TWO'))
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/ours.c'), 'ours\n')

    def test_killed_between_is_repaired(self):
        """A run killed after it saved the pristine copy and wrote files is made good."""
        self.make()
        self.box.write('build/overlay.list', 'arch/arm64/kvm/ours.c\n')
        self.box.write(f'build/linux/{PLAIN_C}', 'half written')
        self.box.write('build/linux/arch/arm64/kvm/ours.c', 'half')
        self.make()
        self.assertEqual(self.box.read(f'build/linux/{PLAIN_C}'), PLAIN.replace('two', 'TWO'))
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/ours.c'), 'ours\n')

    def test_two_checkouts(self):
        """A second checkout beside the first does not see it."""
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
    """The hooks apply on the oldest 6.12.y that the archive has, and that they are kept for."""

    @staticmethod
    def kept_for():
        """The oldest base that tree.py states."""
        import tree
        return tree.BASE_OLDEST

    def fetch(self, folder):
        """The oldest package's file, fetched once into build/."""
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
        """The wanted files of the kernel tarball inside a package."""
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
