#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of make bench, as TAP. Rules: complete output of a run becomes the right table, and
incomplete output is an error. No test measures anything.
"""

import os
import re
import struct
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, '../infra'),
                os.path.join(HERE, '../../../scripts/pkvm')]
import against  # noqa: E402
import bench  # noqa: E402
import coalescing  # noqa: E402
import firmware  # noqa: E402
import image  # noqa: E402
import infra  # noqa: E402
import ops  # noqa: E402
import table  # noqa: E402

# The output of a guest, among other lines of the console.
GUEST = '''\
@@ start 4 limit=240 /vmm --protected --mem 64 --bare /full.bin --stats /tmp/stats
bench: features median 185 min 183 max 190 samples 1024
bench: host_call median 2644 min 2644 max 2644 samples 1024
bench: mmio_write median 6051 min 6045 max 43374 samples 1024
bench: first_touch median 7048 min 7040 max 16174 samples 2048
bench: touch_run median 2200 min 850 max 3000 samples 2048
bench: mem_share median 1818 min 1814 max 1818 samples 4096
bench: mem_unshare median 1803 min 1799 max 6694 samples 4096
bench: share_range median 90 min 90 max 95 samples 8
bench: unshare_range median 95 min 95 max 99 samples 8
bench: rguard_map median 900 min 900 max 950 samples 64
bench: rguard_unmap median 1900 min 1900 max 1950 samples 64
bench: relinquish median 3900 min 3900 max 3950 samples 128
bench: relinquish_row median 3900 min 3900 max 3900 samples 256
bench: window_fault median 4900 min 4900 max 30000 samples 1024
bench: window_block median 280 min 280 max 280 samples 1024
bench: window_remove median 334 min 334 max 334 samples 1
bench: window_remove_block median 287 min 287 max 287 samples 1
bench: done
'''
NON_PROTECTED = ''.join(line + '\n' for line in GUEST.splitlines() if '_share' not in line)
FIRMWARE = '''\
pvmfw: start
pvmfw: stats ranges=1 refills=18 share_calls=18 unshare_calls=18 pages_shared_peak=18 \
granule_queries=1 requests=16384 in_flight_peak=16 pool_pages_peak=18 \
per_alloc_calls=65538 guard_calls=36 unguard_calls=35 guard_pages_peak=36 \
guard_queries=1 guard_eager_calls=8449
pvmfw: ticks start=10 devtree=20 disk=3000 verify=400 leave=5 counter=3500
pvmfw: nothing shared
pvmfw: boot
kernel: counter 0x0000000000000dd4
'''
GAINED = {'pages_donated': 4107, 'pages_relinquished': 0, 'pages_reclaimed_private': 4105,
          'pages_reclaimed_shared': 2}


def results(text=GUEST):
    """The results of a protected VM, with its teardown."""
    found = table.guest_results(text)
    found['teardown'] = table.teardown({'teardown_ns': 8095817}, GAINED)
    return found


OPERATIONS = [{name: dict.fromkeys(table.OPERATIONS, at + 0.25) for name in
               [row.name for row in table.PROTECTED + table.NON_PROTECTED]} for at in (1, 2)]


class Guest(unittest.TestCase):
    """The output of a guest is accepted only if it is complete."""

    def test_numbers(self):
        """Each number gets into its field."""
        found = table.guest_results(GUEST)
        self.assertEqual(len(found), 17)
        self.assertEqual(found['mem_unshare'], table.Result(1803, 1799, 6694, 4096))

    def test_unfinished(self):
        """Output without the last line is an error."""
        with self.assertRaisesRegex(table.BenchError, 'bench: done'):
            table.guest_results(GUEST.replace('bench: done\n', ''))

    def test_error(self):
        """An error that the guest printed is reported, even if it continued."""
        with self.assertRaisesRegex(table.BenchError, 'not supported: function 0x86000000'):
            table.guest_results('bench: error: not supported: function 0x86000000\n' + GUEST)

    def test_torn_line(self):
        """A line with a kernel message in the middle is not a result."""
        line = 'bench: mem_share median 1818 min 1814 max 1818 samples 4096\n'
        for at in range(1, len(line) - 1):
            torn = GUEST.replace(line, f'{line[:at]}[    0.1] x\n{line[at:]}')
            self.assertNotIn('mem_share', table.guest_results(torn))


class Windows(unittest.TestCase):
    """Guest and host agree on the windows."""

    def test_size(self):
        with open(os.path.join(HERE, 'guest/window.c')) as file:
            size = re.search(r'#define WINDOW_SIZE\s+(0x[0-9a-f]+)UL', file.read())[1]
        self.assertEqual(int(size, 16), bench.WINDOW_MIB << 20)
        self.assertEqual(bench.WITH_WINDOWS.count(f',size={bench.WINDOW_MIB}M'), 2)


class Teardown(unittest.TestCase):
    """The cost of teardown is valid only if every page was reclaimed."""

    def test_cost(self):
        cost = table.teardown({'teardown_ns': 8095817}, GAINED)
        self.assertEqual(cost.median, 1971)

    def test_nothing_donated(self):
        """A VM without donated pages was not protected."""
        with self.assertRaisesRegex(table.BenchError, 'was not protected'):
            table.teardown({'teardown_ns': 1}, dict.fromkeys(GAINED, 0))

    def test_lost_page(self):
        """A page that was not reclaimed is an error."""
        with self.assertRaisesRegex(table.BenchError, 'was reclaimed'):
            table.teardown({'teardown_ns': 1}, dict(GAINED, pages_donated=4108))


class Coalescing(unittest.TestCase):
    """Costs from dumps of the host's stage-2, and their limits."""

    @staticmethod
    def dump(pages, faults):
        """A dump of 4 MiB of memory, half of it mapped by pages, or by a block if pages is 0."""
        leaves = f'L3 {pages} x 4K' if pages else 'L2 1 x 2048K'
        return ('0x000000000000-0x0000001fffff L2 1 x 2048K owned RWX normal\n'
                f'0x000000200000-0x0000003fffff {leaves} owned RWX normal\n'
                f'leaves L1: 0\nleaves L2: {1 if pages else 2}\nleaves L3: {pages}\n'
                f'annotated: 0\ntables L2: 1\ntables: {2 if pages else 1}\n'
                f'references: {1 if pages else 0}\nfaults: {faults}\n')

    def outputs(self, **changed):
        """The outputs of a host's jobs."""
        after = ''.join(f'{key} {value}\n' for key, value in GAINED.items())
        reported = {'first': self.dump(0, 10), 'before': '', 'during': self.dump(512, 600),
                    'stats': 'teardown_ns 8095817\n', 'after': after, 'died': self.dump(512, 610),
                    'swept': self.dump(0, 612)}
        return list({**reported, **changed}.values())

    def test_costs(self):
        found = coalescing.costs(self.outputs())
        self.assertEqual((found.teardown, found.pages, found.faults), (1971, 4107, 2))
        self.assertEqual(found.levels, (1.0, 1.5, 1.0))

    def test_no_dump(self):
        for changed in ({'died': 'no such file'}, {'swept': self.dump(0, 1)[:-10]}):
            with self.assertRaisesRegex(table.BenchError, 'host_stage2_page_tables'):
                coalescing.costs(self.outputs(**changed))

    def test_worse(self):
        """The limits are 5 % more for teardown, and a fault for each 8 pages."""
        split = coalescing.Costs(2000, 4096, 9, (1, 1, 1))
        self.assertEqual(coalescing.worse(coalescing.Costs(2100, 4096, 512, ()), split), [])
        self.assertIn('teardown', coalescing.worse(coalescing.Costs(2101, 4096, 0, ()), split)[0])
        self.assertIn('513 faults', coalescing.worse(coalescing.Costs(1, 4096, 513, ()), split)[0])


