"""Requests with broken chunks."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpora.messages import LAST, SMUGGLED, HostileRequest, chunked


def chunked_bodies() -> Iterator[HostileRequest]:
    """Broken chunks, extensions and trailers."""
    sizes = {
        "no size": b"",
        "plus sign": b"+5",
        "minus sign": b"-5",
        "hexadecimal prefix": b"0x5",
        "space before": b" 5",
        "tab before": b"\t5",
        "space after": b"5 ",
        "tab after": b"5\t",
        "letter g": b"g",
        "digits, then a letter": b"5z",
        "underscore": b"5_",
        "decimal point": b"5.0",
        "comma": b"5,5",
        "two sizes": b"5 5",
        "quoted": b'"5"',
        "17 digits": b"00000000000000005",
        "overflow of 64 bits": b"10000000000000005",
        "100 digits": b"f" * 100,
        "1,000 zeros": b"0" * 1000 + b"5",
        "minus one": b"-1",
        "NUL": b"5\x00",
        "vertical tab": b"5\x0b",
        "full-width digit": b"\xef\xbc\x95",
        "superscript digit": b"\xb2",
        "bare CR after": b"5\r",
    }
    for name, size in sizes.items():
        data = chunked(size + b"\r\nhello\r\n" + LAST)
        yield HostileRequest(f"chunk size: {name}", data, 400, "RFC 9112 §7.1")
    extensions = {
        "bare LF": b";a\nb",
        "bare LF, then a chunk": b";\n5\r\nhello\r\n0\r\n\r\n",
        "bare CR": b";a\rb",
        "NUL": b";a=\x00",
        "delete": b";a=\x7f",
        "vertical tab": b"\x0b;a",
        "no name": b";",
        "no name but a value": b";=b",
        "two semicolons": b";;a",
        "no value": b";a=",
        "open quote": b';a="b',
        "text after a quoted value": b';a="b"c',
        "space in the name": b";a b",
        "comma": b",a",
        "20,000 octets": b";" + b"a" * 20_000,
    }
    for name, extension in extensions.items():
        data = chunked(b"5" + extension + b"\r\nhello\r\n" + LAST)
        yield HostileRequest(f"chunk extension: {name}", data, 400, "RFC 9112 §7.1.1")
    yield HostileRequest(
        "chunk extension: 20,000 octets in small pieces",
        chunked(b"1;a=bcdefghi\r\nx\r\n" * 2000 + LAST),
        400,
        "RFC 9112 §7.1.1",
    )
    bodies = {
        "size ends in LF": b"5\nhello\r\n" + LAST,
        "size ends in CR": b"5\rhello\r\n" + LAST,
        "data ends in LF": b"5\r\nhello\n" + LAST,
        "data ends in CR": b"5\r\nhello\r" + LAST,
        "data ends in CR and another octet": b"5\r\nhello\rX" + LAST,
        "data ends in LF CR": b"5\r\nhello\n\r" + LAST,
        "data without an end": b"5\r\nhello" + LAST,
        "data longer than announced": b"5\r\nhello!\r\n" + LAST,
        "data shorter than announced": b"5\r\nhell\r\n" + LAST,
        "blank line between chunks": b"5\r\nhello\r\n\r\n" + LAST,
        "blank line before the first chunk": b"\r\n5\r\nhello\r\n" + LAST,
        "last chunk ends in LF": b"5\r\nhello\r\n0\n\r\n",
        "last chunk and blank line end in LF": b"5\r\nhello\r\n0\n\n",
        "blank line is a bare LF": b"5\r\nhello\r\n0\r\n\n",
        "no coding at all": b"hello, this is no chunk\r\n\r\n",
        "a request where a chunk should be": SMUGGLED,
        "two CRs after a size": b"5\r\r\nhello\r\n" + LAST,
    }
    for name, body in bodies.items():
        yield HostileRequest(f"chunked: {name}", chunked(body), 400, "RFC 9112 §7.1, §2.2")
    trailers = {
        "no colon": b"X",
        "empty name": b": y",
        "space before the colon": b"X : y",
        "folded": b"X: y\r\n z",
        "space first": b" X: y",
        "NUL": b"X: \x00",
        "bare LF": b"X: a\nY: b",
        "bare CR": b"X: a\rY: b",
        "request line": b"GET /smuggled HTTP/1.1\r\nHost: a",
        "name is no token": b"X(): y",
    }
    for name, lines in trailers.items():
        yield HostileRequest(
            f"trailer: {name}", chunked(b"5\r\nhello\r\n0\r\n" + lines + b"\r\n\r\n"), 400, "RFC 9112 §7.1.2, §5"
        )
    for name, lines in {"101 fields": b"X: y\r\n" * 101, "17,000 octets": b"X: " + b"y" * 17_000 + b"\r\n"}.items():
        yield HostileRequest(
            f"trailer: {name}", chunked(b"5\r\nhello\r\n0\r\n" + lines + b"\r\n"), 431, "RFC 9112 §7.1.2; RFC 6585 §5"
        )
