# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/boards.py and uboot.py: machines that are not QEMU's own, and what they lack."""

import os
import subprocess
import unittest
from unittest import mock

import boards
import console
import devtree
import ground
import qemu
import run
import run_linux
import uboot
from sandbox import TOP, Sandbox

# A made-up U-Boot: it echoes what is typed, and does all but what it is told to refuse.
UBOOT = r"""#!/bin/bash
printf 'Hit any key to stop autoboot:  2'
read -r
while printf '\n=> '; IFS= read -r line; do
	echo "$line"
	case $line in
	*REFUSED*) echo "** File not found **" ;;
	booti*) break ;;
	*' && echo '*) echo "${line##* && echo }" ;;
	esac
done
printf 'Starting kernel ...\n\ncolour? '
read -r answer
echo "it is $answer"
"""
SOURCE = '''/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		dsp@92400000 {
			reg = <0 0x92400000 0 0x2000000>;
			status = "disabled";
		};
	};
};
'''


class Table(unittest.TestCase):
    """Everything that takes a board takes those of the table."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def test_qemu_knows_them(self):
        """QEMU has each machine and its CPU, and they have pages that a host is built for."""
        machines, models = ground.offered('-M'), ground.offered('-cpu')
        for name, what in boards.BOARDS.items():
            self.assertIn(what.machine.split(',')[0], machines, name)
            if what.cpu:
                self.assertIn(what.cpu.model, models, name)
                self.assertIn(4, what.cpu.pages, name)

    def test_names(self):
        """No two hosts have the same name, and so no two logs."""
        hosts = [(board, cpu, page) for board, what in boards.BOARDS.items() for page in (4, 16)
                 for cpu in ('a57', 'max') if not what.cpu or cpu == 'a57']
        names = [boards.host(*host) for host in hosts]
        self.assertEqual(len(set(names)), len(hosts))
        self.assertEqual(boards.host('virt', 'a57'), 'a57')
        self.assertEqual(boards.host('imx8mp-evk', 'a57'), 'imx8mp-evk')

    def test_make(self):
        """make run refuses what there is not before it builds anything."""
        for words, error in (
                (['BOARD=beagle'], 'no board "beagle"; there are imx8mp-evk, virt, virt-smmu, '
                                   'virt-u-boot'),
                (['BOARD=imx8mp-evk', 'CPU=a57'], 'has a CPU of its own, cortex-a53'),
                (['BOARD=imx8mp-evk', 'PAGE=16'], 'board imx8mp-evk has no pages of 16 KiB')):
            status, output = self.box.run('make', '-C', TOP, 'run', *words)
            self.assertNotEqual(status, 0)
            self.assertIn(error, output)
            self.assertNotIn('TREE', output)
            self.assertNotIn('KERNEL', output)

    def test_scripts(self):
        """So do the scripts behind it."""
        for script in 'ground.py', 'run.py', 'run_linux.py', 'qemu.py':
            status, output = self.box.run(os.path.join(TOP, 'scripts/pkvm', script), '--board', 'x')
            self.assertEqual(status, 2, script)
            self.assertIn('there is no board "x"', output, script)


class Machine(unittest.TestCase):
    """What a board lacks is reported before it is started."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def refused(self, words, **more):
        with mock.patch.object(qemu, 'Console', None), \
                self.assertRaisesRegex(qemu.QemuError, words):
            qemu.boot(['cat x'], initrd=__file__, kernel=__file__, **more)

    def test_no_tree(self):
        """A board whose device tree was not built is not started without it."""
        with mock.patch.object(qemu, 'BUILD', self.box.path('build')):
            self.refused('build/imx8mp-evk.dtb is missing', board='imx8mp-evk')

    def test_large_disk(self):
        """A disk that is a file in memory has to fit there."""
        self.box.write('build/imx8mp-evk.dtb', '')
        disk = self.box.path('disk')
        self.box.write('disk', '')
        os.truncate(disk, (256 << 20) + 512)
        with mock.patch.object(qemu, 'BUILD', self.box.path('build')):
            self.refused('disk: the disk of board imx8mp-evk is a file in its memory, and can '
                         'have 256 MiB', board='imx8mp-evk', drive=[disk + ',ro'])

    def test_no_interrupts(self):
        """A QEMU whose model of a board gives VMs no interrupts is reported before Linux waits."""
        for version, good in ((10, 0, 2), False), ((10, 0, 3), True), ((10, 1, 0), True):
            with mock.patch.object(qemu, 'version', lambda version=version: version):
                qemu.check_interrupts('virt')
                if good:
                    qemu.check_interrupts('imx8mp-evk')
                    continue
                for job in (lambda: run.run(__file__, 'a57', board='imx8mp-evk'),
                            lambda: run_linux.boot([], run_linux.Guest(board='imx8mp-evk'), 'x',
                                                   drive=[])):
                    with self.assertRaisesRegex(qemu.QemuError, 'QEMU 10.0.2 is too old .* board '
                                                'imx8mp-evk: before 10.0.3 VMs get no'):
                        job()

    def test_no_uboot(self):
        with mock.patch.object(uboot, 'PACKAGE', '/nonexistent/u-boot.bin'):
            self.refused('/nonexistent/u-boot.bin is missing: install u-boot-qemu',
                         board='virt-u-boot')

    def test_region_in_a_tree_of_a_board(self):
        """The firmware's region joins those that the tree of a board has; the file is kept."""
        self.box.write('board.dts', SOURCE)
        self.box.write('pvmfw.bin', 'x' * 5000)
        given = self.box.path('board.dtb')
        subprocess.run(['dtc', '-q', '-o', given, self.box.path('board.dts')], check=True)
        with open(given, 'rb') as file:
            before = file.read()
        scratch = self.box.path('scratch')
        os.mkdir(scratch)
        args, base = devtree.with_firmware(['qemu', '-dtb', given], 'x',
                                           self.box.path('pvmfw.bin'), 1024, scratch)
        self.assertEqual(base, 0x80000000 - 8192)
        self.assertEqual(args[:2], ['qemu', '-dtb'])
        with open(given, 'rb') as file:
            self.assertEqual(file.read(), before)

        def get(node, *what):
            return subprocess.run(['fdtget', '-t', *what[:1], args[2], node, *what[1:]], text=True,
                                  stdout=subprocess.PIPE, check=True).stdout.strip()
        node = f'/reserved-memory/pkvm_guest_firmware@{base:x}'
        self.assertEqual(get(node, 'x', 'reg'), f'0 {base:x} 0 2000')
        self.assertEqual(get(node, 's', 'compatible'), devtree.COMPATIBLE)
        self.assertEqual(get(node, 's', 'no-map'), '')
        self.assertEqual(get('/reserved-memory/dsp@92400000', 'x', 'reg'), '0 92400000 0 2000000')


    def test_disabled_devices(self):
        """The kernel does not see the devices that are disabled; the others stay."""
        self.box.write('board.dts', '/dts-v1/; / { dma@1 { }; dma@2 { }; uart@3 { }; };')
        given = self.box.path('board.dtb')
        subprocess.run(['dtc', '-q', '-o', given, self.box.path('board.dts')], check=True)
        scratch = self.box.path('scratch')
        os.mkdir(scratch)

        def disable(*names):
            return devtree.with_disabled(['qemu', '-dtb', given], 'x', names, scratch)
        *args, tree = disable('dma@')
        self.assertEqual(args, ['qemu', '-dtb'])
        for node, status in ('dma@1', 'disabled'), ('dma@2', 'disabled'), ('uart@3', 'none'):
            got = subprocess.run(['fdtget', '-d', 'none', tree, f'/{node}', 'status'], text=True,
                                 stdout=subprocess.PIPE, check=True).stdout.strip()
            self.assertEqual(got, status, node)
        with self.assertRaisesRegex(devtree.DevtreeError, 'machine x has no device nothing@'):
            disable('dma@', 'nothing@')


