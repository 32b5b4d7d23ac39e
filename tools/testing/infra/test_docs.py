# SPDX-License-Identifier: GPL-2.0-only
"""Documentation: lists of files, suites, calls, counters and events are those of the tree."""

import fnmatch
import os
import re
import types
import unittest

import docs
import run_kunit
from sandbox import TOP
import tree

DOCS = 'Documentation/virt/kvm/arm'
EL2 = 'arch/arm64/kvm/hyp/nvhe'


def read(name):
    with open(os.path.join(TOP, name)) as file:
        return file.read()


def listed(folder, pattern):
    """The files of a folder whose names match, sorted."""
    return sorted(name for name in os.listdir(os.path.join(TOP, folder))
                  if re.fullmatch(pattern, name))


def all_files():
    """The names of all files that a page may speak of by name alone."""
    found = set()
    for root in ('arch', 'drivers', 'include', 'tools', 'scripts', 'build/pristine'):
        for _, _, files in os.walk(os.path.join(TOP, root)):
            found.update(files)
    return found


PAGES = {name: read(os.path.join(DOCS, name)) for name in listed(DOCS, r'(pkvm|pvmfw).*\.rst')}
PATCHES = '\n'.join(read(os.path.join('patches', name)) for name in listed('patches', r'.*\.patch'))


class Messages(unittest.TestCase):
    """What scripts/pkvm/docs.py takes for a warning about this tree."""

    OURS = types.SimpleNamespace(files=['arch/arm64/kvm/ours.h', f'{DOCS}/pkvm.rst'],
                                 changed={'mm/gup.c': [7]})

    def found(self, text):
        return bool(docs.findings(text.format(docs.LINUX), self.OURS))

    def test_ours(self):
        """Each form in which Sphinx and kernel-doc name a file of ours, or a changed line."""
        for text in (f'{{}}/{DOCS}/pkvm.rst:3: WARNING: Title underline too short.',
                     f'{{}}/{DOCS}/pkvm.rst: WARNING: document is in no toctree',
                     '{}/arch/arm64/kvm/ours.h:5: warning: Excess function parameter',
                     f'{{}}/{DOCS}/pkvm:9: {{0}}/arch/arm64/kvm/ours.h:5: WARNING: Duplicate',
                     '{}/mm/gup.c:7: WARNING: Inline emphasis start-string'):
            self.assertTrue(self.found(text.replace('{}', '{0}')), text)

    def test_of_others(self):
        """What the base has of its own, and lines that are no message."""
        for text in ('{0}/mm/gup.c:8: WARNING: Inline emphasis start-string',
                     '{0}/mm/slab.c:7: warning: no description', 'WARNING: dot(1) not found'):
            self.assertFalse(self.found(text), text)


class Docs(unittest.TestCase):
    def documented(self, page, names, form='``{}``'):
        """Each of some names stands in a page, and there are some."""
        self.assertTrue(names)
        missing = [name for name in names if form.format(name) not in PAGES[page]]
        self.assertEqual(missing, [], f'not in {page}')

    def test_pages(self):
        """The index leads to the first page, and that to each other one."""
        self.assertRegex(PATCHES, r'(?m)^\+   pkvm$')
        for name in set(PAGES) - {'pkvm.rst'}:
            self.assertRegex(PAGES['pkvm.rst'], rf'(?m)^   {name.removesuffix(".rst")}$')
            self.assertIn(f'{DOCS}/{name}', PAGES['pkvm.rst'])

    def test_kernel_doc(self):
        """Each file of the kernel with kernel-doc is rendered on one page, and no other is. The
        tables in the sources of KUnit suites are for these alone."""
        rendered = re.findall(r'^\.\. kernel-doc:: (\S+)$', '\n'.join(PAGES.values()), re.M)
        ours = [name for name in tree.our_files() if re.match(r'(arch|drivers|include)/', name) and
                re.search(r'(?<!_test)\.[ch]$', name)]
        self.assertEqual(sorted(rendered),
                         sorted(name for name in ours if re.search(r'^/\*\*$', read(name), re.M)))

    def test_files(self):
        """A file of ours that a page names is there; a sign of the base's need not be."""
        known = all_files()
        for page, text in PAGES.items():
            for name in re.findall(r'``(?:[\w/-]+/)?([\w-]+\.(?:c|h|S|py|config|list))``', text):
                self.assertIn(name, known, page)

    def test_suites(self):
        """pkvm.rst names each KUnit suite, and no page one that is not."""
        suites = [name for name in run_kunit.expected_suites()
                  if name.startswith(('pkvm_el2_', 'pkvm_pgtable_'))]
        self.assertGreater(len(suites), 10)
        self.documented('pkvm.rst', suites)
        for page, text in PAGES.items():
            for name in re.findall(r'``(pkvm_(?:el2|pgtable)_\w+)``', text):
                self.assertIn(name, suites + ['pkvm_el2_kunit', 'pkvm_pgtable_kunit'], page)

    def test_selftests(self):
        """A selftest that is named as a test is in the list of selftests."""
        there = re.findall(r'^arm64/(\w+)', read('tools/testing/selftests/kvm/arm64/tests.list'),
                           re.M)
        for paragraph in re.findall(r'Tests: (.*?)\.\n', PAGES['pkvm-isolation.rst'], re.S):
            for name in re.findall(r'``(pkvm_\w+)``', paragraph):
                if not name.startswith('pkvm_el2_'):
                    self.assertIn(name, there)

    def test_host_calls(self):
        """pkvm-host.rst describes each call of the host's, with its parentheses."""
        calls = set(re.findall(r'^\t__KVM_HOST_SMCCC_FUNC_(\w+)',
                               read('arch/arm64/include/asm/kvm_pkvm_calls.h'), re.M))
        # Only there for debugging.
        debug = {'__pkvm_stage2_dump': 'pkvm-stage2.rst', '__pkvm_debug': 'pkvm-checks.rst'}
        self.documented('pkvm-host.rst', sorted(calls - set(debug)), '``{}(')
        for call in calls & set(debug):
            self.documented(debug[call], [call], '``{}(')

    def test_counters(self):
        """pkvm-host.rst has each counter and each statistic."""
        self.documented('pkvm-host.rst', re.findall(
            r'\tSHOW_TOTAL\(m, (\w+)\);', read('arch/arm64/kvm/pkvm_guest_stats.c')))
        self.documented('pkvm-host.rst', re.findall(
            r'^\tPKVM_\w+\((\w+)', read('arch/arm64/kvm/pkvm_vcpu_stats.h') +
            read('arch/arm64/kvm/pkvm_vm_stats.h'), re.M), '``protected_{}``')

    def test_events(self):
        """pkvm-host.rst has each tracepoint."""
        self.documented('pkvm-host.rst', re.findall(
            r'^(?:DEFINE_EVENT\(\w+, |TRACE_EVENT\()(\w+),', read('arch/arm64/kvm/trace_pkvm.h'),
            re.M))

    def test_maintainers(self):
        """Each file that is laid over a kernel is under the entry that we add, all of which
        leads to something."""
        patterns = re.findall(r'^\+([FN]):\t(\S+)$', PATCHES, re.M)
        unused = set(patterns)
        self.assertTrue(patterns)
        for name in tree.our_files():
            found = {(kind, pattern) for kind, pattern in patterns
                     if (re.search(pattern, name) if kind == 'N' else
                         name.startswith(pattern) and pattern.endswith('/') or
                         fnmatch.fnmatch(name, pattern))}
            self.assertTrue(found, name)
            unused -= found
        self.assertEqual(unused, set())
