# SPDX-License-Identifier: GPL-2.0-only
"""make bench AGAINST=REV: the kernel of another revision of this tree, measured in the same run.

Only the kernel is that of the revision, with its hypervisor. VMM, guest and root are those of this
tree, so that both kernels do the same work.
"""

import os
import subprocess

import table

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, '../../..'))


def commit(revision):
    """The commit that a name stands for."""
    run = subprocess.run(['git', '-C', TOP, 'rev-parse', '--verify', '--quiet', '--short=12',
                          f'{revision}^{{commit}}'], stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise table.BenchError(f'AGAINST={revision} is no revision of this tree')
    return run.stdout.strip()


def has(name, path):
    """Whether a commit has a file."""
    return not subprocess.run(['git', '-C', TOP, 'cat-file', '-e', f'{name}:{path}'], check=False,
                              stderr=subprocess.DEVNULL).returncode


def export(name, directory):
    """Put the files of a commit into a directory, unless they are there."""
    if os.path.isdir(directory):
        return
    os.makedirs(f'{directory}.new', exist_ok=True)
    with subprocess.Popen(['git', '-C', TOP, 'archive', name], stdout=subprocess.PIPE) as git:
        tar = subprocess.run(['tar', '-x', '-C', f'{directory}.new'], stdin=git.stdout, check=False)
    if git.returncode or tar.returncode:
        raise table.BenchError(f'the files of {name} cannot be copied')
    os.rename(f'{directory}.new', directory)


def ratio(ours, theirs):
    """A result as a multiple of the revision's; less than 1 is better."""
    return f'{ours.median / theirs.median:.2f}' if theirs.median else '-'


def section(title, rows, ours, theirs):
    """The lines for one kind of VM. A revision may lack what a row is about."""
    lines = [title]
    for row in rows:
        mine, other = ours[row.name], theirs.get(row.name)
        lines.append(f'  {row.title:42}{mine.median:>8,}' +
                     (f'{other.median:>8,}{ratio(mine, other):>7}' if other else
                      f'{"-":>8}{"-":>7}'))
    return lines


def report(name, ours, theirs):
    """The table, as text; ours and theirs are the results of (protected, non-protected) VMs."""
    head = f'{"instructions":44}{"ours":>8}{name[:7]:>8}{"ratio":>7}'
    return '\n'.join([
        head,
        *section(f'protected VM; against {name}', table.PROTECTED, ours[0], theirs[0]),
        *section(f'non-protected VM; against {name}', table.NON_PROTECTED, ours[1], theirs[1])])