class UBoot(unittest.TestCase):
    """What is typed at U-Boot's prompt, and what it answers."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('u-boot', UBOOT)
        os.chmod(self.box.path('u-boot'), 0o755)

    def talk(self, *commands):
        """Let the dialog talk: (cause, what the console has shown)."""
        def follows(machine):
            machine.expect(rb'colour\? ')
            machine.type('blue')
        dialog = uboot.Dialog(commands, 'booti', follows)
        with console.Console([self.box.path('u-boot')], 20) as machine:
            return machine.follow(dialog), machine.text()

    def test_good(self):
        """Each command is done before the next, and what follows talks to the kernel."""
        cause, shown = self.talk('load a', 'load b')
        self.assertIsNone(cause)
        self.assertRegex(shown, r'(?s)=> load a .*=> load b .*=> booti\n.*it is blue')

    def test_refused(self):
        """A command that U-Boot cannot do ends the run, with what it said."""
        cause, shown = self.talk('load a', 'load REFUSED', 'load b')
        self.assertIn('U-Boot, told "load REFUSED", says:', cause)
        self.assertIn('** File not found **', cause)
        self.assertNotIn('load b', shown)

    def test_places(self):
        """Nothing that U-Boot loads lies on something else, the kernel's bss included."""
        largest = {uboot.KERNEL: 64 << 20, uboot.TREE: 1 << 20, uboot.INITRD: 300 << 20}
        places = sorted(largest)
        for place, following in zip(places, [*places[1:], 512 << 20]):
            self.assertLessEqual(place + largest[place], following)

    def test_disk(self):
        """The files are on the disk as they are here."""
        self.box.write('one', 'x' * 100000)
        image = self.box.path('boot.img')
        uboot.make_disk(image, {'first': self.box.path('one'), 'second': self.box.path('u-boot')})
        for name, source in (('first', 'one'), ('second', 'u-boot')):
            copy = self.box.path('copy')
            subprocess.run(['/sbin/debugfs', '-R', f'dump {name} {copy}', image], check=True,
                           stderr=subprocess.DEVNULL)
            self.assertEqual(self.box.read('copy'), self.box.read(source))
