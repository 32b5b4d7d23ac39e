# SPDX-License-Identifier: GPL-2.0-only
"""kunit.py --qemu_config: a protected host.

It is on a CPU without VHE; --qemu_args='-cpu max' puts it on another. What is in the
environment as PKVM_KERNEL_ARGS overrides what kvm-arm.mode implies.
"""

import os

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(
    linux_arch='arm64',
    kconfig='''
CONFIG_SERIAL_AMBA_PL011=y
CONFIG_SERIAL_AMBA_PL011_CONSOLE=y''',
    qemu_arch='aarch64',
    kernel_path='arch/arm64/boot/Image',
    kernel_command_line='console=ttyAMA0 kvm-arm.mode=protected ' +
                        os.environ.get('PKVM_KERNEL_ARGS', ''),
    extra_qemu_params=['-machine', 'virt,virtualization=on,gic-version=3',
                       '-cpu', 'cortex-a57', '-smp', '2', '-m', '4096'])