class Counters(unittest.TestCase):
    """A missing counter is an error that names it."""

    def test_values(self):
        self.assertEqual(table.counters('a 1\n\nb 20\nno number\n', 'a'), {'a': 1, 'b': 20})

    def test_missing(self):
        with self.assertRaisesRegex(table.BenchError, 'teardown_ns'):
            table.counters('exits 3\n', 'exits', 'teardown_ns')


class Table(unittest.TestCase):
    """Our result, stock, peer and ratio, row by row."""

    def row(self, text, title):
        """The cells of the row with this title."""
        lines = [line for line in text.splitlines() if line.strip().startswith(title)]
        self.assertEqual(len(lines), 1, text)
        return lines[0].strip()[len(title):].split()

    def test_protected(self):
        """The ratio is our result divided by the peer's."""
        text = table.table(results(), table.guest_results(NON_PROTECTED), OPERATIONS)
        self.assertEqual(self.row(text, 'FEATURES hypercall, round trip'),
                         ['185', '183', '-', '183', '1.01', *['1.2'] * 4])
        self.assertEqual(self.row(text, 'VM destroyed, per donated page'),
                         ['1,971', '1,971', '-', '4,450', '0.44', *['1.2'] * 4])

    def test_no_peer(self):
        """A row without a peer has no ratio."""
        text = table.table(results(), table.guest_results(NON_PROTECTED), OPERATIONS)
        self.assertEqual(self.row(text, 'PSCI_VERSION, answered at EL2'),
                         ['2,644', '2,644', '-', '-', '-', *['1.2'] * 4])

    def test_stock(self):
        """The column of stock has the results of stock."""
        stock = table.guest_results(NON_PROTECTED.replace('median 7048', 'median 6280'))
        text = table.table(results(), table.guest_results(NON_PROTECTED), OPERATIONS, stock)
        self.assertEqual(self.row(text, '4 KiB fault, host-populated'),
                         ['7,048', '7,040', '6,280', '6,280', '1.12', *['2.2'] * 4])

    def test_every_row_is_needed(self):
        """A missing row, of either kind of VM or of stock, is an error that names it."""
        non_protected = table.guest_results(NON_PROTECTED)
        for row in table.PROTECTED:
            less = results()
            del less[row.name]
            with self.assertRaisesRegex(table.BenchError, f'"{row.name}" was not measured'):
                table.table(less, non_protected, OPERATIONS)
        for row in table.NON_PROTECTED:
            less = {name: value for name, value in non_protected.items() if name != row.name}
            for ours, stock in ((less, None), (non_protected, less)):
                with self.assertRaisesRegex(table.BenchError, f'"{row.name}" was not measured'):
                    table.table(results(), ours, OPERATIONS, stock)

    def test_operations_are_needed(self):
        """A row without counts of operations is an error that names it."""
        less = [dict(part) for part in OPERATIONS]
        del less[1]['mmio_write']
        with self.assertRaisesRegex(table.BenchError, 'non-protected.*"mmio_write" was not m'):
            table.table(results(), table.guest_results(NON_PROTECTED), less)

    def test_worse(self):
        """Rows that exceed the peer or our own limit are reported, those that equal it are not."""
        non_protected = {row.name: table.Result(row.peer, 1, 9, 1) for row in table.NON_PROTECTED}
        protected = {row.name: table.Result(row.limit or row.peer or 0, 1, 9, 1)
                     for row in table.PROTECTED}
        self.assertEqual(table.worse(protected, non_protected), [])
        for row in table.PROTECTED:
            if row.peer or row.limit:
                above = protected | {row.name: table.Result(row.most + 1, 1, 9, 1)}
                self.assertEqual(len(table.worse(above, non_protected)), 1)
        above = non_protected | {'features': table.Result(2991, 1, 9, 1)}
        self.assertEqual(table.worse(protected, above),
                         ['non-protected VM, hypercall to the host and back: 2,991, limit 2,990'])


