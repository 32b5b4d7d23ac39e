#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Lay this tree over the base kernel, to make the patched source in build/linux (make tree).

The result depends only on the base tarball, our files and the patches. The script writes only
files that differ, so that a build after an edit compiles only what the edit affects. Three things
ensure this, also if a run is killed at any time:

- before the script first changes a file of the base, it saves the base's copy in build/pristine;
- before it writes our files, it writes their names to build/overlay.list;
- it unpacks the base to a temporary directory, and renames that to build/linux when it is complete.

The script touches build/linux.stamp if, and only if, a file changed from which the kernel is built.
Our programs and documents are not among these files.
"""

import argparse
import contextlib
import fcntl
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import topics  # noqa: E402

TOP = topics.TOP
BASE_TARBALL = '/usr/src/linux-source-6.12.tar.xz'
BASE_SERIES = (6, 12)
# The oldest version of the base to which the patches have to apply.
BASE_OLDEST = (6, 12, 107)
# The security fixes since BASE_OLDEST in code that protected VMs rely on, and the 6.12.y version
# that first had each.
SECURITY_FIXES = (
    (108, 'KVM: arm64: Prevent access to vCPU events before init (CVE-2025-40102)'),
    (114, 'KVM: arm64: Take the SRCU lock for page table walks in fault injection and '
          'AT emulation (CVE-2026-53277)'),
    (114, 'KVM: arm64: vgic: Handle race between interrupt affinity change and LPI disabling '
          '(CVE-2026-72288)'),
    (114, 'KVM: arm64: vgic-v3: take an LPI reference in vgic_v3_save_pending_tables '
          '(CVE-2026-89913)'),
    (117, 'KVM: arm64: Transfer the hyp stack pages out of the host stage-2 (CVE-2026-98466)'),
)
# A disk with fewer free bytes counts as full.
FULL = 1 << 20
# The kernel is not built from files in these directories.
CARRIED = ('tools/', 'Documentation/')


class TreeError(Exception):
    """Something is wrong with the base or with this tree; the message says what."""


def kernel_version(makefile):
    """Return the version in a kernel's top-level Makefile, as (6, 12, 117)."""
    fields = dict(re.findall(r'^(VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)$', makefile, re.M))
    try:
        return tuple(int(fields[k]) for k in ('VERSION', 'PATCHLEVEL', 'SUBLEVEL'))
    except KeyError as error:
        raise TreeError(f'the Makefile of the base does not define {error}') from None


def read(path, mode='r'):
    """Return the contents of a file, or None if it does not exist."""
    try:
        with open(path, mode) as file:
            return file.read()
    except FileNotFoundError:
        return None


