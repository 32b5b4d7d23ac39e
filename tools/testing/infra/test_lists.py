# SPDX-License-Identifier: GPL-2.0-only
"""Lists in README.md and in the pages about programs are those of the tree."""

import os
import re
import unittest

from sandbox import TOP
from test_docs import PAGES, listed, read


def goals():
    """The goals of Makefile that have no file of their name."""
    words = re.search(r'^\.PHONY: ((?:.*\\\n)*.*)$', read('Makefile'), re.M).group(1)
    return set(words.replace('\\', ' ').split()) - {'FORCE'}


class Readme(unittest.TestCase):
    """README.md, and make help."""

    # Goals of other goals: who calls make needs none of them.
    INNER = {'all', 'all-16k', 'ground', 'test-builds', 'test-host'}

    def test_goals(self):
        """Each goal that README.md or a page names exists, and make help has each goal."""
        known = goals()
        self.assertGreater(len(known), 15)
        for name, text in dict(PAGES, **{'README.md': read('README.md')}).items():
            for code in re.findall(r'`+([^`]+)`+|^    (.+)$', text, re.M):
                for goal in re.findall(r'^make ([a-z][a-z-]*)(?![\w/])', ''.join(code)):
                    self.assertIn(goal, known, name)
        listed = set(re.findall(r"^\t@echo 'make ([a-z-]+)", read('Makefile'), re.M))
        self.assertEqual(known - listed - self.INNER, {'help'})

    def test_tree(self):
        """Its list of the tree has each folder of ours, and each file at the top."""
        text = read('README.md').split('\n## The tree\n')[1].split('\n## ')[0]
        named = {path.split('/')[0] for path in re.findall(r'^    (\S+)', text, re.M)}
        there = {name for name in os.listdir(TOP)
                 if not name.startswith('.') and name not in ('build', 'README.md')}
        self.assertIn('tools', there)
        self.assertEqual(named, there)
        for path in re.findall(r'^    (\S+)', text, re.M):
            self.assertTrue(os.path.exists(os.path.join(TOP, path)), path)


class Programs(unittest.TestCase):
    """The pages about the VMM, the firmware and the configurations."""

    def same(self, there, documented):
        """Two lists without repetitions have the same names, and some."""
        self.assertTrue(there)
        self.assertEqual(sorted(set(documented)), sorted(set(there)))

    def test_vmm_options(self):
        """pkvm-vmm.rst has each option of the VMM."""
        self.same(re.findall(r'^\t\{ "([a-z-]+)",\s*\w+_argument', read('tools/vmm/src/options.c'),
                             re.M),
                  re.findall(r'^--([a-z-]+) ', PAGES['pkvm-vmm.rst'], re.M))

    def test_vmm_counters(self):
        """pkvm-vmm.rst has each counter of --stats."""
        section = PAGES['pkvm-vmm.rst'].split('\nCounters\n====')[1]
        self.same(re.findall(r'^\t\[STAT_\w+\]\s*= "(\w+)"', read('tools/vmm/src/stats.c'), re.M) +
                  ['exit_status'], re.findall(r'^``(\w+)`` ', section, re.M))

    # What the firmware never prints, or only if it has a bug.
    INNER = {'no error', 'not ready yet', 'freed memory that was not allocated',
             'not a lazily mapped page of a device', 'read beyond the end of the disk',
             'hypervisor refused to start its MMIO guard'}

    def test_firmware_errors(self):
        """pvmfw.rst has each error of the firmware."""
        errors = set(re.findall(r'= "(.*)",$', read('tools/pvmfw/src/status.c'), re.M))
        self.assertLess(self.INNER, errors)
        text = re.sub(r'\s+', ' ', PAGES['pvmfw.rst'].split('\nErrors\n====')[1])
        self.assertEqual({error for error in errors if f'``{error}``' not in text}, self.INNER)

    def test_configurations(self):
        """pkvm.rst has each fragment."""
        section = PAGES['pkvm.rst'].split('\nConfiguration\n====')[1].split('\n====')[0]
        self.same(listed('arch/arm64/configs', r'.*\.config'),
                  re.findall(r'``(pkvm_\w+\.config)``', section))

    def test_glossary(self):
        """The terms are in alphabetical order."""
        section = PAGES['pkvm.rst'].split('\nGlossary\n====')[1].split('\n====')[0]
        terms = re.findall(r'^(\w.*)$', section, re.M)[:-1]
        self.assertGreater(len(terms), 20)
        self.assertEqual(terms, sorted(terms, key=str.casefold))


class Files(unittest.TestCase):
    """The files of kernel and hypervisor."""

    def test_files(self):
        """pkvm-maintainer.rst says of each file what it is for, and names no other."""
        section = PAGES['pkvm-maintainer.rst'].split('\nWhat is in which file\n====')[1]
        section = section.split('\nHow to edit a hook\n')[0]
        named = []
        for part in re.split(r'^(?=.* \(``arch/)', section, flags=re.M)[1:]:
            folder = re.search('``(.*?)``', part).group(1)
            named += [f'{folder}/{name}'
                      for name in re.findall(r'^``([\w-]+\.c)`` +\S', part, re.M)]
        there = [f'{folder}/{name}' for folder in ('arch/arm64/kvm', 'arch/arm64/kvm/hyp',
                                                   'arch/arm64/kvm/hyp/nvhe')
                 for name in listed(folder, r'.*\.c')]
        self.assertGreater(len(there), 30)
        self.assertEqual(sorted(named), sorted(there))


class Locks(unittest.TestCase):
    """The order of locks."""

    def test_el2(self):
        """pkvm-maintainer.rst has each lock that EL2 takes, as the sources at build/linux name
        it."""
        taken = set()
        for folder, _, files in os.walk(os.path.join(TOP, 'build/linux/arch/arm64/kvm/hyp')):
            for name in files:
                if name.endswith(('.c', '.h')):
                    taken.update(re.findall(r'\bhyp_spin_lock\(&([^)]+)\)',
                                            read(os.path.join(folder, name))))
        # Which of several SMMUs, and which structure of a VM, does not matter.
        taken = {re.sub('^.*(?=power_lock)', '', lock.replace('s[i].', '->')) for lock in taken}
        self.assertGreater(len(taken), 5)
        section = PAGES['pkvm-maintainer.rst'].split('\nLocks\n====')[1].split('\n====')[0]
        self.assertEqual([lock for lock in sorted(taken) if f'``{lock}``' not in section], [])
