# SPDX-License-Identifier: GPL-2.0-only
"""The host's counters of protected VMs, and the rule over them: what was given came back.

Whoever runs VMs shows the counters before and after, and holds them against each other here.
"""

import re

FILE = '/sys/kernel/debug/kvm/pkvm_stats'


class Unbalanced(Exception):
    """What did not come back, or was never counted."""


def parse(text):
    """Lines "key value" as a dictionary."""
    return {key: int(value) for key, value in re.findall(r'^(\w+) (\d+)$', text, re.M)}


def pages_returned(gained):
    """How many pages came back, in each of the ways that there are."""
    return (gained['pages_reclaimed_private'] + gained['pages_reclaimed_shared'] +
            gained['pages_relinquished'])


def gained(before, after):
    """What two shows of the counters, as text, differ by. Every page and every VM is gone again."""
    first, last = parse(before), parse(after)
    if not last:
        raise Unbalanced(f'the host shows no counters: {after.strip()}')
    change = {key: last[key] - first.get(key, 0) for key in last}
    check(change)
    return change


def check(change):
    """Hold what the counters gained against each other."""
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
