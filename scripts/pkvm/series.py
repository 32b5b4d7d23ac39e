#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make series: export this tree as patches for git am, to build/series.

There is one patch for each topic of patches/series, in this order. It contains the new files of the
topic and its diff, with the tags that the Android common kernels require. The same tree results in
the same patches: the Change-Id is computed from the subject, and the date is that of the last
commit. Each file of this tree belongs to exactly one topic.

With --build the script compiles the kernel after each patch.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import topics  # noqa: E402
import tree  # noqa: E402

TOP = topics.TOP
BUILD = os.path.join(TOP, 'build')


class SeriesError(Exception):
    """The series could not be exported; the message says why."""


def git(*args, cwd=TOP, **more):
    """Run git and return its output without the last newline; raise SeriesError if it fails."""
    run = subprocess.run(['git', *args], cwd=cwd, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=False, **more)
    if run.returncode:
        raise SeriesError(f'git {" ".join(args[:3])}: {run.stderr.strip()}')
    return run.stdout.rstrip('\n')


def exporter():
    """Return git's user.name and user.email, for the tag Signed-off-by."""
    try:
        return git('config', 'user.name'), git('config', 'user.email')
    except SeriesError:
        raise SeriesError('git does not know your name: set user.name and user.email, '
                          'for the tag Signed-off-by') from None


def claims(series):
    """Return the new files of each topic; check that each file of ours is in exactly one."""
    ours = tree.our_files()
    owner = {}
    brought = {topic.name: [] for topic in series}
    subjects = [topic.subject for topic in series]
    for topic in series:
        if subjects.count(topic.subject) > 1:
            raise SeriesError(f'patches/{topic.name}: another topic has the same subject')
        for claim in topic.files:
            mine = [path for path in ours if path == claim
                    or claim.endswith('/') and path.startswith(claim)]
            if not mine:
                raise SeriesError(f'patches/{topic.name}: Files: {claim}: there is no such file')
            for path in mine:
                if path in owner:
                    raise SeriesError(f'{path} belongs to both {owner[path]} and {topic.name}')
                owner[path] = topic.name
                brought[topic.name].append(path)
    orphans = [path for path in ours if path not in owner]
    if orphans:
        more = f' and {len(orphans) - 5} more' if len(orphans) > 5 else ''
        raise SeriesError('no topic has a line "Files:" for ' + ', '.join(orphans[:5]) + more)
    stray = topics.stray_patches()
    if stray:
        raise SeriesError(f'patches/series lacks {", ".join(stray)}')
    return brought


def message(topic, name, address):
    """Return the commit message of one topic."""
    subject = f'ANDROID: {topic.subject}'
    change = 'I' + hashlib.sha1(subject.encode()).hexdigest()
    tags = [f'Bug: {bug}' for bug in topic.bugs]
    tags += [f'Change-Id: {change}', f'Signed-off-by: {name} <{address}>']
    body = '\n\n'.join(wrap(part) for part in topic.body.split('\n\n'))
    return f'{subject}\n\n{body}\n\n' + '\n'.join(tags) + '\n'


def wrap(paragraph):
    """Wrap a paragraph at 72 columns, unless it has indented lines or list items."""
    lines = paragraph.split('\n')
    if all(len(line) <= 72 for line in lines) or \
            any(re.match(r'\s|[-*] ', line) for line in lines):
        return paragraph
    return textwrap.fill(paragraph, 72, break_long_words=False, break_on_hyphens=False)


def copy(source_root, target_root, paths):
    """Copy files by their relative paths, with the same modes as in build/linux."""
    for path in paths:
        source, target = os.path.join(source_root, path), os.path.join(target_root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            os.remove(target)
        shutil.copyfile(source, target)
        os.chmod(target, 0o755 if os.stat(source).st_mode & 0o100 else 0o644)


class Series:
    """The topics, their new files, and the base kernel that they change."""

    def __init__(self):
        self.topics = topics.load_series()
        if not self.topics:
            raise SeriesError('patches/series names no topic')
        self.brought = claims(self.topics)
        self.base = tree.Tree(tree.BASE_TARBALL, BUILD)

    def touched(self):
        """Return all base files that a topic changes, sorted."""
        return sorted({path for topic in self.topics for path in topic.touches})

    def export(self, output):
        """Write the patches to a directory. Return their names."""
        name, address = exporter()
        shutil.rmtree(output, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix='series.', dir=BUILD) as scratch:
            date = git('log', '-1', '--format=%cI')
            environment = dict(os.environ, GIT_CONFIG_NOSYSTEM='1', HOME=scratch,
                               GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=address,
                               GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=address,
                               GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)

            def here(*args, **more):
                return git('-c', 'core.autocrlf=false', *args, cwd=scratch, env=environment,
                           **more)

            here('init', '-q')
            copy(self.base.pristine, scratch, self.touched())
            here('add', '-A', '-f')
            here('commit', '-q', '--allow-empty', '-m', 'base')
            here('tag', 'base')
            for topic in self.topics:
                topic.apply(scratch, self.base.version())
                copy(TOP, scratch, self.brought[topic.name])
                here('add', '-A', '-f')
                if not here('status', '--porcelain'):
                    raise SeriesError(f'patches/{topic.name} neither adds nor changes a file')
                here('commit', '-q', '-F', '-', input=message(topic, name, address))
            here('format-patch', '-q', '--zero-commit', '--no-signature', '--no-renames',
                 '-o', output, 'base')
        return sorted(os.listdir(output))

    def prepare(self):
        """Make a copy of the base kernel for build()."""
        self.base.bare(os.path.join(BUILD, 'series-tree'))

    def build(self, jobs):
        """Compile KVM and our drivers after each topic."""
        root, objects = os.path.join(BUILD, 'series-tree'), os.path.join(BUILD, 'series-obj')
        make = ['make', '-C', root, f'O={objects}', 'ARCH=arm64',
                'CROSS_COMPILE=aarch64-linux-gnu-', f'-j{jobs}']
        fragments = [os.path.join(TOP, 'arch/arm64/configs', f'pkvm_{name}.config')
                     for name in ('qemu', 'kunit', 'selfcheck')]
        os.makedirs(objects, exist_ok=True)
        merged = os.path.join(objects, 'pkvm.fragments')
        with open(merged, 'w') as out:
            for fragment in fragments:
                out.write(tree.read(fragment))
            out.write('CONFIG_KUNIT_ALL_TESTS=y\n')
        for topic in self.topics:
            print(f'  BUILD   {topic.name}', flush=True)
            topic.apply(root, self.base.version())
            copy(TOP, root, self.brought[topic.name])
            goals = ['arch/arm64/kvm/', 'drivers/virt/']
            log = os.path.join(BUILD, 'log', 'series-build.log')
            with open(log, 'w') as output:
                for goal in (['allnoconfig'], goals):
                    run = subprocess.run(make + goal + [f'KCONFIG_ALLCONFIG={merged}'],
                                         stdout=output, stderr=subprocess.STDOUT, check=False)
                    if run.returncode:
                        output.flush()
                        tail = tree.read(log).splitlines()[-20:]
                        raise SeriesError(f'patches/{topic.name} does not build:\n'
                                          + '\n'.join('    ' + line for line in tail))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', action='store_true', help='compile the kernel after each patch')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    try:
        output = os.path.join(BUILD, 'series')
        with tree.locked():
            series = Series()
            names = series.export(output)
            if args.build:
                series.prepare()
        print(f'  SERIES  build/series, {len(names)} patches')
        if args.build:
            series.build(args.jobs)
    except (SeriesError, topics.TopicError, tree.TreeError) as error:
        print(f'series.py: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
