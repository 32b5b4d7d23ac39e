# SPDX-License-Identifier: GPL-2.0-only
"""Read the topics of patches/series: their messages, their new files and their diffs.

A topic is one file patches/NNNN-name.patch:

    Subject: area: what changes
    <blank>
    why, in a body of any length
    <blank>
    Bug: 123456             (any number of these, also none)
    Files: path/ or path    (new files of this tree that belong to the topic)
    Lists: path             (the same, for a list of files, which grows: see series.py)
    ---
    <a diff -p1 against files of the base, may be empty>

New files are files of this tree and not part of a diff: a diff that creates, deletes or renames a
file is refused.
"""

import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The directories of this tree whose files make tree copies over the kernel.
LAID_OVER = ('arch', 'drivers', 'include', 'tools', 'Documentation')


class TopicError(Exception):
    """A topic is malformed or does not apply."""


class Topic:
    """One entry of patches/series."""

    def __init__(self, name, text):
        self.name = name
        head, separator, self.diff = text.partition('\n---\n')
        if not separator:
            raise TopicError(f'patches/{name}: no line "---" between message and diff')
        subject, _, rest = head.partition('\n')
        if not subject.startswith('Subject: ') or not rest.startswith('\n'):
            raise TopicError(f'patches/{name}: does not start with a line "Subject: " and an '
                             'empty line')
        self.subject = subject[len('Subject: '):].strip()
        self.bugs, self.files, self.lists, body = [], [], [], []
        for line in rest.strip('\n').split('\n'):
            key, _, value = line.partition(': ')
            if key == 'Bug':
                self.bugs.append(value.strip())
            elif key in ('Files', 'Lists'):
                self.files += value.split()
                if key == 'Lists':
                    self.lists += value.split()
            else:
                body.append(line)
        self.body = '\n'.join(body).strip('\n')
        if not self.body:
            raise TopicError(f'patches/{name}: the message has no body that says why')
        self.touches = self._touched()

    def changed_lines(self):
        """How many lines of the base the diff changes: those that go, and those that come."""
        return len(re.findall(r'^(?:\+(?!\+\+ )|-(?!-- ))', self.diff, re.M))

    def _touched(self):
        """Return the base files that the diff changes."""
        for line in re.findall(r'^(?:new file|deleted file|rename|copy) .*$', self.diff, re.M):
            raise TopicError(f'patches/{self.name}: "{line}": a diff can only change files of '
                             'the base, and not create or remove any')
        pairs = re.findall(r'^--- (\S+).*\n\+\+\+ (\S+).*\n@@ ', self.diff, re.M)
        if self.diff.strip() and not pairs:
            raise TopicError(f'patches/{self.name}: the text after "---" is not a diff')
        touched = []
        for old, new in pairs:
            if old[:2] != 'a/' or new[:2] != 'b/' or old[2:] != new[2:]:
                raise TopicError(f'patches/{self.name}: {old} -> {new}: not a change in place '
                                 'of the form a/PATH b/PATH')
            if '..' in old.split('/'):
                raise TopicError(f'patches/{self.name}: {old} leaves the kernel tree')
            touched.append(old[2:])
        return touched

    def apply(self, root, found):
        """Apply the diff to the files below root; found is the base's version, for errors."""
        if not self.touches:
            return
        run = subprocess.run(['patch', '-p1', '--fuzz=0', '--no-backup-if-mismatch', '--batch',
                              '--forward', '--reject-file=-'],
                             cwd=root, input=self.diff, text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if run.returncode == 0:
            return
        current, failed = '?', []
        for line in run.stdout.splitlines():
            start = re.match(r'(?:checking|patching) file (.*)', line)
            if start:
                current = start.group(1).strip("'")
            elif re.match(r'(Hunk|patch).*(FAILED|malformed|ignored)', line):
                failed.append(f'{current}: {line.strip()}')
        detail = '\n'.join('    ' + line for line in failed or run.stdout.splitlines()[-5:])
        raise TopicError(f'patches/{self.name} does not apply to the base {found}; '
                         f'it was written on {written_on()}:\n{detail}')


def written_on():
    """Return the version of the base that the patches were last changed for."""
    try:
        with open(os.path.join(TOP, 'patches/base')) as file:
            return file.read().strip()
    except FileNotFoundError:
        raise TopicError('patches/base, with the version that the patches were written on, '
                         'is missing') from None


def load_series():
    """Return the topics of patches/series in their order."""
    folder = os.path.join(TOP, 'patches')
    try:
        with open(os.path.join(folder, 'series')) as file:
            lines = [line.partition('#')[0].strip() for line in file]
    except FileNotFoundError:
        raise TopicError('patches/series is missing') from None
    names = [line for line in lines if line]
    for name in names:
        if names.count(name) > 1:
            raise TopicError(f'patches/series names {name} twice')
    series = []
    for name in names:
        try:
            with open(os.path.join(folder, name)) as file:
                series.append(Topic(name, file.read()))
        except FileNotFoundError:
            raise TopicError(f'patches/series names {name}, which is missing') from None
    return series


def stray_patches():
    """Return the patch files that patches/series does not name."""
    folder = os.path.join(TOP, 'patches')
    named = {topic.name for topic in load_series()}
    return sorted(name for name in os.listdir(folder)
                  if name.endswith('.patch') and name not in named)
