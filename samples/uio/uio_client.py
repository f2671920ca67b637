#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A program to copy from. It shows the ticks of the sample driver, and survives its unplug:

    uio_client.py /dev/uio0

A touch of memory that is gone raises SIGBUS, which a program in Python can't survive. So it
lets the kernel touch the memory: it writes the memory to a pipe. If the memory is gone, this
fails with EFAULT.
"""

import errno
import fcntl
import mmap
import os
import struct
import sys

# as in <linux/uio_device.h>; 0x80047550 on Alpha, MIPS, PA-RISC, PowerPC and SPARC
UIO_IOC_REVOKE = 0x40047550


class Device:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        # region N is at offset N * page size
        self.memory = mmap.mmap(self.fd, mmap.PAGESIZE, access=mmap.ACCESS_READ)
        self.from_pipe, self.to_pipe = os.pipe()

    def has_late_release(self):
        """Is there UIO_IOC_REVOKE? With the argument 1, it does nothing."""
        try:
            fcntl.ioctl(self.fd, UIO_IOC_REVOKE, 1)
        except OSError as error:
            return error.errno == errno.EINVAL
        return False

    def enable(self):
        """Some drivers disable the interrupt with each event. ENOSYS: this driver never does."""
        try:
            os.write(self.fd, struct.pack("=i", 1))
        except OSError as error:
            if error.errno != errno.ENOSYS:
                raise

    def wait(self):
        """Wait for an event, and return the count. A read of another size fails with EINVAL."""
        return struct.unpack("=i", os.read(self.fd, 4))[0]

    def peek(self, offset, size):
        """Up to 64 KiB of the memory. A slice of the mmap, not of the view, would touch it."""
        with memoryview(self.memory) as view, view[offset:offset + size] as part:
            return os.read(self.from_pipe, os.write(self.to_pipe, part))

    def close(self):
        # mmap has a copy of the descriptor: both keep the device
        self.memory.close()
        for fd in self.fd, self.from_pipe, self.to_pipe:
            os.close(fd)


def follow(device):
    while True:
        device.enable()
        events = device.wait()
        ticks = struct.unpack("=I", device.peek(0, 4))[0]
        print(f"{events} events, {ticks} ticks", flush=True)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: uio_client.py /dev/uioN")
    device = Device(sys.argv[1])
    print("late release:", "yes" if device.has_late_release() else "no", flush=True)
    try:
        follow(device)
    except OSError as error:
        if error.errno not in (errno.EIO, errno.EFAULT):
            raise
    device.close()
    print("the device has gone")


main()
