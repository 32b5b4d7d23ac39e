# SPDX-License-Identifier: GPL-2.0-only
"""The pages quote messages as the sources have them, above all pkvm-troubleshooting.rst."""

import errno
import os
import re
import unittest

from sandbox import TOP
from test_docs import PAGES, read
import tree

PAGE = 'pkvm-troubleshooting.rst'
# Programs that print messages: ours, and files of the base. Tests have messages, too, but only to
# expect them.
FOLDERS = ('arch/', 'tools/vmm/src/', 'tools/pvmfw/src/')
SCRIPTS = 'scripts/pkvm'
TESTS = 'system_'
BASE = ('arch/arm64/kvm/arm.c', 'arch/arm64/kvm/handle_exit.c', 'arch/arm64/kvm/pkvm.c')
# A part that differs: in the page, in C, and in a string of Python or the shell.
OPEN = re.compile(r'\.\.\.|%[-+ #0]*[\w.*]*?(?:ll?|z)?(?:pOF|pa|pB|[diuxXscp])|\{[^{}]*\}|'
                  r'\$\{?\w+\}?')
STRINGS = {
    '.c': r'"((?:[^"\\\n]|\\.|\\\n)*)"',
    '.h': r'"((?:[^"\\\n]|\\.|\\\n)*)"',
    '.py': r"f?'((?:[^'\\\n]|\\.)*)'",
    '.sh': r'"((?:[^"\\]|\\.|\\\n)*)"',
}


# A message of which a page may quote an example.
FIXED = 'VHE mode initialized successfully'
# How a message begins that a page quotes with its prefix.
PREFIX = re.compile(r'(?:kvm \[1\]|vmm: error|vmm: warning): |(?=pKVM: )')


def plain(text):
    """A message with the same mark for each part that differs, and without escapes."""
    text = OPEN.sub('\0', text.replace('\\\n', '').replace('\\n', '').replace('\\', ''))
    return re.sub('\0+', '\0', text)


def literals(name):
    """The strings in a file, those that follow each other as one."""
    text, pattern = read(name), STRINGS[os.path.splitext(name)[1]]
    return [plain(''.join(re.findall(pattern, found.group(0))))
            for found in re.finditer(rf'(?:{pattern}\s*)+', text)]


def quoted():
    """The messages that the page quotes: what is in a headline of an entry, or in an entry's
    list of ends of a message."""
    found = []
    for line in PAGES[PAGE].splitlines():
        if line.startswith('``'):
            found += re.findall('``(.*?)``', line)
        elif line.startswith('  - ``'):
            found.append(line.split('``')[1])
        elif line.startswith('  ``') and line.rstrip('.').endswith('``'):
            found.append(line.split('``')[1])
    return [text for text in found if ' ' in text]


class Messages(unittest.TestCase):
    """Quotations and sources."""

    def setUp(self):
        names = [name for name in tree.our_files()
                 if name.startswith(FOLDERS) and name.endswith(('.c', '.h'))]
        names += [f'{SCRIPTS}/{name}' for name in os.listdir(os.path.join(TOP, SCRIPTS))
                  if name.endswith(('.py', '.sh')) and not name.startswith(TESTS)]
        names += [f'build/linux/{name}' for name in BASE]
        self.known = [text for name in names for text in literals(name)]

    def is_known(self, message):
        """Whether some source prints a message: errno's text is the end of many."""
        reasons = '|'.join(re.escape(os.strerror(number)) for number in errno.errorcode)
        message = re.sub(f': ({reasons})$', ': ...', message)
        message = plain(message)
        return any(message in text or text.endswith(FIXED) and
                   re.fullmatch(text.replace('\0', '.+'), message) for text in self.known)

    def test_found(self):
        """Each quoted message is in the sources."""
        messages = quoted()
        self.assertGreater(len(messages), 30)
        self.assertEqual([text for text in messages if not self.is_known(text)], [])

    def test_prefixed(self):
        """Each message that some page quotes with its prefix is in the sources."""
        messages = [text for page in PAGES.values() for text in re.findall('``([^`]+)``', page)
                    if ' ' in text and PREFIX.match(text) and PREFIX.sub('', text)]
        self.assertGreater(len(messages), 3)
        self.assertEqual([text for text in messages
                          if not self.is_known(PREFIX.sub('', text, count=1))], [])

    def test_unknown(self):
        """A message that no source has is missed."""
        for text in 'it lacks a map', 'vCPU ...: KVM_RUN: Out of luck':
            self.assertFalse(self.is_known(text))


class Reports(unittest.TestCase):
    """The samples of make run's reports in README.md."""

    def test_lines(self):
        """Each line of a sample is one that make run prints, with other numbers."""
        # A pattern of mostly open parts would match any line. A string may have a list behind it.
        patterns = [re.compile('.+'.join(map(re.escape, text.split('\0'))) +
                               '.+' * text.endswith(': '))
                    for name in ('run.py', 'run_linux.py') for text in literals(f'{SCRIPTS}/{name}')
                    if len(text.replace('\0', '')) > 10]
        samples = re.findall(r'(?:^    (?!make ).*\n){9,}', read('README.md').split('\n## Test')[0],
                             re.M)
        self.assertEqual(len(samples), 2)
        lines = [line[4:] for line in ''.join(samples).splitlines()]
        self.assertEqual([line for line in lines if ' L1, ' not in line and
                          not any(pattern.fullmatch(line) for pattern in patterns)], [])
