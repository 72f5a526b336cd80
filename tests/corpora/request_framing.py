"""Requests that hide where their content ends."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpora.messages import LAST, SMUGGLED, HostileRequest, post, request


def content_lengths() -> Iterator[HostileRequest]:
    """Content-Length that is no number, or several."""
    values = {
        "plus sign": b"+5",
        "minus sign": b"-5",
        "minus zero": b"-0",
        "hexadecimal": b"0x5",
        "octal prefix": b"0o5",
        "list of equal": b"5,5",
        "list of equal with space": b"5, 5",
        "list of unequal": b"5,6",
        "two numbers": b"5 5",
        "semicolon": b"5;a=b",
        "decimal point": b"5.0",
        "exponent": b"5e0",
        "underscore": b"5_0",
        "quoted": b'"5"',
        "letters": b"five",
        "trailing letter": b"5a",
        "empty": b"",
        "only white space": b" \t ",
        "19 digits": b"9" * 19,
        "overflow of 64 bits": b"18446744073709551621",
        "100 digits": b"0" * 99 + b"5",
        "Arabic digit in UTF-8": b"\xd9\xa5",
        "no-break space": b"5\xa0",
        "next line in latin-1": b"\x855",
        "full stop": b"5.",
        "inner tab": b"5\t5",
    }
    for name, value in values.items():
        yield HostileRequest(
            f"Content-Length: {name}", post(b"Content-Length: " + value, body=b"hello"), 400, "RFC 9112 §6.2, §6.3"
        )
    for name, value in {
        "vertical tab": b"\x0b5",
        "form feed": b"5\x0c",
        "NUL": b"5\x00",
        "delete": b"5\x7f",
    }.items():
        yield HostileRequest(
            f"Content-Length: {name}", post(b"Content-Length: " + value, body=b"hello"), 400, "RFC 9110 §5.5"
        )
    for name, lines in {
        "unequal lines": (b"Content-Length: 5", b"Content-Length: 6"),
        "unequal lines, the longer first": (b"Content-Length: 48", b"Content-Length: 0"),
        "a valid and an empty line": (b"Content-Length: 5", b"Content-Length: "),
        "equal but for zeros": (b"Content-Length: 5", b"Content-Length: 05"),
        "equal but for a sign": (b"Content-Length: 5", b"Content-Length: +5"),
        "different case of the names": (b"Content-Length: 5", b"CONTENT-LENGTH: 0"),
        "three lines, the last differs": (b"Content-Length: 5", b"Content-Length: 5", b"Content-Length: 4"),
        "on a GET": (b"Content-Length: 5", b"Content-length: 7"),
    }.items():
        yield HostileRequest(f"Content-Length: {name}", post(*lines, body=b"hello"), 400, "RFC 9112 §6.3")


def transfer_codings() -> Iterator[HostileRequest]:
    """Transfer-Encoding that is not chunked alone."""
    body = b"5\r\nhello\r\n" + LAST
    unknown = {
        "gzip, chunked": b"gzip, chunked",
        "identity, chunked": b"identity, chunked",
        "xchunked, chunked": b"xchunked, chunked",
    }
    for name, value in unknown.items():
        data = post(b"Transfer-Encoding: " + value, body=body)
        yield HostileRequest(f"Transfer-Encoding: {name}", data, 501, "RFC 9112 §6.1")
    malformed = {
        "chunked twice": b"chunked, chunked",
        "chunked twice without space": b"chunked,chunked",
        "chunked not last": b"chunked, gzip",
        "chunked, identity": b"chunked, identity",
        "identity": b"identity",
        "gzip": b"gzip",
        "xchunked": b"xchunked",
        "chunkedx": b"chunkedx",
        "chunked with a weight": b"chunked;q=1",
        "chunked with a parameter": b"chunked;a=b",
        "double quotes": b'"chunked"',
        "single quotes": b"'chunked'",
        "empty": b"",
        "a comma": b",",
        "leading comma": b",chunked",
        "trailing comma": b"chunked,",
        "two words": b"chunked chunked",
        "after a space": b"x chunked",
        "full stop": b"chunked.",
        "colon before": b": chunked",
        "Cyrillic letter": b"\xd1\x81hunked",
        "long s": b"chun\xc5\xbfed",
        "no-break space": b"\xa0chunked",
        "equals sign": b"chunked=1",
        "deflate, chunked, gzip": b"deflate, chunked, gzip",
    }
    for name, value in malformed.items():
        data = post(b"Transfer-Encoding: " + value, body=body)
        yield HostileRequest(f"Transfer-Encoding: {name}", data, 400, "RFC 9112 §6.1, §6.3")
    controls = {
        "vertical tab": b"\x0bchunked",
        "form feed": b"\x0cchunked",
        "backspace": b"\x08chunked",
        "NUL": b"chunked\x00",
        "bare CR before": b"\rchunked",
        "bare LF before": b"\nchunked",
        "bare CR after": b"chunked\r",
    }
    for name, value in controls.items():
        data = post(b"Transfer-Encoding: " + value, body=body)
        yield HostileRequest(f"Transfer-Encoding: {name}", data, 400, "RFC 9110 §5.5; RFC 9112 §2.2")
    lines = {
        "two lines": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        "two lines, then identity": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        "two lines, identity first": (b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
        "two lines of different case": (b"Transfer-Encoding: chunked", b"transfer-encoding: x"),
        "two lines, then empty": (b"Transfer-Encoding: chunked", b"Transfer-Encoding:"),
    }
    for name, several in lines.items():
        yield HostileRequest(f"Transfer-Encoding: {name}", post(*several, body=body), 400, "RFC 9112 §6.1")
    yield HostileRequest(
        "Transfer-Encoding: in HTTP/1.0",
        post(b"Transfer-Encoding: chunked", body=body, version=b"1.0"),
        400,
        "RFC 9112 §6.1",
    )


def smuggling() -> Iterator[HostileRequest]:
    """Two framings, or one that is hidden from some."""
    length = b"Content-Length: %d"
    coding = b"Transfer-Encoding: chunked"
    body = LAST + SMUGGLED
    classics = {
        "CL.TE": (length % len(body), coding),
        "TE.CL": (coding, length % 4),
        "CL.TE with zero length": (length % 0, coding),
        "CL.TE with odd case": (length % len(body), b"tRANSFER-eNCODING: cHUNKED"),
        "CL.CL.TE": (length % 5, length % 5, coding),
        "TE.TE": (coding, b"Transfer-Encoding: cow"),
        "TE.CL in HTTP/1.0": (coding, length % 4),
        "CL.TE hidden behind a space": (length % len(body), b"Transfer-Encoding : chunked"),
        "CL.TE hidden behind a tab": (length % len(body), b"Transfer-Encoding\t: chunked"),
        "CL.TE on a folded line": (length % len(body), b"Transfer-Encoding:", b" chunked"),
        "CL.TE on a line of its own fold": (length % len(body), b"X: y", b" Transfer-Encoding: chunked"),
        "CL.TE behind a bare LF": (length % len(body), b"X: y\nTransfer-Encoding: chunked"),
        "CL.TE behind a bare CR": (length % len(body), b"X: y\rTransfer-Encoding: chunked"),
        "CL.TE behind a NUL": (length % len(body), b"\x00Transfer-Encoding: chunked"),
        "CL.TE with a NUL in the name": (length % len(body), b"Transfer\x00-Encoding: chunked"),
        "CL hidden behind a space": (b"Content-Length : 48",),
        "CL hidden behind a tab": (b"Content-Length\t: 48",),
        "CL with a vertical tab": (b"Content-Length\x0b: 48",),
        "CL on a folded line": (b"Content-Length:", b" 48"),
        "CL continued on a folded line": (b"Content-Length: 4", b"\t8"),
        "first line folded": (b"Content-Length: 48",),
    }
    for name, lines in classics.items():
        version = b"1.0" if "HTTP/1.0" in name else b"1.1"
        data = post(*lines, body=body, version=version)
        if name == "first line folded":
            data = request(b"Content-Length: 48", start=b"GET / HTTP/1.1\r\n X: y", body=body)
        yield HostileRequest(f"smuggling: {name}", data, 400, "RFC 9112 §6.1, §6.3, §11.2")
