# SPDX-License-Identifier: GPL-2.0-only
"""Layers of EL2: what one file of ours needs of others, they do not need of it."""

import re
import unittest

from test_docs import EL2, listed, read

HEADERS = 'arch/arm64/kvm/hyp/include/nvhe'
SHARED = 'arch/arm64/include/asm'


def code(folder, ending):
    """The files of a folder by their names without the ending, each without its comments, which
    speak of other files without needing them."""
    return {name.removesuffix(ending): re.sub(r'/\*.*?\*/|//[^\n]*', '', read(f'{folder}/{name}'),
                                              flags=re.S)
            for name in listed(folder, rf'.*\{ending}')}


def includes(text):
    """The headers of nvhe/ that a file includes."""
    return set(re.findall(r'^#include <nvhe/([\w-]+)\.h>', text, re.M))


def functions(text):
    """The functions that other files can call: not static, in the first column."""
    return set(re.findall(r'^(?!static\b|typedef\b|extern\b|return\b)[a-z][\w \t*]*?[\s*](\w+)\('
                          r'[^;{}]*\)\n\{', text, re.M))


def declared(text):
    """The functions that a header declares and does not define."""
    return set(re.findall(r'^(?!static\b|typedef\b|#)[a-z][\w \t*]*?[\s*](\w+)\([^;{}]*\);', text,
                          re.M))


def cycle(graph):
    """A way from a node back to it, as a list that ends with its first entry; or None."""
    done = set()

    def visit(node, path):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        for other in sorted(graph.get(node, ())):
            found = visit(other, path + [node])
            if found:
                return found
        done.add(node)
        return None

    for node in sorted(graph):
        found = visit(node, [])
        if found:
            return found
    return None


class Layers(unittest.TestCase):
    def setUp(self):
        self.sources = code(EL2, '.c')
        self.headers = code(HEADERS, '.h')

    def needs(self):
        """For each file of ours, with its header, which others of ours it needs.

        It needs what it includes, and whose functions it calls.
        """
        graph = {name: includes(text) for name, text in self.headers.items()}
        owner = {function: name for name, text in self.sources.items()
                 for function in functions(text)}
        for name, text in self.sources.items():
            needed = graph.setdefault(name, set())
            needed |= includes(text)
            needed |= {owner[word] for word in set(re.findall(r'\b\w+(?=\()', text))
                       if word in owner}
        return {name: needed & graph.keys() - {name} for name, needed in graph.items()}

    def test_no_circle(self):
        """No file of ours needs another one that needs it, by whatever way round."""
        graph = self.needs()
        self.assertGreater(sum(len(needed) for needed in graph.values()), len(self.sources))
        found = cycle(graph)
        self.assertIsNone(found, ' -> '.join(found or []))

    def test_circle_is_found(self):
        """The search sees a circle, and takes what meets again for none."""
        self.assertEqual(cycle({'a': {'b'}, 'b': {'c'}, 'c': {'a'}}), ['a', 'b', 'c', 'a'])
        self.assertIsNone(cycle({'a': {'b', 'c'}, 'b': {'d'}, 'c': {'d'}}))

    def test_own_header(self):
        """A header declares the functions of the file of its name, or some of the base's."""
        for name, text in self.headers.items():
            own = functions(self.sources.get(name, ''))
            others = {function for other, source in self.sources.items() if other != name
                      for function in functions(source)}
            self.assertEqual(declared(text) & others - own, set(), f'{name}.h')

    def test_all_declared(self):
        """What other files can call is in the header of the file's name, or in one for EL1, too."""
        shared = set()
        for text in code(SHARED, '.h').values():
            shared |= declared(text)
        for name, text in self.sources.items():
            missing = functions(text) - declared(self.headers.get(name, '')) - shared
            self.assertEqual(missing, set(), f'{name}.c')
