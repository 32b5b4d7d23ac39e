# SPDX-License-Identifier: GPL-2.0-only
"""Checks of make check that compile: sparse, W=1, gcc and clang.

The base kernel has warnings of its own. A warning counts only if it is in a file of this
tree or on a line that one of its patches added or changed.
"""

import difflib
import os
import re
import subprocess
import tempfile

import topics
import tree

TOP = topics.TOP
BUILD = os.path.join(TOP, 'build')
LINUX = os.path.join(BUILD, 'linux')
# A message of a compiler or of sparse: file:line:[column:] kind: text
PLACE = re.compile(r'^(?P<file>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?P<text>(?:fatal )?'
                   r'(?:warning|error):? .*)$')
# Sparse cannot follow these functions. It wants each path to give up what it takes, but
# folio_walk_end() gives up RCU's read lock only if folio_walk_start() found a PTE, and neither has
# an annotation. The base's callers have the same warning.
UNFOLLOWED = ("context imbalance in 'pkvm_address_accessible'",)


def changed_lines():
    """Return, for each patched file, the numbers of the lines that patches changed."""
    changed = {}
    for path in sorted({path for topic in topics.load_series() for path in topic.touches}):
        before = tree.read(os.path.join(BUILD, 'pristine', path)).splitlines()
        after = tree.read(os.path.join(LINUX, path)).splitlines()
        lines = set()
        for tag, _, _, first, last in difflib.SequenceMatcher(None, before, after,
                                                              False).get_opcodes():
            if tag != 'equal':
                lines.update(range(first + 1, last + 1))
        changed[path] = lines
    return changed


class Ours:
    """Separates warnings about this tree's code from those about the base's."""

    def __init__(self):
        self.files = set(tree.our_files())
        self.changed = changed_lines()

    def finding(self, line):
        """Return the warning in a line of output, or None if it is not about our code."""
        place = PLACE.match(line)
        if not place or any(text in line for text in UNFOLLOWED):
            return None
        path = place['file']
        for prefix in (LINUX + '/', TOP + '/', '../linux/', './'):
            path = path.removeprefix(prefix)
        if path in self.files or int(place['line']) in self.changed.get(path, ()):
            return f'{path}:{place["line"]}: {place["text"]}'
        return None

    def sources(self):
        """Return the kernel's C and assembly files that are ours or that a patch changes."""
        return [path for path in sorted(self.files | set(self.changed))
                if path.endswith(('.c', '.S')) and path.startswith(('arch/', 'drivers/'))]


def call(log, *command):
    """Run a command and write its output to a log. Return its status and the lines."""
    path = os.path.join(BUILD, 'log', log)
    with open(path, 'w') as output:
        status = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, check=False).returncode
    return status, tree.read(path).splitlines()


def forget(objects, sources):
    """Remove the objects of our sources, so that they are compiled again and can warn."""
    for path in sources:
        stem = os.path.splitext(os.path.join(objects, path))[0]
        for name in (stem + '.o', stem + '.nvhe.o'):
            if os.path.exists(name):
                os.remove(name)


def judge(name, status, output):
    """Return the warnings about our code in the output of a build, or that it failed."""
    ours = Ours()
    found = sorted({finding for line in output if (finding := ours.finding(line))})
    if status and not found:
        found = [f'{name}: the build failed:'] + output[-10:]
    return found


def gcc_sparse_w1(jobs):
    """Compile KVM and our drivers by gcc with W=1, and check them by sparse."""
    objects = os.path.join(BUILD, 'check-gcc')
    with tree.locked():
        run = subprocess.run(
            [os.path.join(TOP, 'scripts/pkvm/config.sh'), objects,
             *(os.path.join(TOP, f'arch/arm64/configs/pkvm_{name}.config')
               for name in ('qemu', 'kunit', 'selfcheck'))],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode:
            return [run.stdout.strip()]
        forget(objects, Ours().sources())
        status, output = call('check-gcc.log', 'make', '-C', LINUX, f'O={objects}', 'ARCH=arm64',
                              'CROSS_COMPILE=aarch64-linux-gnu-', f'-j{jobs}', 'W=1', 'C=2',
                              'arch/arm64/kvm/', 'drivers/virt/')
    return judge('check-gcc', status, output)


def production(jobs):
    """Compile KVM as for a board: code that only serves debugging must not be built."""
    objects = os.path.join(BUILD, 'check-board')
    with tree.locked(), tempfile.NamedTemporaryFile('w', suffix='.config') as plain:
        plain.write('# CONFIG_PKVM_STAGE2_DEBUG is not set\n')
        plain.flush()
        run = subprocess.run(
            [os.path.join(TOP, 'scripts/pkvm/config.sh'), objects,
             *(os.path.join(TOP, f'arch/arm64/configs/pkvm_{name}.config')
               for name in ('qemu', 'board')), plain.name],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode:
            return [run.stdout.strip()]
        forget(objects, Ours().sources())
        status, output = call('check-board.log', 'make', '-C', LINUX, f'O={objects}', 'ARCH=arm64',
                              'CROSS_COMPILE=aarch64-linux-gnu-', f'-j{jobs}', 'W=1',
                              'arch/arm64/kvm/')
    found = judge('check-board', status, output)
    kvm = os.path.join(objects, 'arch/arm64/kvm')
    for folder, _, files in os.walk(kvm):
        found += [f'{os.path.relpath(os.path.join(folder, name), TOP)} is built for a board'
                  for name in files if name.endswith('.o') and 'stage2_dump' in name]
    return found


def clang_kernel(jobs):
    """Build the whole kernel by clang and lld, with build.config.aarch64 and W=1."""
    objects = os.path.join(BUILD, 'check-clang')
    with tree.locked():
        forget(objects, Ours().sources())
        status, output = call('check-clang.log', os.path.join(TOP, 'scripts/pkvm/android.sh'),
                              objects, f'-j{jobs}', 'W=1')
    return judge('check-clang', status, output) + ([] if status else left_by_android(objects))


def left_by_android(objects):
    """Check the files that a build by build.config.aarch64 left: what lacks, what is extra."""
    found = [f'{objects}/dist/{name} was not built' for name in ('Image', 'vmlinux', 'System.map')
             if not os.path.isfile(os.path.join(objects, 'dist', name))]
    defconfig = 'arch/arm64/configs/pkvm_defconfig'
    if os.path.exists(os.path.join(LINUX, defconfig)):
        found.append(f'{defconfig} was left in the source')
    config = tree.read(os.path.join(objects, '.config')).split('\n')
    return found + [f'{objects}/.config lacks {line}' for line in
                    ('CONFIG_KVM=y', 'CONFIG_CC_IS_CLANG=y', 'CONFIG_JUMP_LABEL=y')
                    if line not in config]


def programs(_jobs):
    """Build our programs by gcc and by clang. Their makefiles make warnings errors."""
    found = []
    for name, folder in (('vmm', 'tools/vmm'), ('pvmfw', 'tools/pvmfw'),
                         ('init', 'tools/testing/init'), ('spmc', 'tools/testing/spmc')):
        for compiler, extra in (('gcc', []), ('clang', ['LLVM=1'])):
            status, output = call(f'check-{name}-{compiler}.log', 'make', '-C', folder,
                                  f'O={BUILD}/check-{name}-{compiler}', f'KSRC={LINUX}', *extra)
            if status:
                found += [f'{folder} does not build by {compiler}:'] + output[-5:]
            else:
                found += [f'{folder}: {line}' for line in output if PLACE.match(line)]
    return found


CHECKS = (gcc_sparse_w1, production, clang_kernel, programs)
