from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.http_answer import HEAD_LIMIT, Answer, AnswerReader, BadAnswer

LIMIT = 1000
SHORT = b"HTTP/1.1 204\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def whole_and_each(stream: bytes) -> tuple[Iterable[bytes], Iterable[bytes]]:
    """The stream in one piece, and byte by byte."""
    return [stream], (stream[at : at + 1] for at in range(len(stream)))


def read(pieces: Iterable[bytes], *, ended: bool = False) -> tuple[Answer | None, bool]:
    """The answer, and whether the connection may go on."""
    reader = AnswerReader(LIMIT)
    for piece in pieces:
        if (answer := reader.feed(piece)) is not None:
            return answer, reader.reusable
    return (reader.end() if ended else None), reader.reusable


def parts(answer: Answer | None) -> tuple[int, dict[str, str], bytes] | None:
    return None if answer is None else (answer.status, answer.headers, answer.body)


@pytest.mark.parametrize(
    ("stream", "status", "body", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", True),
        (b"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 400 No\xf1 \t!\r\nX:\r\nCONTENT-LENGTH: \t1\t \r\n\r\nx", 400, b"x", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n", 304, b"", True),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: X, Close\r\nContent-Length: 1\r\n\r\nx", 200, b"x", False),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, b"x", True),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, b"x", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx and more", 200, b"x", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked \r\n\r\n00A;n=v\r\n0123456789\r\n1 ;x\r\n.\r\n0;e\r\nT: 1\r\n\r\n", 200,
         b"0123456789.", True),
    ],
)  # fmt: skip
def test_answers(stream: bytes, status: int, body: bytes, reusable: bool) -> None:
    whole, each = whole_and_each(stream)
    answer, goes_on = read(whole)
    assert answer is not None
    assert (answer.status, answer.body, goes_on) == (status, body, reusable)
    assert read(each)[0] == answer


@pytest.mark.parametrize("most", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: %b\r\n\r\n", b"HTTP/1.1 100 %b\r\n\r\n" + SHORT])
def test_the_largest_head(most: bytes) -> None:
    room = HEAD_LIMIT - most.index(b"\r\n\r\n") + 2
    for pieces in whole_and_each(most % (b"x" * room)):
        assert read(pieces)[0] is not None
    for pieces in whole_and_each(most % (b"x" * (room + 1))):
        with pytest.raises(BadAnswer, match="too large"):
            read(pieces)


def test_a_short_head_behind_a_long_one() -> None:
    answer, _ = read([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r", b"\n" + SHORT])
    assert answer is not None
    assert answer.status == 204


def test_the_longest_line() -> None:
    line = CHUNKED + b"1;%b\r\nx\r\n0\r\n\r\n"
    for pieces in whole_and_each(line % (b"x" * 4094)):
        assert read(pieces)[0] is not None
    for pieces in whole_and_each(line % (b"x" * 4095)):
        with pytest.raises(BadAnswer, match="too long"):
            read(pieces)


def test_headers() -> None:
    answer, _ = read([b"HTTP/1.1 429 Slow\r\nRetry-After: 7 \r\nA:1\r\na: \xe9:2\r\nContent-Length: 0\r\n\r\n"])
    assert parts(answer) == (429, {"retry-after": "7", "a": "é:2", "content-length": "0"}, b"")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 500 No\r\nA: b\r\n\r\n"])
def test_a_body_to_the_end(head: bytes) -> None:
    assert read([head, b"half"]) == (None, False)
    answer, reusable = read([head, b"half", b" whole"], ended=True)
    assert answer is not None
    assert (answer.body, reusable) == (b"half whole", False)


BAD = [
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.2 200 OK\r\n\r\n",
    b"http/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 099 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 O\rK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA : 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: 1\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 17,
    b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
    b"HTTP/1.1 200 OK\r\nA: " + b"x" * HEAD_LIMIT,
    CHUNKED + b"x\r\n",
    CHUNKED + b"\r\n",
    CHUNKED + b"-1\r\n",
    CHUNKED + b"0x1\r\n",
    CHUNKED + b"1;\x00\r\n",
    CHUNKED + b"1\r\nxx\r\n",
    CHUNKED + b"3e9\r\n",
    CHUNKED + b"123456789\r\n",
    CHUNKED + b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\n",
    CHUNKED + b"1;" + b"x" * 5000,
    CHUNKED + b"0\r\nno trailer\r\n",
    CHUNKED + b"0\r\n" + b"A: " + b"x" * 5000,
    CHUNKED + b"0\r\n" + (b"A: " + b"x" * 4000 + b"\r\n") * 17,
]


@pytest.mark.parametrize("stream", BAD)
def test_what_is_no_answer(stream: bytes) -> None:
    for pieces in whole_and_each(stream):
        with pytest.raises(BadAnswer):
            read(pieces)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
        CHUNKED,
        CHUNKED + b"2\r\n{}",
        CHUNKED + b"2\r\n{}\r\n0\r\n",
    ],
)
def test_half_an_answer(stream: bytes) -> None:
    assert read([stream])[0] is None
    with pytest.raises(BadAnswer):
        read([stream], ended=True)


# ------------------------------------------------------------------------------------------- any answer, in any pieces
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9)
FIELDS = st.lists(st.tuples(st.from_regex(r"x-[a-z0-9!#$%&'*+.^_`|~-]{1,9}", fullmatch=True), TEXT), max_size=4)
CUTS = st.lists(st.integers(1, 40), max_size=60)


