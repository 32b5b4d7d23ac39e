#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make docs: build the manual as HTML by the kernel's own Sphinx build, at build/docs.

A warning about a file of this tree fails the build, and so does one about a page that only this
tree's patches change. Some pages of the base have warnings of their own: in a patched page of the
base only the changed lines count.
"""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_build  # noqa: E402
import topics  # noqa: E402

BUILD = os.path.join(topics.TOP, 'build')
LINUX = os.path.join(BUILD, 'linux')
OBJECTS = os.path.join(BUILD, 'docs-obj')
OUTPUT = os.path.join(BUILD, 'docs')
LOG = os.path.join(BUILD, 'log/docs.log')
# The table of contents. A page that it names and that is missing is reported for a line that no
# patch changed.
INDEX = 'Documentation/virt/kvm/arm/index.rst'
# A message of Sphinx or of kernel-doc: file:[line:] KIND: text. Before the file of a kernel-doc
# comment Sphinx may print the page and the line that render it.
MESSAGE = re.compile(r'^(?:\S+:\d+: )?(?P<file>[^\s:]+):(?:(?P<line>\d+):)? '
                     r'(?:WARNING|ERROR|CRITICAL|SEVERE|warning|error): ')


def findings(log, ours):
    """Return the messages of a log that are about this tree's files or changed lines."""
    found = []
    for text in log.splitlines():
        place = MESSAGE.match(text)
        if not place:
            continue
        path = os.path.relpath(os.path.join(LINUX, place['file']), LINUX)
        if path in ours.files or path == INDEX or \
                int(place['line'] or 0) in ours.changed.get(path, ()):
            found.append(text)
    return found


def main():
    os.makedirs(OBJECTS, exist_ok=True)
    # Sphinx prints the warnings of a page only when it reads that page again.
    shutil.rmtree(os.path.join(OBJECTS, 'Documentation/output'), ignore_errors=True)
    print('  DOCS    build/docs', flush=True)
    with open(LOG, 'w') as log:
        status = subprocess.run(['make', '-s', '-C', LINUX, f'O={OBJECTS}', 'htmldocs',
                                 'SPHINXDIRS=virt/kvm'], stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, check=False).returncode
    if status:
        print(f'docs.py: error: make htmldocs failed: see {LOG}', file=sys.stderr)
        return 1
    with open(LOG, errors='replace') as log:
        found = findings(log.read(), check_build.Ours())
    if found:
        print('docs.py: error: the manual has warnings:', *found, sep='\n', file=sys.stderr)
        return 1
    shutil.rmtree(OUTPUT, ignore_errors=True)
    shutil.copytree(os.path.join(OBJECTS, 'Documentation/output/virt/kvm'), OUTPUT)
    return 0


if __name__ == '__main__':
    sys.exit(main())
