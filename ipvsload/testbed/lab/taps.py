"""Taps: network cards of a virtual machine, as descriptors.

What is written to a tap's descriptor arrives at its network link, and the other
way round. A tap goes away when its last descriptor is closed.
"""

import fcntl
import os
import struct

DEVICE = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
# include/uapi/linux/if_tun.h. With the header of virtio in front of each frame,
# checksums and the cutting of long segments are left to the receiver, if it needs them.
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


def missing() -> str | None:
    """Why this user can have no tap, or None."""
    if os.access(DEVICE, os.R_OK | os.W_OK):
        return None
    if not os.path.exists(DEVICE):
        return f"no {DEVICE}; load it with: modprobe tun"
    return f"no right to {DEVICE}; permit it with: chmod 666 {DEVICE}"


def open_tap(link: str) -> int:
    """Make the tap `link` in the network namespace that the caller is in. Raises OSError."""
    descriptor = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", link.encode(), flags))
    except OSError as error:
        os.close(descriptor)
        raise OSError(error.errno, f"tap {link}: {error.strerror}") from error
    return descriptor
