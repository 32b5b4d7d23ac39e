# SPDX-License-Identifier: GPL-2.0-only
"""kunit.py --qemu_config: a protected host on the second CPU, which has SVE and FWB.

Its VHE stays unused: QEMU models it right only from version 10 on.
"""

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(
    linux_arch='arm64',
    kconfig='''
CONFIG_SERIAL_AMBA_PL011=y
CONFIG_SERIAL_AMBA_PL011_CONSOLE=y''',
    qemu_arch='aarch64',
    kernel_path='arch/arm64/boot/Image',
    kernel_command_line='console=ttyAMA0 kvm-arm.mode=protected arm64_sw.hvhe=0 id_aa64mmfr1.vh=0',
    extra_qemu_params=['-machine', 'virt,virtualization=on,gic-version=3',
                       '-cpu', 'max,lpa2=off,pauth-impdef=on', '-smp', '2', '-m', '4096'])
