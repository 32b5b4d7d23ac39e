# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: Linux as a guest gives memory back by its balloon."""

import hashlib
import re

import console
import counters
import run
import run_linux
from system_linux import balanced, expect

MIB = 1 << 20
PAGE = 4096
MEM = 256
SOCKET = '/tmp/ctl'
# The size in MiB of a file in the guest's memory. The guest writes it twice. After it has removed
# the first one, the guest reports that memory as free.
FILE = 128
# The sizes of the balloon in MiB. The small one is a signal of the host, on which the guest goes
# on. The guest can fill the large one only after it has removed the file; the memory of the file
# thus goes into the balloon, and not into reports of free pages.
SMALL, LARGE = 1, 116
# The guest removes the file when the large balloon has so many MiB more than the small one.
BEGUN = 16
# The MiB that the guest writes after the balloon was emptied, to memory that it had given away.
DATA = 32
LINE = '0123456789abcde'
# The least number of pages that the guest has when it has written the file once, and twice.
ONCE = FILE * MIB // PAGE + 4000
TWICE = ONCE + FILE * MIB // PAGE * 3 // 4
# The largest difference in KiB between the host's additional free memory and what the guest has
# given back, as the host's kernel and the VMM use memory, too.
SLACK = 2048
# How many MiB of the file's memory may not come back: the guest may use it for something else, and
# reports no blocks of less than 4 MiB.
MISSING = FILE // 8


def wait_until(condition, mib):
    """Return a command that waits until the guest's balloon has at least this size, if condition is
    "-ge", or at most this size ("-le").
    """
    return (f'n=-1; until [ $n -ge 0 ] && [ $n {condition} {mib * MIB // PAGE} ]; do sleep 1; '
            'while read k v; do case $k in balloon_inflate) n=$v;; '
            'balloon_deflate) n=$((n - v));; esac; done </proc/vmstat; done; echo $n')


WRITE = f'dd if=/dev/zero of=/tmp/file bs=1M count={FILE}'
GUEST = (
    'mount -o remount,size=220m /tmp',
    f'{WRITE} && rm /tmp/file',
    wait_until('-ge', SMALL),
    WRITE,
    wait_until('-ge', SMALL + BEGUN) + '; rm /tmp/file',
    wait_until('-ge', LARGE),
    wait_until('-le', 0),
    wait_until('-ge', SMALL),
    f'yes {LINE} | head -c {DATA * MIB} >/tmp/data; sha256sum /tmp/data',
)


def steps(output, wanted):
    """Return what the host printed at each step, as dictionaries."""
    parts = re.split(r'^=== \d+$', output, flags=re.M)[1:]
    expect(len(parts), wanted, 'steps of the host')
    return [dict(counters.parse(part), memfree=int(re.search(r'^memfree (\d+)$', part, re.M)[1]))
            for part in parts]


def gone(step):
    """Return how many pages the guest has given back."""
    return step['pages_relinquished'] + step['np_pages_unshared']


def held(step):
    """Return how many pages the guest has."""
    return step['pages_donated'] + step['np_pages_shared'] - gone(step)


def freed(before, after):
    """Check that the host's free memory has grown by what the guest gave back; return the pages."""
    pages = held(before) - held(after)
    grown = after['memfree'] - before['memfree']
    if abs(grown - pages * PAGE // 1024) > SLACK:
        raise run.RunError(f'the guest has {pages} pages less, but the host has {grown} KiB more '
                           'free memory')
    return pages


def boot(guest, plan, commands, name):
    """Run a guest with a balloon, by a plan for the builtin "balloon" of the host's init.

    Return the result of the host's run, and the answers of the guest.
    """
    run_linux.check_built()
    shell = console.Shell(commands)
    guest.options = f'--balloon 0 --control {SOCKET}'
    limit, command = guest.job(',ro').split(' ', 1)
    tables = f'cat {run.SWEEP} {run.TABLES}'
    host = run_linux.boot([tables, f'{limit} balloon {SOCKET} {plan} {command}', 'cat /tmp/stats',
                           tables], guest, name, drive=[run_linux.ROOT + ',ro'],
                          dialog=shell, limit=guest.limit + 120)
    with run.with_console(host, f'build/log/{name}-{guest.host()}.log'):
        run.check_vm(host.jobs[2], host)
    return host, run_linux.answers(shell)


def session(cpu, name, protected):
    """Run a guest, and compare the memory that it gives back with the host's free memory."""
    guest = run_linux.Guest(cpu, 2, MEM, protected=protected, limit=600)
    plan = f'{ONCE}:{SMALL},{TWICE}:{LARGE},0:0,0:{SMALL}'
    host, said = boot(guest, plan, GUEST, name)
    reported, full, inflated, deflated = steps(host.jobs[2].output, 4)
    stats = counters.parse(host.jobs[3].output)

    # The guest has reported the memory of the first file as free.
    least = (FILE - MISSING) * MIB // PAGE
    expect(gone(reported) > least, True, f'more than {least} free pages reported')
    # The guest has removed the second file, whose memory came to the host by the balloon.
    pages = freed(full, inflated)
    print(f'# {name} {cpu}: {gone(reported)} pages came back as free pages were reported; a '
          f'balloon of {LARGE} MiB gave {pages} pages, and the host had '
          f'{inflated["memfree"] - full["memfree"]} KiB more')
    expect(pages > least, True, f'more than {least} pages came to the host')
    expect(inflated['balloon_bytes'], LARGE * MIB, 'bytes in the balloon')
    # After deflating, the guest gets memory only when it touches it.
    expect(abs(freed(inflated, deflated)) < least // 16, True, 'few pages move when it deflates')
    expect(deflated['balloon_bytes'], 0, 'bytes in the balloon at the end')
    expect(deflated['guest_free_bytes'] > inflated['guest_free_bytes'] + LARGE * MIB // 2, True,
           "the guest's statistics show what it got back")
    # The guest has written to the memory that it got back, and reads what it has written.
    text = (LINE + '\n').encode() * (DATA * MIB // (len(LINE) + 1))
    expect(said[GUEST[-1]].split()[0], hashlib.sha256(text).hexdigest(), "the guest's data")
    # The VMM has counted the same. It may count more pages that went into the balloon and out of
    # it, since a guest that is short of memory takes pages out while the balloon fills.
    expect(stats['balloon_bytes_inflated'] >= LARGE * MIB, True, f'at least {LARGE} MiB inflated')
    expect(stats['balloon_bytes_deflated'], stats['balloon_bytes_inflated'] - SMALL * MIB,
           'bytes that went out of the balloon')
    expect(stats['balloon_bytes_kept'], 0, 'bytes that the guest had not relinquished')
    expect(stats['balloon_bytes_reported'] > least * PAGE, True, 'bytes of free pages')
    run.same_tables(run.stage2.Dump(host.jobs[1].output), run.stage2.Dump(host.jobs[4].output))
    balanced(host)


def balloon(cpu):
    """The host gets all pages that a protected guest reports as free or puts into its balloon.

    The guest's data are right when it uses the memory again. At the end all pages have come back,
    and the host's stage-2 is as before.
    """
    session(cpu, 'system-balloon', True)


def balloon_np(cpu):
    """The same holds for a guest that is not protected."""
    session(cpu, 'system-balloon-np', False)


CHECKS = (balloon, balloon_np)
