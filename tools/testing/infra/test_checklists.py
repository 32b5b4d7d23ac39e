# SPDX-License-Identifier: GPL-2.0-only
"""The checklists of pkvm-maintainer.rst: what one of them asks for is there, for everything that
the tree has. Each class checks one list, and takes what there is from the sources."""

import os
import re
import sys
import unittest

import boards
import cpus
import run_kunit
import test
from sandbox import TOP
from test_docs import EL2, PAGES, PATCHES, listed, read
import tree

KUNIT = 'drivers/virt/pkvm'
SELFTESTS = 'tools/testing/selftests/kvm/arm64'
ADDED = '\n'.join(re.findall(r'^\+(?!\+\+ )(.*)$', PATCHES, re.M))


def texts(folder, pattern=r'.*\.[chS]'):
    """The files of a folder whose names match, as one text."""
    return '\n'.join(read(os.path.join(folder, name)) for name in listed(folder, pattern))


def kernel():
    """What we add to the kernel below arch/arm64: our files, and what hooks add."""
    return '\n'.join([read(name) for name in tree.our_files()
                      if name.startswith('arch/arm64/') and name.endswith(('.c', '.h'))] + [ADDED])


def enumerators(name):
    """The names in an enum of ours."""
    bodies = re.findall(rf'^enum {name} {{\n(.*?)^}};', kernel(), re.M | re.S)
    if len(bodies) != 1:
        raise AssertionError(f'{len(bodies)} definitions of enum {name}')
    return re.findall(r'^\t(\w+)', re.sub(r'/\*.*?\*/', '', bodies[0], flags=re.S), re.M)


def function(text, name):
    """The body of a C function."""
    return re.search(rf'^\w[^;{{}}]*\b{name}\([^;{{}}]*\)\n{{\n(.*?)^}}', text,
                     re.M | re.S).group(1)


def tables(page, head):
    """The rows of all simple tables of RST whose head has these words: lists of cells."""
    lines = PAGES[page].splitlines()
    rows = []
    for number, line in enumerate(lines):
        if line.split('  ')[0] == head[0] and all(word in line for word in head) and \
                lines[number - 1].startswith('==='):
            columns = [match.span() for match in re.finditer('=+', lines[number - 1])]
            end = lines.index(lines[number - 1], number + 2)
            for row in lines[number + 2:end]:
                cells = [row[start:stop if (start, stop) != columns[-1] else None].strip()
                         for start, stop in columns]
                # A row with an empty first cell continues the one above it.
                if cells[0]:
                    rows.append(cells)
                else:
                    rows[-1] = [f'{old} {new}'.strip() for old, new in zip(rows[-1], cells)]
    if not rows:
        raise AssertionError(f'{page} has no table {head}')
    return rows


class Lists(unittest.TestCase):
    """The lists themselves."""

    def test_each_is_checked(self):
        """Each checklist has a class here, whose first line is its title."""
        section = re.search(r'^Checklists\n=+\n(.*?)^[^\n]+\n=+\n', PAGES['pkvm-maintainer.rst'],
                            re.M | re.S).group(1)
        titles = re.findall(r'^(.+)\n-+$', section, re.M)
        classes = [what.__doc__.rstrip('.') for what in vars(sys.modules[__name__]).values()
                   if isinstance(what, type) and what not in (Lists, unittest.TestCase)
                   and issubclass(what, unittest.TestCase)]
        self.assertGreater(len(titles), 5)
        self.assertEqual(sorted(title.replace('``', '') for title in titles), sorted(classes))


class GuestHypercall(unittest.TestCase):
    """A new hypercall of guests."""

    def setUp(self):
        self.numbers = {name: int(number) for name, number in re.findall(
            r'^#define ARM_SMCCC_KVM_FUNC_(\w+)\t+(\d+)$', read('include/uapi/linux/pkvm.h'), re.M)}
        self.assertTrue(self.numbers)
        self.short = {long: short for short, long in re.findall(
            r'^#define (HVC_\w+)\t+ARM_SMCCC_VENDOR_HYP_KVM_(\w+)_FUNC_ID$',
            read(f'{SELFTESTS}/pvm.h'), re.M)}

    def calls(self):
        """The name of each call in the header, and the short one that selftests use."""
        return [(name, self.short.get(name, f'short name of {name}')) for name in self.numbers]

    def test_header(self):
        """Each number has a function id, and each id that selftests use a number."""
        for name in self.numbers:
            self.assertIn(f'#define ARM_SMCCC_VENDOR_HYP_KVM_{name}_FUNC_ID',
                          read('include/uapi/linux/pkvm.h'))
        self.assertEqual(set(self.short) - {'FEATURES'}, set(self.numbers))

    def test_el2(self):
        """EL2 answers it."""
        answers = texts(EL2, r'guest_.*\.c')
        for name in self.numbers:
            self.assertIn(f'case ARM_SMCCC_VENDOR_HYP_KVM_{name}_FUNC_ID:', answers)

    def test_fuzzer(self):
        """The fuzzer makes it, and its model follows it and knows how EL2 counts it."""
        guest = function(read(f'{SELFTESTS}/fuzz_guest.c'), 'random_call')
        model = read(f'{SELFTESTS}/fuzz_model.c')
        for _, short in self.calls():
            self.assertRegex(guest, rf'\b{short}\b')
            self.assertEqual(len(re.findall(rf'\bcase {short}:', model)), 2, short)

    def test_in_digits(self):
        """pkvm_create has its function id and the bitmap of FEATURES in digits."""
        digits = read(f'{SELFTESTS}/pkvm_create.c')
        for name, short in self.calls():
            self.assertIn(f'EXPECT_EQ({0xc6000000 + self.numbers[name]:#x}, {short});', digits)
        features = 1 | sum(1 << number for number in self.numbers.values())
        self.assertIn(f'EXPECT_EQ({features:#x}, PKVM_GUEST_FEATURES);', digits)

    def test_tests(self):
        """A KUnit suite or a selftest makes it, apart from the fuzzer."""
        made = texts(KUNIT, r'el2_.*\.c')
        made += texts(SELFTESTS, r'p(kvm_(?!create\.c).*|vm\.c|vm_guest\.S)')
        for name, short in self.calls():
            self.assertRegex(made, rf'\b({short}|ARM_SMCCC_VENDOR_HYP_KVM_{name}_FUNC_ID)\b')


