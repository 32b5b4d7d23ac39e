# SPDX-License-Identifier: GPL-2.0-only
"""Check the host's counters of protected VMs: everything that it donated has come back.

A script that runs VMs on a host puts its jobs into around(), and asks over() what the counters
have gained.
"""

import re

FILE = '/sys/kernel/debug/kvm/pkvm_stats'
SHOW = f'cat {FILE}'


class Unbalanced(Exception):
    """Something did not come back, or the counters are missing."""


def parse(text):
    """Return the lines "key value" of a text as a dictionary."""
    return {key: int(value) for key, value in re.findall(r'^(\w+) (\d+)$', text, re.M)}


def pages_returned(gained):
    """Return how many pages came back: reclaimed or relinquished."""
    return (gained['pages_reclaimed_private'] + gained['pages_reclaimed_shared'] +
            gained['pages_relinquished'])


def gained(before, after):
    """Return the differences between two printouts of the counters, and check them.

    Raises Unbalanced unless all VMs are destroyed and all their pages have come back.
    """
    first, last = parse(before), parse(after)
    if not last:
        raise Unbalanced(f'the host printed no counters: {after.strip()}')
    change = {key: last[key] - first.get(key, 0) for key in last}
    check(change)
    return change


def check(change):
    """Raise Unbalanced unless as many pages and VMs went as came, by the counters' increases."""
    try:
        for what, given, back in (
                ('pages were donated, {} came back', change['pages_donated'],
                 pages_returned(change)),
                ('pages were given to the hypervisor, {} came back',
                 change['metadata_pages_donated'], change['metadata_pages_returned']),
                ('VMs were created, {} destroyed', change['vms_created'],
                 change['vms_destroyed'])):
            if given != back:
                raise Unbalanced(f'{given} {what.format(back)}')
    except KeyError as missing:
        raise Unbalanced(f'{FILE} has no {missing}') from None


def around(jobs):
    """Return the jobs with one before them and one after them that print the counters."""
    return [SHOW, *jobs, SHOW]


def over(host):
    """Return what the counters gained over a run of around(), as gained() does."""
    return gained(host.jobs[0].output, host.jobs[-1].output)
