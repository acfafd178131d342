"""Voice notes: Opus is taken out of WebM and packed into Ogg, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.attachments import WrongFile, attachment
from bot.voice import NotRecorded, _checksum, to_ogg

VOICE = Path(__file__).parents[2] / "bot" / "simulator" / "static" / "voice.ogg"
HEAD = b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00"
UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def element(name: str, *parts: bytes, size: bytes = b"") -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(name) + (size or (len(body) | 0x10000000).to_bytes(4)) + body


def webm(packets: list[bytes], codec: bytes = b"A_OPUS", head: bytes = HEAD) -> bytes:
    """As a browser streams it: segment and clusters of unknown size."""
    track = element("1654AE6B", element("AE", element("86", codec), element("63A2", head)))
    blocks = [element("A3", b"\x81\x00\x00\x80", packet) for packet in packets]
    half = len(blocks) // 2
    clusters = [element("1F43B675", element("E7", b"\0"), *part, size=UNKNOWN) for part in (blocks[:half], blocks[half:])]
    return element("1A45DFA3", element("4282", b"webm")) + element("18538067", track, *clusters, size=UNKNOWN)


def pages(ogg: bytes) -> list[tuple[int, int, list[bytes]]]:
    """(flags, position, packets) of each page; no packet of ours goes over a page's end."""
    found, at = [], 0
    while at < len(ogg):
        count = ogg[at + 26]
        lacing, start = ogg[at + 27 : at + 27 + count], at + 27 + count
        packets, size = [], 0
        for value in lacing:
            size += value
            if value < 255:
                packets.append(ogg[start : start + size])
                start, size = start + size, 0
        whole = ogg[at : at + 22] + b"\0\0\0\0" + ogg[at + 26 : start]
        assert int.from_bytes(ogg[at + 22 : at + 26], "little") == _checksum(whole)
        found.append((ogg[at + 5], int.from_bytes(ogg[at + 6 : at + 14], "little"), packets))
        at = start
    return found


def test_the_checksum_is_that_of_a_real_file() -> None:
    real = pages(VOICE.read_bytes())
    assert real[0][2][0].startswith(b"OpusHead")


def test_the_packets_come_out_as_they_went_in() -> None:
    packets = [bytes([0x78, number % 256]) + b"x" * (number * 7 % 700) for number in range(60)]  # 20 ms each
    found = pages(to_ogg(webm(packets)))
    assert [packet for _, _, some in found[2:] for packet in some] == packets
    assert found[0][:2] == (2, 0)
    assert found[0][2] == [HEAD]
    assert found[-1][:2] == (4, 60 * 960)
    assert [flags for flags, _, _ in found[1:-1]] == [0] * (len(found) - 2)


@pytest.mark.parametrize(
    "broken",
    [b"", webm([]), webm([b"x"], codec=b"A_VORBIS"), webm([b"x"], head=b""), webm([b"x"])[:45], b"\x1a\x45\xdf\xa3" + b"\0" * 40],
)
def test_what_is_no_recording_is_refused(broken: bytes) -> None:
    with pytest.raises(NotRecorded):
        to_ogg(broken)


def test_a_recording_becomes_an_attachment() -> None:
    found = attachment(webm([b"\x78x"]), "nota.webm", "audio/webm")
    assert (found.kind, found.mime, found.name) == ("audio", "audio/ogg", "nota.ogg")
    with pytest.raises(WrongFile):
        attachment(webm([]), "nota.webm", "audio/webm")