class Against(unittest.TestCase):
    """Another revision is compared row by row."""

    def test_report(self):
        """A ratio says by how much the other revision is slower; what it lacks has a dash."""
        theirs = {'mem_share': table.Result(3636, 1, 9, 1), 'features': table.Result(0, 0, 0, 1)}
        text = against.report('0123456789ab', (results(), results()), (theirs, {}))
        self.assertRegex(text, r'ours 0123456 +ratio')
        self.assertRegex(text, r'MEM_SHARE, one page +1,818 +3,636 +0.50\n')
        self.assertRegex(text, r'FEATURES hypercall, round trip +185 +0 +-\n')
        self.assertRegex(text, r'4 KiB fault, host-populated +7,048 +- +-\n')
        self.assertEqual(len(text.splitlines()),
                         3 + len(table.PROTECTED) + len(table.NON_PROTECTED))

    def test_no_revision(self):
        """A name that git does not know is an error."""
        with self.assertRaisesRegex(table.BenchError, 'AGAINST=no-such is no revision'):
            against.commit('no-such')

    def test_files_of_a_revision(self):
        """A revision without windows is measured without them."""
        self.assertTrue(against.has('HEAD', bench.WINDOWS_OF_EL2))
        self.assertFalse(against.has('HEAD', 'no/such/file'))


