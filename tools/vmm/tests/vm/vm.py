#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Test the VMM in protected and in non-protected VMs on hosts under QEMU.

The tests use hostile guests, Linux guests, command lines, limits and signals.

Rules: the VMM accesses only memory that the guest shares; whatever a guest does, the VMM ends in
one of the ways that its help text names. The results are TAP.
"""

import hashlib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, '../../../..'))
sys.path.insert(0, os.path.join(TOP, 'scripts', 'pkvm'))
sys.path.insert(0, os.path.join(TOP, 'tools', 'pvmfw'))

import pvmfw_config  # noqa: E402
import qemu  # noqa: E402

CROSS = os.environ.get('CROSS_COMPILE', 'aarch64-linux-gnu-')
# The VMM's exit statuses; the number of a signal is added to SIGNAL.
OFF, ERROR, USAGE, RESET, TIMED_OUT, SIGNAL = 0, 1, 2, 3, 4, 128
SIGINT, SIGTERM = 2, 15
# The cases of guest.c.
(CORRECT, PRIVATE_PART, PRIVATE_DATA, UNSHARED_LATER, BAD_CHAINS, MMIO_EVERYWHERE, DO_RESET, SPIN,
 SMP, UNDECODABLE, DISK_ERROR, NOTHING, WINDOW, BALLOON) = range(14)
PROTECTED = 0x100
PARAMETER_AT = 8
SECTORS, BAD_SECTOR = 512, 300
DISK = b''.join(bytes([(n + 1) & 255]) * 512 for n in range(SECTORS))
HOST_MIB = 1024

# name, case of guest.c, options, exit status, text that the output must have
GUESTS = [
    ('a correct driver', CORRECT, '--disk DISK', OFF, ''),
    ('rings, header and status in private pages', PRIVATE_PART, '--disk DISK', OFF, ''),
    ('data in a private page', PRIVATE_DATA, '--disk DISK', OFF, ''),
    ('data unshared while the device is in use', UNSHARED_LATER, '--disk DISK', OFF, ''),
    ('bad descriptor chains', BAD_CHAINS, '--disk DISK', OFF, 'needs a reset'),
    ('accesses to everything', MMIO_EVERYWHERE, '--disk DISK', OFF, ''),
    ('accesses to everything, with windows', MMIO_EVERYWHERE,
     '--disk DISK --window /large,size=1M --window /large,size=64K', OFF, ''),
    ('a window whose BAR moves', WINDOW, '--window /large,size=64K', OFF, ''),
    ('a disk with a bad sector', DISK_ERROR, '--disk /dev/vda,ro', OFF, ''),
    ('a balloon that gets pages which it may not take', BALLOON, '--balloon 8', OFF,
     'a page of the balloon is outside of guest memory'),
    ('eight vCPUs', SMP, '--cpus 8', OFF, ''),
    ('a reset', DO_RESET, '', RESET, ''),
    ('a time limit', SPIN, '--timeout 1', TIMED_OUT, 'still running after 1 seconds'),
]

# name, command in which GUEST is replaced by a program that powers off, exit status, text
COMMANDS = [
    ('no option', '/vmm', USAGE, 'nothing to run'),
    ('an unknown option', '/vmm --bare GUEST --nested', USAGE, '--nested: unknown option'),
    ('the manual', '/vmm --help', OFF, 'Usage: vmm'),
    ('no program', '/vmm --bare /none', ERROR, '/none: No such file'),
    ('an empty program', '/vmm --bare /empty', ERROR, '/empty: the file is empty'),
    ('a firmware that is too large', '/vmm --firmware /large', ERROR,
     'file of 2097153 bytes, room for 2097152'),
    ('firmware at its address', '/vmm --firmware /pvmfw', RESET, 'no virtio block device'),
    ('firmware at another address', '/vmm --firmware /pvmfw --firmware-at 0x7fe00000', RESET,
     'error: not loaded at its address'),
    ('firmware in RAM', '/vmm --firmware /pvmfw --firmware-at 0x80000000', USAGE,
     'not a multiple of 2 MiB from'),
    ('a file that is not a kernel', '/vmm --kernel GUEST', ERROR, 'not an arm64 Image'),
    ('a compressed kernel', '/vmm --kernel /initrd', ERROR, 'the file is compressed'),
    ('no disk', '/vmm --bare GUEST --disk /none', ERROR, 'disk /none: No such file'),
    ('an empty disk', '/vmm --bare GUEST --disk /empty', ERROR, 'the file is empty'),
    ('an odd-sized disk', '/vmm --bare GUEST --disk /odd', ERROR, 'not a multiple of 512'),
    ('a disk that is a folder', '/vmm --bare GUEST --disk /tmp', ERROR, 'disk /tmp: '),
    ('a window without a file', '/vmm --bare GUEST --window /none,size=4K', ERROR,
     '--window /none: No such file'),
    ('a window larger than its file', '/vmm --bare GUEST --window /odd,size=4K', ERROR,
     'the file is shorter than the window'),
    ('a window of an odd size', '/vmm --bare GUEST --window /large,size=3K', USAGE,
     'not a power of two'),
    ('a control socket without a folder', '/vmm --bare GUEST --control /none/s', ERROR,
     '--control /none/s: No such file'),
    ('more memory than the host has', f'/vmm --bare GUEST --mem {2 * HOST_MIB}', ERROR,
     'the host has only'),
    ('counters that cannot be written', '/vmm --bare GUEST --stats /none/s', ERROR,
     '/none/s: No such file'),
    ('counters on a full device', '/vmm --bare GUEST --stats /dev/full', ERROR,
     '/dev/full: No space'),
    ('SIGTERM', f'/signalled 700 {SIGTERM} /vmm --bare SPIN --cpus 3', SIGNAL + SIGTERM, ''),
    ('SIGINT', f'/signalled 700 {SIGINT} /vmm --bare SPIN', SIGNAL + SIGINT, ''),
]

# Commands for one kind of VM only. 256 MiB and their page tables are 263680 KiB.
PROTECTED_COMMANDS = [
    ('RLIMIT_MEMLOCK too small', 'memlock 4 /vmm --bare GUEST', ERROR,
     'RLIMIT_MEMLOCK allows 4 KiB, this VM needs up to 263680 KiB'),
    ('how to raise it', 'memlock 4 /vmm --bare GUEST', ERROR, "'ulimit -l 263680'"),
    ('RLIMIT_MEMLOCK raised to it', 'memlock 263680 /vmm --bare GUEST', OFF, ''),
]
PLAIN_COMMANDS = [
    ('an access that KVM cannot decode', '/vmm --bare UNDECODABLE', ERROR, 'pc is 0x802'),
]

HOSTS_WITHOUT = [
    ('a host not booted protected', '', '/vmm --protected --bare GUEST', ERROR,
     'kvm-arm.mode=protected'),
    ('a host without KVM', 'kvm-arm.mode=none', '/vmm --bare GUEST', ERROR,
     '/dev/kvm: No such file'),
]

FIRMWARE_WINDOW = '/vmm --firmware /pvmfw --window /large,size=2M --disk '
WINDOWS = 12
CMDLINE = 'console=ttyS0 quiet'
LINUX_WINDOWS = f'limit=110 /windows_host {WINDOWS} /tmp/control /vmm --control /tmp/control ' \
    '--kernel /Image --initrd /window_init --cpus 2 --timeout 100'

LINUX = '/fed ready hypervisor /vmm --kernel /Image --initrd /initrd --cmdline console=ttyS0 ' \
    '--cpus 2 --timeout 60'


def linux_has(*options):
    """Whether the host's kernel, which the guest runs too, has these options."""
    with open(os.path.join(qemu.BUILD, 'host', '.config')) as file:
        return {f'CONFIG_{option}=y\n' for option in options} <= set(file)


