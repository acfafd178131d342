"""A voice note as WhatsApp plays it: Opus in an Ogg stream. Some browsers record the same Opus inside WebM; it is only packed
anew here, not encoded.

Sources: RFC 3533 (Ogg), RFC 7845 (Opus in Ogg), RFC 6716 section 3.1 (an Opus packet's length), RFC 8794 (EBML) and the
Matroska element registry (RFC 9559).
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack

_SEGMENT, _CLUSTER, _TRACKS, _TRACK, _PRIVATE, _CODEC = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0x63A2, 0x86
_GROUP, _BLOCK, _SIMPLE = 0xA0, 0xA1, 0xA3
_MASTERS = (_SEGMENT, _CLUSTER, _TRACKS, _TRACK, _GROUP)
_SERIAL = 0x4D6F7374
_PER_PAGE = 25
"""Packets a page, so that the largest fit too."""


class NotRecorded(ValueError):
    """Not a WebM with one Opus track."""


def is_webm(content: bytes) -> bool:
    return content.startswith(b"\x1a\x45\xdf\xa3")


def to_ogg(webm: bytes) -> bytes:
    """The Opus packets of a WebM in an Ogg stream. NotRecorded."""
    head, packets = b"", []
    try:
        for element, body in _elements(memoryview(webm), 0, len(webm)):
            if element == _CODEC and bytes(body) != b"A_OPUS":
                raise NotRecorded("not Opus")
            if element == _PRIVATE:
                head = bytes(body)
            elif element in (_SIMPLE, _BLOCK):
                packets.append(_packet(body))
    except IndexError as error:
        raise NotRecorded("cut off") from error
    if not head.startswith(b"OpusHead") or not packets:
        raise NotRecorded("no sound")
    return _ogg(head, packets)


def _elements(data: memoryview, at: int, end: int) -> Iterator[tuple[int, memoryview]]:
    """All elements with their content, those inside others too. One of unknown size goes on to the end of what it is in: what a
    browser streams is flat enough for that."""
    while at < end:
        element, at = _number(data, at, keep=True)
        size, at = _number(data, at, keep=False)
        stop = end if size < 0 else min(at + size, end)
        if element in _MASTERS:
            yield from _elements(data, at, stop)
        else:
            yield element, data[at:stop]
        at = stop


def _number(data: memoryview, at: int, *, keep: bool) -> tuple[int, int]:
    """A variable-length number, with its length's mark where `keep`; -1 for the size that says "unknown"."""
    first = data[at]
    length = 9 - first.bit_length()
    if length > 8 or at + length > len(data):
        raise NotRecorded("cut off")
    value = int.from_bytes(data[at : at + length])
    if not keep:
        value &= (1 << 7 * length) - 1
        if value == (1 << 7 * length) - 1:
            value = -1
    return value, at + length


def _packet(block: memoryview) -> bytes:
    """The one frame of a block; browsers lace none."""
    _, at = _number(block, 0, keep=False)
    if block[at + 2] & 0x06:
        raise NotRecorded("laced")
    return bytes(block[at + 3 :])


def _samples(packet: bytes) -> int:
    """How long a packet sounds, in samples of 1/48000 s."""
    if not packet:
        return 0
    config = packet[0] >> 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config % 4]
    elif config < 16:
        frame = (480, 960)[config % 2]
    else:
        frame = (120, 240, 480, 960)[config % 4]
    code = packet[0] & 3
    frames = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 0)[code]
    return frame * frames


def _ogg(head: bytes, packets: list[bytes]) -> bytes:
    vendor = b"Mostrador"
    tags = b"OpusTags" + pack("<I", len(vendor)) + vendor + pack("<I", 0)
    pages = [_page([head], 0, 0, first=True), _page([tags], 0, 1)]
    position = 0
    for start in range(0, len(packets), _PER_PAGE):
        part = packets[start : start + _PER_PAGE]
        position += sum(map(_samples, part))
        pages.append(_page(part, position, len(pages), last=start + _PER_PAGE >= len(packets)))
    return b"".join(pages)


def _page(packets: list[bytes], position: int, number: int, *, first: bool = False, last: bool = False) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    if len(lacing) > 255:
        raise NotRecorded("too much for a page")
    flags = 2 * first + 4 * last
    start = pack("<4sBBQII", b"OggS", 0, flags, position, _SERIAL, number)
    rest = bytes([len(lacing)]) + lacing + b"".join(packets)
    return start + pack("<I", _checksum(start + b"\0\0\0\0" + rest)) + rest


def _table() -> tuple[int, ...]:
    """Of the CRC that Ogg uses: polynomial 0x04C11DB7, neither reflected nor inverted."""
    table = []
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
        table.append(crc)
    return tuple(table)


_TABLE = _table()


def _checksum(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return crc