def replace(path, data, mode):
    """Write a file by a rename, so that it is never incomplete."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = path + '.pkvm-new'
    with open(temporary, 'wb') as file:
        file.write(data)
    os.chmod(temporary, mode)
    os.replace(temporary, path)


def ignored_names():
    """Return the patterns for file names in .gitignore."""
    lines = read(os.path.join(TOP, '.gitignore')).splitlines()
    return [line for line in lines if line and not line.startswith(('#', '/'))]


def our_files():
    """Return the relative paths of our files that are laid over a kernel, sorted."""
    patterns = ignored_names()

    def keep(name):
        return not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)

    found = []
    for root in topics.LAID_OVER:
        for folder, dirs, files in os.walk(os.path.join(TOP, root)):
            dirs[:] = filter(keep, dirs)
            found += [os.path.relpath(os.path.join(folder, name), TOP)
                      for name in files if keep(name)]
    return sorted(found)


@contextlib.contextmanager
def locked():
    """Hold the build lock, so that nobody else changes build/linux or builds from it."""
    build = os.path.join(TOP, 'build')
    os.makedirs(os.path.join(build, 'log'), exist_ok=True)
    with open(os.path.join(build, '.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tests_built():
    """Return whether make test has built everything, so that its parts need not check it."""
    return 'PKVM_TESTS_BUILT' in os.environ


class Tree:
    """build/linux, and the files in build/ that describe it."""

    def __init__(self, base, build):
        self.base = base
        self.build = build
        self.linux = os.path.join(build, 'linux')
        self.pristine = os.path.join(build, 'pristine')
        self.overlay_list = os.path.join(build, 'overlay.list')
        self.base_id = os.path.join(build, 'base.id')
        self.stamp = os.path.join(build, 'linux.stamp')
        self.changed = 0
        self.kernel_changed = False

    def count(self, relative):
        """Record that a file of build/linux is about to change."""
        self.changed += 1
        if not relative.startswith(CARRIED) and not self.kernel_changed:
            self.kernel_changed = True
            # Touch the stamp first, so that the kernel is out of date even if this run is killed.
            self.touch_stamp()

    def touch_stamp(self):
        """Make the kernel out of date for make."""
        with open(self.stamp, 'w') as file:
            file.write(read(self.base_id) or '')

    def identity(self):
        """Return a text that identifies the base tarball, without reading the tarball."""
        try:
            stat = os.stat(self.base)
        except OSError as error:
            raise TreeError(f'the base kernel {self.base} cannot be read '
                            f'({error.strerror}); it comes with the Debian package '
                            'linux-source-6.12') from None
        return f'{os.path.realpath(self.base)} {stat.st_size} {stat.st_mtime_ns}\n'

    def unpack(self):
        """Unpack the base to build/linux, unless that was made from the same tarball."""
        identity = self.identity()
        os.makedirs(self.build, exist_ok=True)
        if read(self.base_id) == identity and os.path.isdir(self.linux):
            return
        print(f'  UNPACK  {self.base}', flush=True)
        for old in (self.base_id, self.overlay_list):
            if os.path.exists(old):
                os.remove(old)
        for old in (self.linux, self.pristine):
            shutil.rmtree(old, ignore_errors=True)
        scratch = tempfile.mkdtemp(prefix='unpack.', dir=self.build)
        try:
            # With -m files get new time stamps, so that objects of an older base are out of date.
            tar = subprocess.run(['tar', '-C', scratch, '-m', '--no-same-owner',
                                  '-xf', self.base], stderr=subprocess.PIPE, text=True,
                                 check=False)
            if tar.returncode:
                # On a full disk tar only reports a short write.
                why = (': No space left on device' if shutil.disk_usage(scratch).free < FULL
                       else '')
                raise TreeError(f'{self.base} does not unpack{why}: {tar.stderr.strip()}')
            inside = os.listdir(scratch)
            if len(inside) != 1:
                raise TreeError(f'{self.base} has {len(inside)} top-level directories, not one')
            root = os.path.join(scratch, inside[0])
            self.check_version(root)
            os.rename(root, self.linux)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        with open(self.base_id, 'w') as file:
            file.write(identity)
        self.count('Makefile')

    def check_version(self, root):
        """Raise TreeError if the base is not a 6.12.y kernel."""
        makefile = read(os.path.join(root, 'Makefile'))
        if makefile is None:
            raise TreeError(f'{self.base} is not a kernel source: it has no Makefile')
        version = kernel_version(makefile)
        if version[:2] != BASE_SERIES:
            raise TreeError(f'{self.base} is Linux {".".join(map(str, version))}; '
                            'the patches are for 6.12.y')

    def version_numbers(self):
        """Return the base's version as (6, 12, 117)."""
        return kernel_version(read(os.path.join(self.pristine, 'Makefile')) or
                              read(os.path.join(self.linux, 'Makefile')))

    def version(self):
        """Return the base's version as text."""
        return '.'.join(map(str, self.version_numbers()))

    def warn_of_missing_fixes(self):
        """Print a warning with the security fixes that the base lacks."""
        missing = [fix for since, fix in SECURITY_FIXES if self.version_numbers()[2] < since]
        if missing:
            print(f'tree.py: warning: the base {self.version()} lacks these security fixes, which '
                  'protected VMs rely on:', *missing, sep='\n    ', file=sys.stderr)

    def put(self, relative, data, mode):
        """Write a file of build/linux, unless it has the same contents and mode already."""
        path = os.path.join(self.linux, relative)
        if read(path, 'rb') != data or os.stat(path).st_mode & 0o777 != mode:
            self.count(relative)
            replace(path, data, mode)

    def lay_over(self):
        """Copy our files to build/linux, and remove those that this tree no longer has."""
        before = set((read(self.overlay_list) or '').split('\n')) - {''}
        now = our_files()
        for relative in now:
            if relative not in before and os.path.lexists(os.path.join(self.linux, relative)):
                raise TreeError(f'{relative}: the base has this file; '
                                'change it by a patch in patches/')
        with open(self.overlay_list, 'w') as file:
            file.write('\n'.join(sorted(before | set(now))) + '\n')
        for relative in sorted(before - set(now)):
            path = os.path.join(self.linux, relative)
            if os.path.lexists(path):
                self.count(relative)
                os.remove(path)
            # Remove directories that become empty.
            folder = os.path.dirname(path)
            while folder != self.linux and os.path.isdir(folder) and not os.listdir(folder):
                os.rmdir(folder)
                folder = os.path.dirname(folder)
        for relative in now:
            source = os.path.join(TOP, relative)
            mode = 0o755 if os.stat(source).st_mode & 0o100 else 0o644
            self.put(relative, read(source, 'rb'), mode)
        with open(self.overlay_list, 'w') as file:
            file.write('\n'.join(now) + '\n')

    def keep_pristine(self, relative):
        """Save the base's copy of a file before its first change. Return the path of the copy."""
        kept = os.path.join(self.pristine, relative)
        if os.path.exists(kept):
            return kept
        source = os.path.join(self.linux, relative)
        if not os.path.isfile(source):
            raise TreeError(f'a patch changes {relative}, which the base '
                            f'{self.version()} does not have')
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        shutil.copy2(source, kept + '.pkvm-new')
        os.replace(kept + '.pkvm-new', kept)
        return kept

    def patch(self):
        """Apply all patches to pristine copies, and restore files that no patch changes now."""
        series = topics.load_series()
        ours = set(our_files())
        touched = sorted({path for topic in series for path in topic.touches})
        for relative in touched:
            if relative in ours:
                raise TreeError(f'{relative} is a file of ours and is also patched')
            self.keep_pristine(relative)
        with tempfile.TemporaryDirectory(prefix='patch.', dir=self.build) as scratch:
            for relative in touched:
                target = os.path.join(scratch, relative)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(os.path.join(self.pristine, relative), target)
            for topic in series:
                topic.apply(scratch, self.version())
            results = {}
            for relative in touched:
                path = os.path.join(scratch, relative)
                results[relative] = (read(path, 'rb'), os.stat(path).st_mode & 0o777)
        for folder, _, files in os.walk(self.pristine):
            for name in files:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, self.pristine)
                if relative not in results and not name.endswith('.pkvm-new'):
                    results[relative] = (read(path, 'rb'), os.stat(path).st_mode & 0o777)
        for relative, (data, mode) in results.items():
            self.put(relative, data, mode)

    def bare(self, root):
        """Make a copy of the base without our files and patches, by hard links where possible."""
        if not os.path.exists(self.stamp):
            raise TreeError(f'{self.linux} is missing: run make tree first')
        shutil.rmtree(root, ignore_errors=True)
        # Hard links are safe: files in both trees are replaced by renames, never overwritten.
        subprocess.run(['cp', '-al', self.linux, root], check=True)
        for relative in read(self.overlay_list).split():
            os.remove(os.path.join(root, relative))
        for folder, _, files in os.walk(self.pristine):
            for name in files:
                path = os.path.join(folder, name)
                if not name.endswith('.pkvm-new'):
                    # The new time stamp makes objects of the patched file out of date.
                    replace(os.path.join(root, os.path.relpath(path, self.pristine)),
                            read(path, 'rb'), os.stat(path).st_mode & 0o777)

    def make(self):
        """Unpack, copy and patch; touch the stamp if something changed."""
        self.unpack()
        self.lay_over()
        self.patch()
        if self.kernel_changed or not os.path.exists(self.stamp):
            self.touch_stamp()
        if self.changed:
            print(f'  TREE    build/linux, {self.version()}, {self.changed} changes')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--base', default=BASE_TARBALL, help='tarball of the base kernel')
    parser.add_argument('--bare', metavar='FOLDER', help='only make FOLDER a copy of the base '
                        'without the files and patches of this tree')
    args = parser.parse_args()
    try:
        tree = Tree(args.base, os.path.join(TOP, 'build'))
        if args.bare:
            tree.bare(os.path.abspath(args.bare))
        else:
            tree.make()
            tree.warn_of_missing_fixes()
    except (TreeError, topics.TopicError, OSError) as error:
        print(f'tree.py: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
