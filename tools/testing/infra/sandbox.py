# SPDX-License-Identifier: GPL-2.0-only
"""A temporary checkout for tests: a copy of our scripts, with a made-up kernel as the base.

The scripts find all files relative to their own directory, so that a copy of them in a temporary
directory is a checkout of its own, with the base, the files and the patches of the test.
"""

import io
import os
import shutil
import subprocess
import tarfile
import tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../../..'))

PLAIN = '\n'.join(['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine',
                   'ten', ''])
BASE = {
    'Makefile': 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\n',
    'arch/arm64/kvm/plain.c': PLAIN,
    'arch/arm64/kvm/other.c': PLAIN,
    'tools/untouched.c': 'x\n',
}


def patch(path, line, new, subject='KVM: arm64: change a line', more=''):
    """Return a topic whose diff replaces one line of PLAIN in a base file."""
    lines = PLAIN.splitlines()
    at = lines.index(line)
    first = max(at - 3, 0)
    before, after = lines[first:at], lines[at + 1:at + 4]
    body = ''.join(f' {text}\n' for text in before) + f'-{line}\n+{new}\n' \
        + ''.join(f' {text}\n' for text in after)
    count = len(before) + 1 + len(after)
    return (f'Subject: {subject}\n\nBecause the test wants it.\n\n{more}---\n'
            f'--- a/{path}\n+++ b/{path}\n@@ -{first + 1},{count} +{first + 1},{count} @@\n{body}')


class Sandbox:
    """The temporary checkout; close() removes it."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix='infra.', dir=os.path.join(TOP, 'build'))
        shutil.copytree(os.path.join(TOP, 'scripts/pkvm'),
                        os.path.join(self.top, 'scripts/pkvm'),
                        ignore=shutil.ignore_patterns('__pycache__'))
        # In its own directory it would have to belong to a topic.
        shutil.copy(os.path.join(TOP, 'tools/testing/stage2/stage2.py'),
                    os.path.join(self.top, 'scripts/pkvm'))
        shutil.copy(os.path.join(TOP, '.gitignore'), self.top)
        self.write('patches/base', '6.12.117\n')
        self.series()
        self.tarball = os.path.join(self.top, 'base.tar.xz')
        self.base(BASE)

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def path(self, relative):
        return os.path.join(self.top, relative)

    def write(self, relative, text):
        os.makedirs(os.path.dirname(self.path(relative)), exist_ok=True)
        with open(self.path(relative), 'w') as file:
            file.write(text)

    def take(self, relative):
        """Copy another file of this tree to the checkout."""
        os.makedirs(os.path.dirname(self.path(relative)), exist_ok=True)
        shutil.copy(os.path.join(TOP, relative), self.path(relative))

    def read(self, relative):
        with open(self.path(relative)) as file:
            return file.read()

    def series(self, **topics):
        """Replace the patches by these, named without number and suffix, in this order."""
        names = []
        for number, (name, text) in enumerate(topics.items(), 1):
            names.append(f'{number:04d}-{name}.patch')
            self.write(f'patches/{names[-1]}', text)
        for old in os.listdir(self.path('patches')):
            if old.endswith('.patch') and old not in names:
                os.remove(self.path(f'patches/{old}'))
        self.write('patches/series', ''.join(name + '\n' for name in names))

    def base(self, files, tops=('linux-source-6.12',)):
        """Write the tarball of the base kernel."""
        with tarfile.open(self.tarball, 'w:xz') as tar:
            for top in tops:
                for name, text in files.items():
                    info = tarfile.TarInfo(f'{top}/{name}')
                    data = text.encode()
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))

    def run(self, *command, env=None, **more):
        """Run a command in the checkout. Return its exit status and all its output."""
        done = subprocess.run(command, cwd=self.top, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1', **(env or {})),
                              check=False, **more)
        return done.returncode, done.stdout

    def tree(self):
        return self.run('scripts/pkvm/tree.py', '--base', self.tarball)

    def mtimes(self):
        """Return the modification times of all files in build/linux."""
        found = {}
        for folder, _, files in os.walk(self.path('build/linux')):
            for name in files:
                path = os.path.join(folder, name)
                found[os.path.relpath(path, self.path('build/linux'))] = os.stat(path).st_mtime_ns
        return found