class Case:
    """One run of the VMM: its command, exit status, and text that its output must have."""

    def __init__(self, name, command, status, says):
        self.name, self.command, self.status, self.says = name, command, status, says

    def wrong(self, job):
        """Why the run has failed; None if it has not."""
        if job.status != self.status:
            return f'the VMM ended with status {job.status} instead of {self.status}'
        if self.says not in job.output:
            return f'the output does not have "{self.says}"'
        return None


def compile_c(output, *arguments):
    subprocess.run([CROSS + 'gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-static', '-o', output,
                    *arguments], check=True)


class Files:
    """Builds the files of the hosts in a directory; self.files maps a host's path to ours."""

    def __init__(self, scratch, vmm):
        self.scratch = scratch
        self.files = {'/vmm': vmm, '/Image': os.path.join(qemu.BUILD, 'Image'),
                      '/pvmfw': os.path.join(qemu.BUILD, 'pvmfw.bin')}
        self.program = self.build_guest()
        self.add('/empty', b'')
        self.add('/odd', bytes(1000))
        self.add('/large', bytes(0x200001))
        for name in ('signalled', 'fed', 'windows_host'):
            compile_c(self.path(name), os.path.join(HERE, f'{name}.c'))
            self.files[f'/{name}'] = self.path(name)
        self.files['/initrd'] = self.build_initrd('linux_init')
        self.files['/window_init'] = self.build_initrd('window_init')
        with open(self.files['/pvmfw'], 'rb') as file:
            self.add('/configured', pvmfw_config.append(file.read(), pvmfw_config.entries_of(
                kernel=self.files['/Image'], initrd=self.files['/window_init'],
                cmdline=CMDLINE)))

    def path(self, name):
        return os.path.join(self.scratch, name)

    def add(self, where, data):
        """Add a file with these bytes to the hosts."""
        path = self.path(where.strip('/'))
        with open(path, 'wb') as file:
            file.write(data)
        self.files[where] = path
        return where

    def build_guest(self):
        compile_c(self.path('guest.elf'), '-ffreestanding', '-nostdlib', '-mgeneral-regs-only',
                  '-mstrict-align', '-fno-stack-protector', '-fno-pic', '-Wl,--build-id=none',
                  '-Wl,--no-warn-rwx-segments', '-T', os.path.join(HERE, 'guest.lds'),
                  '-idirafter', os.path.join(qemu.TOP, 'include/uapi'),
                  '-idirafter', os.path.join(qemu.BUILD, 'linux/tools/include'),
                  os.path.join(HERE, 'entry.S'), os.path.join(HERE, 'guest.c'))
        subprocess.run([CROSS + 'objcopy', '-O', 'binary', self.path('guest.elf'),
                        self.path('guest.bin')], check=True)
        with open(self.path('guest.bin'), 'rb') as file:
            return file.read()

    def guest(self, parameter):
        """The test guest with this parameter."""
        data = self.program[:PARAMETER_AT] + parameter.to_bytes(8, 'little') + \
            self.program[PARAMETER_AT + 8:]
        return self.add(f'/guest{parameter}', data)

    def build_initrd(self, name):
        """The root file system of a Linux guest: one program."""
        compile_c(self.path(f'{name}.elf'), os.path.join(HERE, f'{name}.c'))
        with open(self.path('list'), 'w') as file:
            file.write('dir /dev 0755 0 0\nnod /dev/console 0600 0 0 c 5 1\n'
                       f'file /init {self.path(name)}.elf 0755 0 0\n')
        cpio = subprocess.run([os.path.join(qemu.BUILD, 'gen_init_cpio'), self.path('list')],
                              check=True, stdout=subprocess.PIPE).stdout
        with open(self.path(name), 'wb') as file:
            subprocess.run(['gzip', '-n'], input=cpio, check=True, stdout=file)
        return self.path(name)