def lines(fields: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode()


def cut(stream: bytes, sizes: list[int]) -> Iterable[bytes]:
    for size in sizes:
        yield stream[:size]
        stream = stream[size:]
    yield stream


@given(
    st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    FIELDS,
    st.lists(st.tuples(st.binary(min_size=1, max_size=50), TEXT, st.booleans()), max_size=6),
    FIELDS,
    st.booleans(),
    st.integers(0, 3),
    CUTS,
)
def test_any_answer_in_any_pieces(
    status: int,
    fields: list[tuple[str, str]],
    chunks: list[tuple[bytes, str, bool]],
    trailers: list[tuple[str, str]],
    chunked: bool,
    interim: int,
    sizes: list[int],
) -> None:
    body = b"".join(chunk for chunk, _, _ in chunks)
    framing = [("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))]
    stream = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * interim
    stream += b"HTTP/1.1 %d Any\r\n" % status + lines(fields + framing) + b"\r\n"
    if chunked:
        for chunk, extension, upper in chunks:
            size = f"{len(chunk):X}" if upper else f"{len(chunk):03x}"
            stream += f"{size};{extension}\r\n".encode() + chunk + b"\r\n"
        stream += b"0\r\n" + lines(trailers) + b"\r\n"
    else:
        stream += body
    reader = AnswerReader(LIMIT)
    for _ in range(2):  # the second on the same connection
        answers = [reader.feed(piece) for piece in cut(stream, sizes) if piece]
        assert answers[:-1] == [None] * (len(answers) - 1)
        assert parts(answers[-1]) == (status, dict(fields) | {name.lower(): value for name, value in framing}, body)
        assert reader.reusable


def outcome(pieces: Iterable[bytes]) -> object:
    try:
        return parts(read(pieces, ended=True)[0])
    except BadAnswer:
        return BadAnswer


WORDS = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"),
        *(
            b"A: b\r\n",
            b"Connection: close\r\n",
            b"\r\n",
            b"\n",
            b"\r",
            b"abc",
            b"3",
            b"3\r\nabc\r\n",
            b"0\r\n",
            b";",
            b" ",
            b"\0",
        ),
    ]
)


@given(st.lists(WORDS | st.binary(max_size=3), max_size=14).map(b"".join), st.booleans(), CUTS)
def test_any_bytes_are_read_the_same_in_any_pieces(stream: bytes, started: bool, sizes: list[int]) -> None:
    stream = b"HTTP/1.1 200 OK\r\n" * started + stream
    assert outcome([stream]) == outcome(cut(stream, sizes))