class PageState(unittest.TestCase):
    """A new state or transition of pages."""

    # Functions of the host's calls that move no page.
    NO_TRANSITION = {f'__pkvm_{name}' for name in (
        'guest_check_place', 'host_hold_page', 'host_mkyoung_guest', 'host_relax_perms_guest',
        'host_release_page', 'host_test_clear_young_guest', 'host_wrprotect_guest')}

    def test_states(self):
        """pkvm.rst has each state with its bits, and the dump a word for it."""
        states = [name.removeprefix('PKVM_') for name in enumerators('pkvm_page_state')]
        self.assertGreater(len(states), 3)
        self.assertEqual([row[:2] for row in tables('pkvm.rst', ('State', 'Bits'))],
                         [[f'``{name}``', f'{number:02b}'] for number, name in enumerate(states)])
        words = re.search(r'\bstates\[\] = \{(.*?)\}', read('arch/arm64/kvm/pkvm_stage2_dump.c'),
                          re.S).group(1)
        self.assertEqual(len(words.split(',')), len(states))

    def test_transitions(self):
        """pkvm.rst names each function of EL2 that makes a transition, and each transition
        has one."""
        found = set(re.findall(r'^(?:int|s64) (__pkvm_(?:host|guest|reclaim)_\w+)\(',
                               texts(EL2, r'guest_.*\.c'), re.M))
        rows = tables('pkvm.rst', ('Transition', 'Function'))
        named = set(re.findall(r'``(\w+)\(\)``', ' '.join(row[1] for row in rows)))
        self.assertLess(self.NO_TRANSITION, found)
        self.assertEqual(found - self.NO_TRANSITION, named)
        drawn = [row[0].split(',')[0]
                 for row in tables('pkvm.rst', ('Transition', 'Host', 'Guest'))]
        self.assertEqual([row[0] for row in rows], list(dict.fromkeys(drawn)))


class ExitClass(unittest.TestCase):
    """A new class of exits."""

    HEAD = ('Exit', 'Class', 'The host sees')

    def test_table(self):
        """The table of exits has each class and no other; it stands once in the manual."""
        rows = tables('pkvm-isolation.rst', self.HEAD)
        classes = {name.removeprefix('PVM_EXIT_') for name in enumerators('pvm_exit')}
        self.assertGreater(len(classes), 5)
        self.assertEqual({row[1] for row in rows}, classes)
        self.assertEqual(len(re.findall(r'^=[= ]+\n.*The host sees', '\n'.join(PAGES.values()),
                                        re.M)), 1)

    def test_el2(self):
        """EL2 says what the host's answer changes, and sets the class where a vCPU exits."""
        answer = function(read(f'{EL2}/guest_exit.c'), 'pvm_exit_from_host')
        everything = texts(EL2, r'guest_.*\.c').replace(answer, '')
        for name in enumerators('pvm_exit'):
            self.assertIn(f'case {name}:', answer)
            self.assertRegex(everything, rf'(exit = |\(hyp_vcpu, .*){name}\b')

    def test_counters(self):
        """EL2 counts with each counter, KVM shows it, and a selftest reads it."""
        body = re.search(r'^struct pkvm_vcpu_stat {\n(.*?)^}', kernel(), re.M | re.S).group(1)
        names = re.findall(r'\b((?:calls|exits)_\w+);', body)
        self.assertGreater(len(names), 10)
        shown = re.findall(r'\bPKVM_VCPU_COUNTER\((\w+)\)', kernel())
        readers = texts(SELFTESTS, r'.*\.c')
        for name in names:
            self.assertRegex(texts(EL2), rf'(->|\.){name}\b')
            self.assertIn(name, shown)
            self.assertIn(f'"protected_{name}"', readers)


