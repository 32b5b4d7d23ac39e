#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""guest_root.py BUSYBOX [PROGRAM...] OUTPUT: write the root of the Linux guest, an ext4 image.

It contains busybox and other programs in /bin, the files of tools/testing/guest, and 4 MiB of
data generated from a fixed seed. mke2fs and debugfs write the image, so that root privileges
are not needed. The same input files result in the same bytes.
"""

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = os.path.join(TOP, 'tools/testing/guest')
SIZE = 16 << 20
DATA_SIZE = 4 << 20
SEED = b'protected guest memory: the data of the guest, version 1'
# Fixed values in place of a random UUID and of the current time.
UUID = '6b1e9a04-7c52-4d0e-9d0b-70766d677565'
TIME = '1700000000'
FOLDERS = ('bin', 'sbin', 'etc', 'dev', 'proc', 'sys', 'tmp', 'root', 'srv')
TOOLS_PATH = '/usr/sbin:/sbin:'


class RootError(Exception):
    """The image could not be written; the message says why."""


def data():
    """Return the contents of /srv/data."""
    return hashlib.shake_256(SEED).digest(DATA_SIZE)


def applets():
    """Return the paths of the links to busybox."""
    with open(os.path.join(FILES, 'applets')) as file:
        return [line for line in file.read().split('\n') if line.startswith('/')]


def commands(programs, data_file):
    """Return the commands for debugfs, one per line."""
    files = {f'/bin/{name}': (program, 0o755) for name, program in programs.items()}
    files['/srv/data'] = (data_file, 0o644)
    for name, mode in (('inittab', 0o644), ('profile', 0o644), ('rc', 0o755)):
        files[f'/etc/{name}'] = (os.path.join(FILES, name), mode)
    lines = [f'mkdir /{name}' for name in FOLDERS]
    for target, (source, mode) in files.items():
        folder, name = os.path.split(target)
        lines += [f'cd {folder}', f'write "{source}" {name}',
                  f'set_inode_field {target} mode 0{0o100000 | mode:o}']
    lines += [f'symlink {path} /bin/busybox' for path in applets()]
    return lines


def run(*command):
    """Run a tool and return its result with its output; raise RootError if it fails."""
    env = dict(os.environ, E2FSPROGS_FAKE_TIME=TIME, LC_ALL='C',
               PATH=TOOLS_PATH + os.environ['PATH'])
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
    except OSError as error:
        raise RootError(f'{command[0]} does not start: {error.strerror}') from None
    if done.returncode:
        raise RootError(f'{shlex.join(command)}: status {done.returncode}: '
                        f'{(done.stderr or done.stdout).strip()}')
    return done


def make(programs, output):
    """Write the image. If this fails, no incomplete image is left."""
    image = output + '.new'
    with tempfile.TemporaryDirectory(dir=os.path.dirname(output)) as scratch:
        script = os.path.join(scratch, 'commands')
        data_file = os.path.join(scratch, 'data')
        with open(data_file, 'wb') as file:
            file.write(data())
        with open(script, 'w') as file:
            file.write('\n'.join(commands(programs, data_file)) + '\n')
        with open(image, 'wb') as file:
            file.truncate(SIZE)
        run('mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096', '-U', UUID, '-L', 'guest', '-E',
            f'hash_seed={UUID},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0', image)
        # debugfs continues after an error and exits with 0. Its errors are on stderr, in the
        # lines after its version.
        said = run('debugfs', '-w', '-f', script, image).stderr.strip().split('\n')[1:]
        if said:
            raise RootError(f'debugfs: {said[0]}')
    run('e2fsck', '-f', '-n', image)
    os.replace(image, output)


def main():
    if len(sys.argv) < 3:
        print('usage: guest_root.py BUSYBOX [PROGRAM...] OUTPUT', file=sys.stderr)
        return 2
    try:
        *programs, output = map(os.path.abspath, sys.argv[1:])
        make({os.path.basename(program): program for program in programs}, output)
    except (RootError, OSError) as error:
        print(f'guest_root.py: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
