#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make series: export this tree as patches for git am, to build/series.

There is one patch for each topic of patches/series, in this order. It contains the new files of the
topic and its diff, with the tags that the Android common kernels require. The same tree results in
the same patches: the Change-Id is computed from the subject, and the date is that of the last
commit. Each file of this tree belongs to exactly one topic.

A list of files, as a Makefile is, grows with the series: a line that names a file of a later topic
comes in the patch of that topic.

With --build the script builds after each patch what the patch touches: the kernel with its modules,
linked, or one of the programs. A patch that adds files of the kernel which no Makefile names yet is
not built: the kernel is still what it was. With --count it says how many lines each patch changes.
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
SELFTESTS = 'tools/testing/selftests/kvm'
# Where build.mk, too, looks for ccache.
CCACHE = '/usr/lib/ccache'
# Programs by their folders, with what a patch in the middle of one can build of it.
PROGRAMS = {
    'tools/vmm': ['objects', 'test'],
    'tools/pvmfw': ['objects', 'test'],
    'tools/testing/bench': ['all'],
    'tools/testing/init': [],
    'tools/testing/spmc': [],
}


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


def stem(path):
    """Return a path without its ending."""
    return os.path.splitext(path)[0]


def names(path, line):
    """Return the stems of all files that a line of the list at a path can mean.

    It means an object or a source, a path, or what the line consists of; relative to the folder of
    the list, or to the one above it.
    """
    found = re.findall(r'(?:CFLAGS_)?([\w./-]+)\.[ocS]\b', line)
    found += re.findall(r'\b[\w-]+/[\w./-]+', line) + [line.strip()]
    folder = os.path.dirname(path)
    return {os.path.normpath(os.path.join(start, name))
            for start in (folder, os.path.dirname(folder)) for name in found}


def grown(path, text, later):
    """Return the text of a list of files as it is before the files with some stems come.

    It lacks the lines that name one of them, modules that still have no object, and what leads to
    such a line: the comment or the empty line directly above it.
    """
    def module(line):
        match = re.match(r'(\w+)-(?:y|\$\(\w+\)) *[:+]?=', line)
        return match and f'{match.group(1)}.o'

    lines = text.split('\n')
    kept = [names(path, line).isdisjoint(later) for line in lines]
    empty = {module(line) for line in lines}
    empty -= {module(line) for line, keep in zip(lines, kept) if keep}
    kept = [keep and not empty & set(line.split()) for line, keep in zip(lines, kept)]
    for i in reversed(range(len(lines) - 1)):
        if not kept[i + 1] and (not lines[i] or lines[i].startswith('#')):
            kept[i] = False
    return '\n'.join(line for line, keep in zip(lines, kept) if keep)


def steps(series, brought):
    """Yield for each topic the new files that its patch writes, as {path: text}, and its size.

    The size is the number of lines that the patch adds or changes.
    """
    later = {path for paths in brought.values() for path in paths}
    lists = {}
    for topic in series:
        later -= set(brought[topic.name])
        written = {path: tree.read(os.path.join(TOP, path)) for path in brought[topic.name]}
        size = topic.changed_lines() + sum(text.count('\n') for path, text in written.items()
                                           if path not in topic.lists)
        for path in topic.lists:
            lists[path] = ''
            del written[path]
        for path, before in lists.items():
            text = grown(path, tree.read(os.path.join(TOP, path)), {stem(path) for path in later})
            if text != before:
                written[path] = lists[path] = text
                size += text.count('\n') - before.count('\n')
        yield topic, written, size


def sizes():
    """Return how many lines the patch of each topic changes, by the topic's name."""
    series = topics.load_series()
    return {topic.name: size for topic, _, size in steps(series, claims(series))}