class Operations(unittest.TestCase):
    """The operations of a log are assigned to the right benchmarks."""

    PLACES = {0x80: 'begin', 0x90: 'start', 0x94: 'stop', 0xa0: 'ends',
              0x8001: 'tlbi', 0x8002: 'dc', 0x8003: 'enter'}
    NAMES = {name: place for place, name in PLACES.items()}

    def count(self, *guests):
        """A Counter that has read a log; each guest is a string of NAMES."""
        counter = ops.Counter(self.PLACES, ops.Stays(0, 0, (), {}))
        counter.read(b'Trace 0: 0x7f [0000000000004000/%016x/00000121/ff020201] \n'
                     % self.NAMES[word] for guest in guests for word in guest.split())
        return counter

    def test_sorted(self):
        """Only operations inside of a stopwatch count; those of the last call belong to the end."""
        counter = self.count('begin tlbi start tlbi enter tlbi stop tlbi start dc enter stop ends '
                             'start stop start dc dc', 'begin enter start enter stop ends start')
        reported = [{'a': 2}, {'b': 1}]
        self.assertEqual(ops.assign(counter, reported),
                         [{'a': {'tlbi': 1, 'dsb': 0, 'dc': 0.5, 'ic': 0}},
                          {'b': dict.fromkeys(ops.KINDS, 0)}])
        self.assertEqual([ops.mean([end], 2)['dc'] for end in counter.ends], [1, 0])

    def test_next_guest_is_not_the_end(self):
        """Operations after the next guest was entered belong to that guest."""
        counter = self.count('begin start enter stop ends start dc enter tlbi', 'begin')
        self.assertEqual(dict(counter.ends[0]), {'dc': 1})

    def test_interrupted(self):
        """A start, stop or end that was logged twice, because of an interrupt, counts once."""
        counter = self.count('begin start dc enter start dc enter stop',
                             'stop ends', 'ends start')
        self.assertEqual(ops.assign(counter, [{'a': 1}])[0]['a']['dc'], 1)

    def test_longest_stay(self):
        """A stay ends at a return. Stays before the first guest, and EL1, do not count."""
        stays = ops.Stays(0x8000, 0x9000, {0x8800}, {0x8100: '__call'})
        counter = ops.Counter(self.PLACES, stays)
        boot, call, other = [0x8010] * 50, [0x8100, 0x8010, 0x4000, 0x8010], [0x8010]
        for address in [*boot, 0x8800, 0x8003, 0x8800, *call, 0x8800, *other, 0x8800, *boot]:
            counter.see(address)
        self.assertEqual(stays.longest, {None: 2, '__call': 4})
        self.assertEqual(stays.worst(), (4, '__call'))
        with self.assertRaisesRegex(table.BenchError, 'no return from EL2'):
            ops.Stays(0, 1, (), {}).worst()

    def test_only_the_last(self):
        """Readings before those of the samples belong to the console."""
        counter = self.count('begin start tlbi', 'tlbi stop start enter tlbi stop ends start')
        self.assertEqual(ops.assign(counter, [{'a': 1}])[0]['a']['tlbi'], 1)

    def test_incomplete(self):
        """A log with fewer benchmarks, samples or ends than the guest reported is an error."""
        for log, reported in (('begin start enter stop ends start', {'a': 1, 'b': 1}),
                              ('begin start enter stop ends start', {'a': 2}),
                              ('begin start enter stop ends', {'a': 1})):
            with self.assertRaisesRegex(table.BenchError, 'were logged'):
                ops.assign(self.count(log), [reported])

    def test_wrong_el2_address(self):
        """A log without any entry of a guest is an error: EL2's address was wrong."""
        with self.assertRaisesRegex(table.BenchError, 'no entry of a guest'):
            ops.assign(self.count('begin start stop ends start'), [{'a': 1}])


