#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make check: check style, and compile with all warnings.

The style checks (checkpatch, kernel-doc, SPDX, spelling, shell, Python, RST) cover every file of
this tree and every patch of the series. check_build.py then compiles what this tree adds and
changes by gcc and clang with W=1, and runs sparse. The script prints one line for each finding,
and fails if there is one.

With --style, as in make test, it runs the style checks only, and each is a TAP result.
"""

import argparse
import concurrent.futures
import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_build  # noqa: E402
import topics  # noqa: E402
import tree  # noqa: E402

TOP = topics.TOP
BUILD = os.path.join(TOP, 'build')
LINUX = os.path.join(BUILD, 'linux')
# Android's rules ask for a Change-Id, which checkpatch asks to remove.
IGNORE = 'GERRIT_CHANGE_ID'
# Where the base kernel names the registers and fields of the architecture.
ARCH_NAMES = ('arch/arm64/tools/sysreg', 'arch/arm64/include/asm/*.h')
MIXED_CASE = re.compile(r'[A-Z][a-z]|[a-z][A-Z]')
# How many files a checker takes at a time.
BATCH = 16
# Words that mark unfinished work.
UNFINISHED = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')


def own_files():
    """Return the paths of all files of this tree, sorted."""
    patterns = tree.ignored_names()
    found = tree.our_files()
    for top in ('scripts', 'patches', '.ci'):
        for folder, dirs, files in os.walk(os.path.join(TOP, top)):
            dirs[:] = [name for name in dirs if name != '__pycache__']
            found += [os.path.relpath(os.path.join(folder, name), TOP) for name in files]
    # In a worktree .git is a file.
    found += [name for name in os.listdir(TOP)
              if os.path.isfile(os.path.join(TOP, name)) and name != '.git']
    return sorted(path for path in found
                  if not any(fnmatch.fnmatch(os.path.basename(path), pattern)
                             for pattern in patterns))


def lines_of(command, cwd=TOP, keep=lambda line: line):
    """Run a checker and return those lines of its output that keep() accepts."""
    run = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    found = [line for line in run.stdout.splitlines() if keep(line)]
    if run.returncode and not found:
        found = [f'{" ".join(command[:3])} ended with status {run.returncode}: '
                 + run.stdout.strip()[-200:]]
    return found


class Answers:
    """Answers to two questions that checkpatch asks wherever they may be worth asking.

    CAMELCASE asks about each name in mixed case. A name of the architecture, such as PMUVer, has
    to be spelled like that: it is a finding only if the base kernel does not know its parts.
    FILE_PATH_CHANGES asks whether MAINTAINERS needs an update for the files that a patch adds: it
    is a finding only if no entry of MAINTAINERS but the last one, which covers all files, leads
    to such a file.
    """

    def __init__(self):
        ours = {os.path.join(LINUX, path) for path in tree.our_files()}
        self.parts = set()
        for pattern in ARCH_NAMES:
            for path in set(glob.glob(os.path.join(LINUX, pattern))) - ours:
                with open(path) as file:
                    self.parts.update(re.findall('[A-Za-z0-9]+', file.read()))
        with open(os.path.join(LINUX, 'MAINTAINERS')) as file:
            entries = file.read().split('\nTHE REST\n')[0]
        self.patterns = re.findall(r'^F:\t(\S+)$', entries, re.M)
        self.names = re.findall(r'^N:\t(\S+)$', entries, re.M)

    def findings(self, lines, folder):
        """Return those lines of checkpatch, run in a folder, that are findings."""
        return [line for line in lines if self.is_finding(line, folder)]

    def is_finding(self, line, folder):
        if ':FILE_PATH_CHANGES: ' in line:
            with open(os.path.join(folder, line.split(':')[0])) as file:
                added = re.findall(r'^--- /dev/null\n\+\+\+ b/(\S+)$', file.read(), re.M)
            return not all(map(self.is_maintained, added))
        name = re.search(r':CAMELCASE: .*<(\w+)>', line)
        return not name or any(MIXED_CASE.search(part) and part not in self.parts
                               for part in name.group(1).split('_'))

    def is_maintained(self, path):
        """Return whether an entry of MAINTAINERS leads to a file."""
        return any(path.startswith(pattern) if pattern.endswith('/') else
                   tree.fnmatch.fnmatch(path, pattern) and
                   path.count('/') == pattern.count('/') for pattern in self.patterns) or \
            any(re.search(name, path) for name in self.names)


def is_source(path):
    """Return whether checkpatch can check a file of this kind."""
    name = os.path.basename(path)
    return path.endswith(('.c', '.h', '.S', '.dts', '.dtsi', '.rst', '.sh')) or \
        name in ('Makefile', 'Kbuild', 'Kconfig')


def in_batches(pool, command, paths, cwd, **more):
    """Run a checker that takes many paths over some at a time: the findings.

    A perl program of this size takes longer to start than to judge a file.
    """
    def run(batch):
        return lines_of([*command, *batch], cwd=cwd, **more)
    return [line for found in pool.map(run, (paths[at:at + BATCH]
                                             for at in range(0, len(paths), BATCH)))
            for line in found]


def checkpatch(*more):
    """The command line of checkpatch."""
    return ['perl', os.path.join(LINUX, 'scripts/checkpatch.pl'), '--strict', '--terse',
            '--no-summary', '--show-types', '--ignore', IGNORE, *more]


def checkpatch_files(pool):
    """Run checkpatch --strict on each of our files, in build/linux."""
    sources = [path for path in tree.our_files() if is_source(path)]
    found = Answers().findings(in_batches(pool, checkpatch('-f'), sources, LINUX), LINUX)
    # checkpatch writes a cache file to its directory, but build/linux must only have sources.
    for name in os.listdir(LINUX):
        if name.startswith('.checkpatch-camelcase.'):
            os.remove(os.path.join(LINUX, name))
    return found


def checkpatch_series(pool):
    """Run checkpatch --strict on each patch of the exported series."""
    run = subprocess.run([os.path.join(TOP, 'scripts/pkvm/series.py')], cwd=TOP,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode:
        return [run.stdout.strip()]
    folder = os.path.join(BUILD, 'series')
    found = in_batches(pool, checkpatch(f'--root={LINUX}'), sorted(os.listdir(folder)), folder)
    return [f'build/series/{line}' for line in Answers().findings(found, folder)]


def kernel_doc(pool):
    """Check that each kernel-doc comment is complete and well formed."""
    return in_batches(pool, ['perl', 'scripts/kernel-doc', '-none', '-Wall'],
                      [path for path in tree.our_files() if path.endswith(('.c', '.h'))], LINUX,
                      keep=lambda line: 'warning' in line or 'error' in line)


def spdx(_pool):
    """Check that each file has its licence on the first or, after #!, the second line."""
    found = []
    for path in own_files():
        if path.endswith(('.patch', '.bin')) or path in ('patches/base',):
            continue
        with open(os.path.join(TOP, path), errors='replace') as file:
            head = [file.readline(), file.readline()]
        if not any('SPDX-License-Identifier: ' in line for line in head):
            found.append(f'{path}:1: no SPDX-License-Identifier')
    return found


