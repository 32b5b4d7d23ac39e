#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make check: everything that can be found without running the code.

Style (checkpatch, kernel-doc, SPDX, spelling, shell, Python, RST) of every file
of ours and of every patch of the series, then sparse, W=1, gcc and clang over
what we add and change (check_build.py). One line for each finding; zero
findings is the rule, and the exit status.

With --style, as in make test, only what compiles nothing, and each check is a TAP result.
"""

import argparse
import concurrent.futures
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
# Names as PMUVer and HFGxTR are those of the architecture, and of the kernel's headers.
IGNORE = 'GERRIT_CHANGE_ID,FILE_PATH_CHANGES,CAMELCASE'
# Words that mark what is not finished.
UNFINISHED = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')


def own_files():
    """Every file of this checkout that is ours to keep clean, sorted."""
    patterns = tree.ignored_names()
    found = tree.our_files()
    for top in ('scripts', 'patches', '.ci'):
        for folder, dirs, files in os.walk(os.path.join(TOP, top)):
            dirs[:] = [name for name in dirs if name != '__pycache__']
            found += [os.path.relpath(os.path.join(folder, name), TOP) for name in files]
    # A worktree has a file where a clone has the folder.
    found += [name for name in os.listdir(TOP)
              if os.path.isfile(os.path.join(TOP, name)) and name != '.git']
    return sorted(path for path in found
                  if not any(tree.fnmatch.fnmatch(os.path.basename(path), pattern)
                             for pattern in patterns))


def lines_of(command, cwd=TOP, keep=lambda line: line):
    """Run a checker: the lines of its output that are findings."""
    run = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    found = [line for line in run.stdout.splitlines() if keep(line)]
    if run.returncode and not found:
        found = [f'{" ".join(command[:3])} ended with status {run.returncode}: '
                 + run.stdout.strip()[-200:]]
    return found


def is_source(path):
    """Files that checkpatch knows how to judge."""
    name = os.path.basename(path)
    return path.endswith(('.c', '.h', '.S', '.dts', '.dtsi', '.rst', '.sh')) or \
        name in ('Makefile', 'Kbuild', 'Kconfig')


def checkpatch_files(pool):
    """checkpatch --strict over each of our files, where it lies in the kernel."""
    sources = [path for path in tree.our_files() if is_source(path)]

    def one(path):
        return lines_of(['perl', 'scripts/checkpatch.pl', '--strict', '--terse', '--no-summary',
                         '--show-types', '--ignore', IGNORE, '-f', path], cwd=LINUX)
    found = [line for found in pool.map(one, sources) for line in found]
    # checkpatch keeps notes where it runs; build/linux holds sources only.
    for name in os.listdir(LINUX):
        if name.startswith('.checkpatch-camelcase.'):
            os.remove(os.path.join(LINUX, name))
    return found


def checkpatch_series(pool):
    """checkpatch --strict over each patch of the exported series."""
    run = subprocess.run([os.path.join(TOP, 'scripts/pkvm/series.py')], cwd=TOP,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode:
        return [run.stdout.strip()]
    folder = os.path.join(BUILD, 'series')

    def one(name):
        return [f'build/series/{line}' if line.startswith(name) else f'{name}: {line}'
                for line in lines_of(
                    ['perl', os.path.join(LINUX, 'scripts/checkpatch.pl'), '--strict', '--terse',
                     '--no-summary', '--show-types', '--ignore', IGNORE, f'--root={LINUX}',
                     name], cwd=folder)]
    return [line for found in pool.map(one, sorted(os.listdir(folder))) for line in found]


def kernel_doc(pool):
    """Every kernel-doc comment of ours is complete and well formed."""
    sources = [path for path in tree.our_files() if path.endswith(('.c', '.h'))]

    def one(path):
        return lines_of(['perl', 'scripts/kernel-doc', '-none', '-Wall', path], cwd=LINUX,
                        keep=lambda line: 'warning' in line or 'error' in line)
    return [line for found in pool.map(one, sources) for line in found]


def spdx(_pool):
    """A licence on the first or, behind #!, second line of every file."""
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
    """No file or patch of ours marks work that is not done."""
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
    """codespell over all that we write, the added lines of patches included."""
    # Names of the kernel's that look like slips.
    return lines_of(['codespell', '--ignore-words-list=filp,hist,struc', *own_files()])


def shell(_pool):
    """shellcheck over every shell script."""
    scripts = []
    for path in own_files():
        with open(os.path.join(TOP, path), errors='replace') as file:
            if path.endswith('.sh') or re.match(r'#!.*\bbash\b', file.readline()):
                scripts.append(path)
    return lines_of(['shellcheck', '--format=gcc', '--external-sources', *scripts])


def python(_pool):
    """pyflakes over every Python file, and no line above 100 columns."""
    scripts = [path for path in own_files() if path.endswith('.py')]
    found = lines_of(['pyflakes3', *scripts])
    for path in scripts:
        with open(os.path.join(TOP, path)) as file:
            found += [f'{path}:{number}: {len(line) - 1} columns'
                      for number, line in enumerate(file, 1) if len(line) > 101]
    return found


def rst(_pool):
    """Every RST file parses; what only Sphinx knows is let through."""
    import docutils.core
    import docutils.utils
    from docutils.parsers.rst import Directive, directives, roles

    class Opaque(Directive):
        """A directive of Sphinx: any content, nothing made of it."""
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
            """Takes docutils' messages as findings."""
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
    parser.add_argument('--style', action='store_true', help='what compiles nothing, as TAP')
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
