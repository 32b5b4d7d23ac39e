# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/check.py: it answers two questions of checkpatch, and silences none."""

import unittest

import check
from sandbox import Sandbox

CAMEL = 'a.c:1: CHECK:CAMELCASE: Avoid CamelCase: <{}>'
MOVED = '1.patch:9: WARNING:FILE_PATH_CHANGES: added, moved or deleted file(s), does MAINTAINERS ' \
        'need updating?'
ADDED = """new file mode 100644
--- /dev/null
+++ b/{}
@@ -0,0 +1 @@
+int a;
"""


class Answers(unittest.TestCase):
    """Each answer depends on the kernel's sources at build/linux."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.answers = check.Answers()

    def test_mixed_case(self):
        """A name that the architecture spells so is no finding, any other is one."""
        for name, finding in (('PMUVer', False), ('HFGxTR_EL2_nPIRE0_EL1', False),
                              ('nrPages', True), ('PMUVer_nrPages', True)):
            line = CAMEL.format(name)
            self.assertEqual(self.answers.findings([line], self.box.top),
                             [line] if finding else [], name)

    def test_new_file(self):
        """A new file is a finding unless an entry of MAINTAINERS leads to it."""
        for names, finding in ((['arch/arm64/kvm/new.c'], False), (['lib/none/new.c'], True),
                               (['lib/pkvm_new.c'], False),
                               (['arch/arm64/kvm/new.c', 'lib/none/new.c'], True)):
            self.box.write('1.patch', ''.join(map(ADDED.format, names)))
            self.assertEqual(self.answers.findings([MOVED], self.box.top),
                             [MOVED] if finding else [], names)

    def test_others(self):
        """Every other line is a finding."""
        line = 'a.c:1: ERROR:SPACING: space required'
        self.assertEqual(self.answers.findings([line], self.box.top), [line])