def cases(files, mode):
    """All runs of one kind of VM on a host that is booted protected."""
    protected = mode == 'protected'
    flag = PROTECTED if protected else 0
    found = []
    for number, (name, case, options, status, says) in enumerate(GUESTS):
        if 'DISK' in options:
            options = options.replace('DISK', files.add(f'/disk-{mode}{number}', DISK))
        found.append((name, f'/vmm --bare {files.guest(case | flag)} {options}', status, says))
    names = {'GUEST': files.guest(NOTHING | flag), 'SPIN': files.guest(SPIN | flag),
             'UNDECODABLE': files.guest(UNDECODABLE | flag)}
    for name, command, status, says in \
            COMMANDS + (PROTECTED_COMMANDS if protected else PLAIN_COMMANDS):
        for word, path in names.items():
            command = command.replace(word, path)
        found.append((name, command, status, says))
    found.append(('firmware beside a window',
                  FIRMWARE_WINDOW + files.add(f'/disk-{mode}-firmware', DISK), OFF,
                  f'pvmfw: sha256 {hashlib.sha256(DISK).hexdigest()}'))
    if linux_has('PCI_HOST_GENERIC', 'HOTPLUG_PCI_PCIE', 'ARM_PKVM_GUEST'):
        exchanged = f'windows: {WINDOWS} exchanged, {WINDOWS // 2} non-cacheable'
        found.append(('Linux with windows', f'{LINUX_WINDOWS} --cmdline "{CMDLINE}"', OFF,
                      exchanged))
        found.append(('Linux with windows, behind the firmware',
                      f'{LINUX_WINDOWS} --firmware /configured --disk '
                      + files.add(f'/disk-{mode}-windows', DISK), OFF, exchanged))
    if not protected:
        found.append(('Linux', LINUX, OFF, 'linux: 2 CPUs, read hypervisor'))
        if linux_has('PCI_HOST_GENERIC', 'VIRTIO_PCI', 'VIRTIO_BLK'):
            found.append(('Linux with a disk',
                          f'{LINUX} --disk {files.add("/disk-linux", DISK)}', OFF,
                          f'linux: {SECTORS} sectors, written'))
    extra = ' --protected' if protected else ''
    return [Case(f'{mode}, {name}', command.replace('/vmm', '/vmm' + extra, 1), status, says)
            for name, command, status, says in found]