def unfinished(_pool):
    """Check that no file and no patch marks unfinished work."""
    found = []
    for path in own_files():
        with open(os.path.join(TOP, path), errors='replace') as file:
            for number, line in enumerate(file, 1):
                if path.endswith('.patch') and not line.startswith('+'):
                    continue
                if UNFINISHED.search(line):
                    found.append(f'{path}:{number}: unfinished: {line.strip()}')
    return found


def spelling(_pool):
    """Run codespell on all files, patches included."""
    # Names of the kernel that codespell takes for typing errors.
    return lines_of(['codespell', '--ignore-words-list=filp,hist,struc', *own_files()])


def shell(_pool):
    """Run shellcheck on each shell script."""
    scripts = []
    for path in own_files():
        with open(os.path.join(TOP, path), errors='replace') as file:
            if path.endswith('.sh') or re.match(r'#!.*\bbash\b', file.readline()):
                scripts.append(path)
    return lines_of(['shellcheck', '--format=gcc', '--external-sources', *scripts])


def python(_pool):
    """Run pyflakes on each Python file, and check that no line has more than 100 columns."""
    scripts = [path for path in own_files() if path.endswith('.py')]
    found = lines_of(['pyflakes3', *scripts])
    for path in scripts:
        with open(os.path.join(TOP, path)) as file:
            found += [f'{path}:{number}: {len(line) - 1} columns'
                      for number, line in enumerate(file, 1) if len(line) > 101]
    return found


def rst(_pool):
    """Check that each RST file parses. Directives and roles of Sphinx are not checked."""
    import docutils.core
    import docutils.utils
    from docutils.parsers.rst import Directive, directives, roles

    class Opaque(Directive):
        """A directive of Sphinx, whose content is ignored."""
        has_content = True
        optional_arguments = 10
        final_argument_whitespace = True
        option_spec = None

        def run(self):
            return []

    for name in ('toctree', 'kernel-doc', 'flat-table', 'c:function', 'kernel-figure'):
        directives.register_directive(name, Opaque)
    for name in ('ref', 'doc', 'c:func', 'c:type', 'c:macro'):
        roles.register_generic_role(name, docutils.nodes.literal)
    found = []
    for path in own_files():
        if not path.endswith('.rst'):
            continue

        class Collect:
            """A stream that records messages of docutils as findings."""
            def write(self, text):
                found.extend(line for line in text.splitlines() if ': (' in line)

        with open(os.path.join(TOP, path)) as file:
            docutils.core.publish_doctree(
                file.read(), source_path=path,
                settings_overrides={'report_level': 2, 'halt_level': 5,
                                    'warning_stream': Collect(), 'file_insertion_enabled': False})
    return found


STYLE = (checkpatch_files, checkpatch_series, kernel_doc, spdx, unfinished, spelling, shell,
         python, rst)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--style', action='store_true', help='only the style checks, as TAP')
    parser.add_argument('name', nargs='*', help='only these checks')
    args = parser.parse_args()
    checks = {check.__name__: check for check in STYLE}
    if not args.style:
        checks.update({check.__name__: check for check in check_build.CHECKS})
    for name in args.name:
        if name not in checks:
            parser.error(f'there is no check {name}; there are {", ".join(checks)}')
    for tool in ('codespell', 'shellcheck', 'sparse', 'clang', 'pyflakes3'):
        if not shutil.which(tool):
            parser.error(f'{tool} is missing: make check installs it')
    total = 0
    os.makedirs(os.path.join(BUILD, 'log'), exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, check in checks.items():
            if args.name and name not in args.name:
                continue
            if not args.style:
                print(f'  CHECK   {name}', flush=True)
            found = check(args.jobs if check in check_build.CHECKS else pool)
            if args.style:
                print(f'{"not " if found else ""}ok check {name}')
            for line in found:
                print(f'{"#   " if args.style else ""}{line} [{name}]', flush=True)
            total += len(found)
    print(f'{"# " if args.style else ""}{total} findings')
    return 1 if total else 0


if __name__ == '__main__':
    sys.exit(main())
