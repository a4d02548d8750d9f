"""Small pictures for a page that stands alone: PNG with a palette, by the standard library.

The format is that of the W3C's recommendation (PNG, third edition), sections 5 and 11.
"""

import base64
import struct
import zlib
from collections.abc import Sequence

Colour = tuple[int, int, int]
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def indexed_png(rows: Sequence[bytes], palette: Sequence[Colour]) -> bytes:
    """A picture of rows of equal length, a byte a pixel: its place in `palette`.

    The first colour of the palette is transparent. Raises ValueError where rows differ in length,
    there is none, or the palette has more than 256 colours.
    """
    if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        raise ValueError("a picture has rows, all of one length")
    if not 1 <= len(palette) <= 256:
        raise ValueError(f"{len(palette)} colours: a palette has 1 to 256")
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    pixels = b"".join(b"\0" + row for row in rows)  # each row unfiltered
    return _SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", bytes(part for colour in palette for part in colour)),
            _chunk(b"tRNS", b"\0"),
            _chunk(b"IDAT", zlib.compress(pixels, 9)),
            _chunk(b"IEND", b""),
        )
    )


def data_uri(png: bytes) -> str:
    """The picture as an address that is the picture itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