def write(root, written):
    """Write our files below a root, with the same modes as in build/linux."""
    for path, text in written.items():
        executable = os.stat(os.path.join(TOP, path)).st_mode & 0o100
        tree.replace(os.path.join(root, path), text.encode(), 0o755 if executable else 0o644)


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
            for path in self.touched():
                target = os.path.join(scratch, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(os.path.join(self.base.pristine, path), target)
            here('add', '-A', '-f')
            here('commit', '-q', '--allow-empty', '-m', 'base')
            here('tag', 'base')
            for topic, written, _ in steps(self.topics, self.brought):
                topic.apply(scratch, self.base.version())
                write(scratch, written)
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

    def build(self, jobs, first):
        """Compile what each topic touches after it, from the first one on whose name so begins."""
        build = Build(os.path.join(BUILD, 'series-tree'), os.path.join(BUILD, 'series-obj'), jobs)
        last = {folder: topic.name for folder in PROGRAMS for topic in self.topics
                if any(path.startswith(folder + '/') for path in self.brought[topic.name])}
        lists = {path for topic in self.topics for path in topic.lists}
        begun = False
        for topic, written, _ in steps(self.topics, self.brought):
            topic.apply(build.root, self.base.version())
            write(build.root, written)
            begun = begun or topic.name.startswith(first)
            if not begun:
                continue
            print(f'  BUILD   {topic.name}', flush=True)
            changed = list(written) + topic.touches
            build.topic = topic.name
            hooks = topic.touches + [path for path in written if path in lists]
            if any(not path.startswith(tree.CARRIED + ('MAINTAINERS',)) for path in hooks):
                build.kernel()
            for folder, goals in PROGRAMS.items():
                if any(path.startswith(folder + '/') for path in changed):
                    if last[folder] == topic.name:
                        build.program(folder, [])
                    if goals:
                        build.program(folder, goals)
            build.selftests(path for path in changed if path.startswith(SELFTESTS + '/'))


class Build:
    """A kernel tree that grows by one topic after the other, and what is built from it."""

    def __init__(self, root, objects, jobs):
        self.root = root
        self.objects = objects
        self.jobs = jobs
        self.topic = None

    def make(self, *args):
        """Run make in a folder; raise SeriesError if that fails."""
        log = os.path.join(BUILD, 'log', 'series-build.log')
        environment = dict(os.environ)
        if os.path.exists(f'{CCACHE}/aarch64-linux-gnu-gcc'):
            environment['PATH'] = f'{CCACHE}:{environment["PATH"]}'
        with open(log, 'w') as output:
            run = subprocess.run(['make', f'-j{self.jobs}', 'CROSS_COMPILE=aarch64-linux-gnu-',
                                  *args], stdout=output, stderr=subprocess.STDOUT, check=False,
                                 env=environment)
        if run.returncode:
            tail = tree.read(log).splitlines()[-20:]
            raise SeriesError(f'patches/{self.topic} does not build:\n'
                              + '\n'.join('    ' + line for line in tail))

    def kernel(self):
        """Link the kernel and our modules, so that a missing function is found, too."""
        kernel = ['-C', self.root, f'O={self.objects}/kernel', 'ARCH=arm64']
        os.makedirs(f'{self.objects}/kernel', exist_ok=True)
        merged = f'{self.objects}/fragments'
        with open(merged, 'w') as out:
            for name in ('qemu', 'kunit', 'selfcheck'):
                out.write(tree.read(os.path.join(TOP, f'arch/arm64/configs/pkvm_{name}.config')))
        self.make(*kernel, 'allnoconfig', f'KCONFIG_ALLCONFIG={merged}')
        self.make(*kernel, 'vmlinux', 'modules')

    def program(self, folder, goals):
        """Make goals of a program, or all of it if there are none, if it has a Makefile yet."""
        where = os.path.join(self.root, folder)
        if os.path.exists(os.path.join(where, 'Makefile')):
            self.make('-C', where, f'O={self.objects}/{os.path.basename(folder)}',
                      f'KSRC={self.root}', *goals)

    def selftests(self, changed):
        """Compile the selftests, and the files of their library, that a topic brings."""
        stems = [stem(os.path.relpath(path, SELFTESTS)) for path in changed
                 if path.endswith(('.c', '.S'))]
        if not stems:
            return
        output, headers = f'{self.objects}/selftests', f'{self.objects}/headers'
        if not os.path.exists(headers):
            self.make('-C', self.root, f'O={self.objects}/kernel', 'ARCH=arm64',
                      f'INSTALL_HDR_PATH={headers}', 'headers_install')
        programs = tree.read(os.path.join(self.root, SELFTESTS, 'arm64/tests.list')) or ''
        programs = re.findall(r'^(arm64/\w+)', programs, re.M)
        os.makedirs(f'{output}/tools', exist_ok=True)
        self.make('-C', os.path.join(self.root, SELFTESTS), 'ARCH=arm64', f'OUTPUT={output}',
                  f'abs_objdir={output}', 'EXTRA_CFLAGS=-static',
                  f'KHDR_INCLUDES=-isystem {headers}/include',
                  *(f'{output}/{name}' if name in programs else f'{output}/{name}.o'
                    for name in stems))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', action='store_true', help='compile the kernel after each patch')
    parser.add_argument('--count', action='store_true', help='only count the lines of each patch')
    parser.add_argument('--first', metavar='NUMBER', default='', help='with --build: compile only '
                        'from this topic on')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    try:
        if args.count:
            for topic, lines in sizes().items():
                print(f'{lines:5} {topic}')
            return 0
        output = os.path.join(BUILD, 'series')
        with tree.locked():
            series = Series()
            names = series.export(output)
            if args.build:
                series.prepare()
        print(f'  SERIES  build/series, {len(names)} patches')
        if args.build:
            series.build(args.jobs, args.first)
    except (SeriesError, topics.TopicError, tree.TreeError) as error:
        print(f'series.py: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