def bad_disk(scratch):
    """A disk with one sector that cannot be read, for qemu.boot()."""
    data = os.path.join(scratch, 'data')
    with open(data, 'wb') as file:
        file.write(DISK)
    return qemu.failing_disk(scratch, data, BAD_SECTOR)


class Results:
    """Prints results as TAP and counts failures."""

    def __init__(self, planned):
        self.number = self.failed = 0
        print(f'1..{planned}', flush=True)

    def add(self, name, cause, output=''):
        self.number += 1
        print(f'{"not " if cause else ""}ok {self.number} - {name}', flush=True)
        if cause:
            self.failed += 1
            print(f'# {cause}')
            print(''.join(f'#   {line}\n' for line in output.split('\n')), end='')


def run(vmm, cpu, modes):
    """Run all cases; the number that failed."""
    logs = os.path.join(qemu.BUILD, 'log')
    os.makedirs(logs, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='vmm.', dir=qemu.BUILD) as scratch:
        files = Files(scratch, vmm)
        todo = [case for mode in modes for case in cases(files, mode)]
        results = Results(len(todo) + 1 + len(HOSTS_WITHOUT))
        log = os.path.join(logs, f'vmm-vm-{cpu}.log')
        host = qemu.boot([case.command for case in todo], cpu=cpu, files=files.files,
                         mem=HOST_MIB, drive=[bad_disk(scratch)], log=log,
                         limit=300 + 3 * len(todo))
        for case, job in zip(todo, host.jobs):
            results.add(case.name, case.wrong(job), job.output)
        # The host itself must not have failed.
        results.add('the host', f'{host.cause}; see {log}' if host.cause else None)

        for name, append, command, status, says in HOSTS_WITHOUT:
            command = command.replace('GUEST', files.guest(NOTHING))
            host = qemu.boot([command], cpu=cpu, mode='plain', files=files.files, append=append,
                             log=log)
            cause = host.cause or Case(name, command, status, says).wrong(host.jobs[0])
            results.add(name, cause, host.jobs[0].output)
    return results.failed


if __name__ == '__main__':
    sys.exit(qemu.run_guest_tests(__doc__, '--vmm', os.path.join(qemu.BUILD, 'vmm'), 'the VMM',
                                  run))
