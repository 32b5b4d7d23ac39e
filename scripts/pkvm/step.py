#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""step.py WHAT LOG COMMAND...: run one step of a build and print one line about it.

The command's output goes to LOG. While the step runs, the script prints every 15 seconds how long
the log is and its last line. If the step fails, the script prints the first error in the log and
the end of the log. After a step of more than 15 seconds it prints the step's time. The exit status
is that of the command.
"""

import re
import resource
import subprocess
import sys
import time

INTERVAL = 15
ERROR = re.compile(r'(error:|\*\*\*|Error \d+|undefined reference|FAILED|not found)')


def main():
    what, log = sys.argv[1:3]
    command = sys.argv[3:]
    print(f'  {what}', flush=True)
    start = time.monotonic()
    with open(log, 'wb') as output:
        # The command inherits all open files, since one of them is make's job server.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, close_fds=False)
        while True:
            try:
                status = process.wait(timeout=INTERVAL)
                break
            except subprocess.TimeoutExpired:
                with open(log, 'rb') as sofar:
                    lines = sofar.read().splitlines()
                last = lines[-1].decode(errors='replace').strip() if lines else ''
                print(f'          {time.monotonic() - start:4.0f} s, {len(lines)} lines: '
                      f'{last[:60]}', flush=True)
    if status:
        with open(log, errors='replace') as output:
            lines = output.read().splitlines()
        first = next((line for line in lines if ERROR.search(line)), None)
        print(f'--- the end of {log}:', *('    ' + line for line in lines[-15:]),
              sep='\n', file=sys.stderr)
        print(f'step.py: error: {what} failed with status {status}'
              + (f': {first.strip()}' if first else ''), file=sys.stderr)
    seconds = time.monotonic() - start
    if seconds > INTERVAL:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f'  {what}: {used.ru_utime + used.ru_stime:.0f} s of CPU in {seconds:.0f} s',
              flush=True)
    return 1 if status < 0 else status


if __name__ == '__main__':
    sys.exit(main())
