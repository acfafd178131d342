"""Reading HTTP/1.1 answers (RFC 9112) off a byte stream, without any input or output of its own.

Strict: what is not exactly HTTP/1.1 is refused and never guessed at, for an answer that is read wrongly is a message that is
taken for sent.
"""

from __future__ import annotations

import re

import msgspec

HEAD_LIMIT = 65_536
"""Bytes of one head, and of the trailers."""
_LINE_LIMIT = 4096
"""Bytes of a chunk's size with its extensions, and of one trailer."""
_INTERIM = 16
"""1xx answers before the one that counts."""

_TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*+"
_FIELD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++:" + _TEXT + rb"\r\n")
_HEAD = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: " + _TEXT + rb")?\r\n(?:" + _FIELD.pattern + rb")*+")
_FRAMING = re.compile(rb"\n(content-length|transfer-encoding|connection):[ \t]*([^\r]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,12}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;" + _TEXT + rb")?")

_CHUNKED, _TO_THE_END = -1, -2


class BadAnswer(Exception):
    """What came is no HTTP/1.1 answer, is larger than allowed, or ended too early."""


class Answer(msgspec.Struct, frozen=True):
    """A whole answer; `head` is its status line and fields as they came, checked."""

    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """{name in lower case: value}; of a repeated name, the last."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-1]
        fields = (line.partition(":") for line in lines)
        return {name.lower(): value.strip(" \t") for name, _, value in fields}


class AnswerReader:
    """Reads the answers to requests that have a body to come back (no HEAD, no CONNECT), one after another.

    `limit` is of the body, in bytes. After an answer, `reusable` tells whether the connection is good for another request."""

    __slots__ = (
        "_body",
        "_buffer",
        "_chunk",
        "_head",
        "_interim",
        "_length",
        "_limit",
        "_seen",
        "_status",
        "_trailers",
        "reusable",
    )

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._restart()
        self.reusable = False

    def _restart(self) -> None:
        self._head: bytes | None = None
        self._status = 0
        self._length = 0
        self._seen = 0
        """How far the buffer has been searched for the end of the head."""
        self._interim = 0
        self._body = bytearray()
        self._chunk: int | None = None
        """The size of the chunk that is being read; None: its size is to come; 0: the trailers are."""
        self._trailers = 0

    def feed(self, data: bytes) -> Answer | None:
        """Take what came; an answer once it is whole. BadAnswer, after which nothing more may be fed."""
        self._buffer += data
        while self._head is None:
            if not self._read_head():
                return None
        if self._length >= 0:
            if len(self._buffer) < self._length:
                return None
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            return self._whole(body)
        if self._length == _CHUNKED:
            return self._whole(bytes(self._body)) if self._read_chunks() else None
        if len(self._buffer) > self._limit:
            raise BadAnswer("body too large")
        return None

    def end(self) -> Answer:
        """The connection has ended: the answer whose body had no other end. BadAnswer when there is none."""
        if self._head is None or self._length != _TO_THE_END:
            raise BadAnswer("ended inside the answer" if self._head or self._buffer else "ended before an answer")
        body = bytes(self._buffer)
        self._buffer.clear()
        return self._whole(body)

    def _whole(self, body: bytes) -> Answer:
        assert self._head is not None
        answer = Answer(self._status, self._head, body)
        if self._buffer:  # more than was asked for
            self.reusable = False
        self._restart()
        return answer

    # ------------------------------------------------------------------------------------------- head
    def _read_head(self) -> bool:
        """One head, off the buffer; False while it is incomplete. Interim answers (1xx) leave `_head` None."""
        end = self._buffer.find(b"\r\n\r\n", self._seen)
        if (len(self._buffer) - 3 if end < 0 else end) > HEAD_LIMIT:
            raise BadAnswer("head too large")
        if end < 0:
            self._seen = max(0, len(self._buffer) - 3)
            return False
        head = bytes(self._buffer[: end + 2])
        match = _HEAD.fullmatch(head)
        if match is None:
            raise BadAnswer("not an HTTP/1.1 answer")
        del self._buffer[: end + 4]
        self._seen = 0
        self._status = int(match[2])
        if self._status < 200:
            self._interim += 1
            if self._status == 101 or self._interim > _INTERIM:
                raise BadAnswer("switches protocols, or never answers")
            return True
        self._frame(head, match[1] == b"1")
        self._head = head
        return True

    def _frame(self, head: bytes, persistent: bool) -> None:
        """How the body ends, and whether the connection goes on: RFC 9112, 6.3 and 9.3. HTTP/1.0 has neither chunks nor that."""
        length = None
        chunked, close = False, not persistent
        for name, value in _FRAMING.findall(head):
            name, value = name.lower(), value.strip(b" \t").lower()
            if name == b"connection":
                close = close or b"close" in value
            elif name == b"content-length" and length is None and _LENGTH.fullmatch(value):
                length = int(value)
            elif name == b"transfer-encoding" and not chunked and persistent and value == b"chunked":
                chunked = True
            else:
                raise BadAnswer(f"{name.decode()}: repeated, or not understood")
        if chunked and length is not None:
            raise BadAnswer("two lengths")
        if self._status in (204, 304):
            chunked, length = False, 0
        if (length or 0) > self._limit:
            raise BadAnswer("body too large")
        self._length = _CHUNKED if chunked else _TO_THE_END if length is None else length
        self.reusable = not close and self._length != _TO_THE_END

    # ------------------------------------------------------------------------------------------- chunks
    def _read_chunks(self) -> bool:
        """Move whole chunks from the buffer to the body; True when the last one and the trailers are in."""
        while self._chunk != 0:
            if self._chunk is None:
                line = self._line()
                if line is None:
                    return False
                match = _CHUNK.fullmatch(line)
                if match is None:
                    raise BadAnswer("not a chunk's size")
                self._chunk = int(match[1], 16)
                if len(self._body) + self._chunk > self._limit:
                    raise BadAnswer("body too large")
            else:
                if len(self._buffer) < self._chunk + 2:
                    return False
                if self._buffer[self._chunk : self._chunk + 2] != b"\r\n":
                    raise BadAnswer("a chunk longer than its size")
                self._body += self._buffer[: self._chunk]
                del self._buffer[: self._chunk + 2]
                self._chunk = None
        while (line := self._line()) is not None:
            if not line:
                return True
            self._trailers += len(line)
            if self._trailers > HEAD_LIMIT or not _FIELD.fullmatch(line + b"\r\n"):
                raise BadAnswer("not trailers, or too large")
        return False

    def _line(self) -> bytes | None:
        """One line off the buffer, without its end; None while it is incomplete."""
        end = self._buffer.find(b"\r\n", 0, _LINE_LIMIT + 2)
        if end < 0:
            if len(self._buffer) > _LINE_LIMIT + 1:
                raise BadAnswer("line too long")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line
