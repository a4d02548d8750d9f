"""Where the director's image is, the small machine of `lab --kernel qemu`, and what makes it."""

import os
from pathlib import Path

from ipvsload.shipped_files import checkout
from ipvsload.user_files import user_data

IMAGE = "IPVSLOAD_IMAGE"
"""Names a directory with another image than the usual one."""
SUITE = "trixie"
"""The release of Debian in the usual image."""
ARCHITECTURES = ("amd64", "arm64")
"""For which there is an image, as Debian calls them."""
FILES = ("vmlinuz", "initrd.img", "root.squashfs")
"""What the lab boots."""
NO_HOME = "this user has no home directory: name a directory for images in XDG_DATA_HOME"


def images() -> Path | None:
    """The directory of images: of the checkout or of the user. None for a user without a home."""
    if root := checkout():
        return root / "build"
    data = user_data()
    return data and data / "images"


def image() -> Path | None:
    """The directory of the image that the lab takes; it need not exist.

    None for a user without a home who names none in IPVSLOAD_IMAGE.
    """
    if named := os.environ.get(IMAGE):
        return Path(named).absolute()
    place = images()
    return place and place / f"iso-{SUITE}"


def how_to_build() -> str:
    """The command that makes it, for where this ipvsload runs from."""
    return "make iso" if checkout() else "ipvsload iso build"