class Suite(unittest.TestCase):
    """A new KUnit suite."""

    def setUp(self):
        self.code = texts(KUNIT, r'.*\.c')

    def test_documented(self):
        """pkvm.rst names each suite."""
        suites = run_kunit.expected_suites()
        self.assertGreater(len(suites), 10)
        for name in suites:
            self.assertIn(f'``{name}``', PAGES['pkvm.rst'])

    def test_runs(self):
        """Each suite is registered, and each list of cases is in a suite."""
        defined = re.findall(r'^static struct kunit_suite (\w+) = ', self.code, re.M)
        self.assertEqual(len(defined), len(run_kunit.expected_suites()))
        registered = ' '.join(re.findall(r'^kunit_test_suites?\((.*?)\);', self.code, re.M | re.S))
        self.assertEqual(sorted(re.findall(r'\w+', registered)), sorted(defined))
        cases = re.findall(r'^(?:static )?struct kunit_case (\w+)\[\] = ', self.code, re.M)
        self.assertEqual(sorted(re.findall(r'\.test_cases\s*= (\w+),', self.code)), sorted(cases))

    def test_built(self):
        """The Makefile builds each file, and the configurations of the tests each module."""
        makefile = read(f'{KUNIT}/Makefile')
        for name in listed(KUNIT, r'.*\.[cS]'):
            self.assertRegex(makefile, rf'\b{name[:-2]}\.o\b')
        for option in re.findall(r'^config (\w+)$', read(f'{KUNIT}/Kconfig'), re.M):
            self.assertIn(f'$(CONFIG_{option})', makefile)
            self.assertIn(f'CONFIG_{option}=m\n', read('arch/arm64/configs/pkvm_kunit.config'))
            self.assertIn(f'CONFIG_{option}=y\n', read('tools/testing/kunit/pkvm.kunitconfig'))


class Selftest(unittest.TestCase):
    """A new selftest."""

    def test_listed(self):
        """tests.list has each program, and the Makefile of the base builds those of the list."""
        programs = [name.removesuffix('.c') for name in listed(SELFTESTS, r'.*\.c')
                    if re.search(r'^(TEST_HARNESS_MAIN$|int main\()',
                                 read(f'{SELFTESTS}/{name}'), re.M)]
        self.assertGreater(len(programs), 10)
        there = re.findall(r'^arm64/(\w+)', read(f'{SELFTESTS}/tests.list'), re.M)
        self.assertEqual(sorted(there), sorted(programs))
        self.assertIn('tests.list', ADDED)


class CpuModel(unittest.TestCase):
    """A new CPU model."""

    def test_documented(self):
        """pkvm-checks.rst has each CPU with its model, its page sizes and its tests."""
        def tests(name):
            return 'all' if name in cpus.WHOLE else \
                'smoke, large pages' if name in cpus.LARGE_PAGES else 'smoke'

        rows = tables('pkvm-checks.rst', ('CPU', 'Model', 'Tests'))
        self.assertEqual(rows, [[f'``{name}``', f'``{what.model.split(",")[0]}``',
                                 ', '.join(map(str, what.pages)), tests(name)]
                                for name, what in cpus.CPUS.items()])


class Board(unittest.TestCase):
    """A new board that QEMU models."""

    def test_documented(self):
        """pkvm-board.rst has each board, and README.md says how to run on it."""
        rows = tables('pkvm-board.rst', ('Board', 'What it is'))
        self.assertEqual([row[0] for row in rows], [f'``{name}``' for name in boards.BOARDS])
        for name in set(boards.BOARDS) - {boards.DEFAULT}:
            self.assertIn(f'BOARD={name}', read('README.md'))

    def test_device_tree(self):
        """make run builds the device tree of a board for which QEMU makes none."""
        for name, what in boards.BOARDS.items():
            if what.tree:
                self.assertIn(f'$(if $(filter {name},$(BOARD)),build/{what.tree})',
                              read('Makefile'))
                self.assertIn(what.tree, read('scripts/pkvm/build.mk'))


class Part(unittest.TestCase):
    """A new part of make test."""

    def test_documented(self):
        """The table of README.md has each part and no other."""
        suffixes = '|'.join(cpus.WHOLE)
        there = {re.sub(rf' ({suffixes})$', ' CPU', part.name) for part in test.parts('1')}
        text = read('README.md')
        rows = re.search(r'^\| layer \|.*\n\|[ -|]+\|\n((?:\|.*\n)+)', text, re.M).group(1)
        named = [name for row in rows.splitlines()
                 for name in re.findall(r'`([^`]+)`', row.split('|')[2])]
        self.assertEqual(sorted(named), sorted(there))

    def test_command(self):
        """The program that a part runs is there."""
        for part in test.parts('1'):
            program = part.command[0]
            if program == 'make':
                program = os.path.join(part.command[2], 'Makefile')
            self.assertTrue(os.path.isfile(os.path.join(TOP, program)), part.name)