class Firmware(unittest.TestCase):
    """The firmware's counts are reported and checked against their limits."""

    def test_parse(self):
        run = firmware.parse(FIRMWARE, 4096, 16)
        text = '\n'.join(firmware.lines([run], 77824))
        for words in ('65,538', '8,449', '77,824 bytes (limit 131,072)', '4 KiB x 16'):
            self.assertIn(words, text)
        # From the firmware's first instruction to the kernel's, with the report on the UART.
        self.assertRegex(text, r'instructions, jump +40\n')
        self.assertRegex(text, r'instructions, up to the kernel +3,475\n')
        self.assertEqual(firmware.misses([run], 77824), [])

    def test_parse_half(self):
        """Output of a run that did not enter the kernel is an error."""
        for line in ('pvmfw: stats ', 'pvmfw: ticks ', 'pvmfw: boot', 'kernel: '):
            with self.assertRaises(table.BenchError):
                firmware.parse(FIRMWARE.replace(line, 'x'), 4096, 16)

    def test_misses(self):
        """Each result that exceeds its limit is named."""
        for old, new, words in (
                ('unshare_calls=18', 'unshare_calls=19', '19 unshare_calls for 18 pages'),
                (' share_calls=18', ' share_calls=19', '19 share_calls for 18 pages'),
                ('refills=18', 'refills=17', '18 share_calls for 17 refills'),
                ('refills=18', 'refills=17', '18 unshare_calls for 17 refills'),
                ('granule_queries=1 ', 'granule_queries=2 ', '2 granule queries'),
                ('guard_calls=36', 'guard_calls=8449', 'not lazy'),
                ('verify=400', 'verify=40000001', '40,000,001 instructions, verify'),
                ('in_flight_peak=16', 'in_flight_peak=1', '1 requests in flight')):
            run = firmware.parse(FIRMWARE.replace(old, new), 4096, 16)
            self.assertRegex('\n'.join(firmware.misses([run], 77824)), words)
        # The limit of the disk phase does not hold for small requests.
        slow = FIRMWARE.replace('disk=3000', 'disk=250000001')
        self.assertEqual(firmware.misses([firmware.parse(slow, 4096, 16)], 77824), [])
        self.assertIn('250,000,001 instructions, disk',
                      firmware.misses([firmware.parse(slow, 65536, 16)], 77824)[0])
        self.assertIn('image', firmware.misses([firmware.parse(FIRMWARE, 4096, 16)], 131073)[0])

    def test_kernel(self):
        """The kernel is an arm64 Image, padded to the size in its header."""
        header = struct.pack('<2I6Q4sI', 0x14000010, 0, 0, 8192, 0, 0, 0, 0, b'ARM\x64', 0)
        made = firmware.kernel(header + b'code')
        self.assertEqual((len(made), made[:68]), (8192, header + b'code'))
        with self.assertRaises(table.BenchError):
            firmware.kernel(header.replace(b'ARM', b'arm'))


class Image(unittest.TestCase):
    """The pool has the address and the size that the header says."""

    def program(self, magic=b'pkvmbnch', end=8192):
        return b'\1' * 8 + magic + struct.pack('<QQ', end, 0) + b'\2' * 100

    def test_pool(self):
        made = image.make_image(self.program(), 3)
        self.assertEqual(len(made), 8192 + 3 * 4096)
        self.assertEqual(struct.unpack_from('<Q', made, 24), (3,))
        self.assertEqual(made[32:132], b'\2' * 100)
        self.assertEqual(made[132:].strip(b'\0'), b'')

    def test_no_header(self):
        """Any other file is refused, a short one too."""
        for program in (b'', b'\1' * 31, self.program(magic=b'pkvmxxxx')):
            with self.assertRaises(image.ImageError):
                image.make_image(program, 1)

    def test_bad_end(self):
        """A pool that overlaps the program, or is misaligned, is refused."""
        for end in (0, 100, 4097):
            with self.assertRaisesRegex(image.ImageError, 'ends at'):
                image.make_image(self.program(end=end), 1)


if __name__ == '__main__':
    sys.exit(infra.main('bench', HERE, ['test_bench']))
