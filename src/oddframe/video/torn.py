"""Whether a file holds a whole picture: frames and masks that decode in part are neither.

Decoders differ in what they make of half a file, so whether it is whole is looked up in it first.
"""

from __future__ import annotations

import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


def is_torn(content: bytes) -> bool:
    """Whether the content of a png, jpg or bmp ends before its picture does, or has zeros in place of its end.

    False where that is not known, as of every other format.
    """
    if content.startswith(b"\xff\xd8"):
        return _is_torn_jpeg(content)
    if content.startswith(_PNG):
        return _is_torn_png(content)
    return content.startswith(b"BM") and _is_torn_bmp(content)


def _is_torn_jpeg(content: bytes) -> bool:
    place = 2
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return False  # no marker where one must be: the decoder knows more
        marker = content[place + 1]
        if marker == 0xDA:
            # In the picture's data 0xFF is never followed by 0xD9. A thumbnail in the header has an end of its own.
            return content.find(b"\xff\xd9", place) < 0
        if marker == 0xFF:
            place += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return True


def _is_torn_png(content: bytes) -> bool:
    place = len(_PNG)
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind, end = content[place + 4 : place + 8], place + 12 + length
        if end > len(content):
            return True
        if kind in (b"IHDR", b"PLTE", b"IDAT"):
            stated = int.from_bytes(content[end - 4 : end], "big")
            if zlib.crc32(memoryview(content)[place + 4 : end - 4]) != stated:
                return True
        if kind == b"IEND":
            return False
        place = end
    return True


def _is_torn_bmp(content: bytes) -> bool:
    def number(place: int, length: int = 4) -> int:
        return int.from_bytes(content[place : place + length], "little", signed=True)

    if len(content) < 54:
        return True
    start, header, width, height = number(10), number(14), number(18), number(22)
    bits, compressed = number(28, 2), number(30)
    if header < 40 or compressed not in (0, 3):
        return False
    return start + (width * bits + 31) // 32 * 4 * abs(height) > len(content)
