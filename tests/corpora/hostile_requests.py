"""Requests that must be refused, and requests that look alike but must be tamed, for tests and for comparing peers.

Every entry is whole: a server needs no more octets to judge it. `HOST` is the only name that a server under test
has to serve.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HOST = b"example.com"


@dataclass(frozen=True, slots=True)
class HostileRequest:
    """A request that no octet of may reach an application.

    Attributes:
        name: Short and unique.
        data: What the client sends.
        status: The right answer.
        section: The rule that asks for it.
        above_parser: Whether the parser takes it and the path rules or the site table refuse it.
    """

    name: str
    data: bytes
    status: int
    section: str
    above_parser: bool = False


@dataclass(frozen=True, slots=True)
class TamedRequest:
    """A request that may pass, but not as it came.

    Attributes:
        name: Short and unique.
        data: What the client sends.
        present: What the request sent upstream must hold, in lower case.
        absent: What it must not hold, in lower case.
        section: The rule.
    """

    name: str
    data: bytes
    present: tuple[bytes, ...]
    absent: tuple[bytes, ...]
    section: str


def request(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bytes | None = HOST, body: bytes = b"") -> bytes:
    """Write a request; `host` None leaves Host out."""
    first = [start] if host is None else [start, b"Host: " + host]
    return b"\r\n".join([*first, *lines, b"", b""]) + body


def post(*lines: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """Write a POST request with a body."""
    return request(*lines, start=b"POST /in HTTP/" + version, body=body)


def chunked(body: bytes) -> bytes:
    """Write a POST request in the chunked coding."""
    return post(b"Transfer-Encoding: chunked", body=body)


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n"
LAST = b"0\r\n\r\n"


def _content_lengths() -> Iterator[HostileRequest]:
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


def _transfer_codings() -> Iterator[HostileRequest]:
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


def _smuggling() -> Iterator[HostileRequest]:
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


def _field_lines() -> Iterator[HostileRequest]:
    lines = {
        "space before the colon": b"X-A : b",
        "tab before the colon": b"X-A\t: b",
        "space within the name": b"X A: b",
        "space before the name": b" X-A: b",
        "tab before the name": b"\tX-A: b",
        "empty name": b": b",
        "no colon": b"X-A",
        "no colon in Host's second line": b"Host",
        "only a colon": b":",
        "parentheses in the name": b"X(A): b",
        "slash in the name": b"X/A: b",
        "at sign in the name": b"X@A: b",
        "quotes in the name": b'"X": b',
        "brackets in the name": b"X[A]: b",
        "comma in the name": b"X,A: b",
        "equals sign in the name": b"X=A: b",
        "semicolon in the name": b"X;A: b",
        "obs-text in the name": b"X\xe9: b",
        "no-break space after the name": b"X\xa0: b",
        "UTF-8 in the name": b"\xc3\x9cber: b",
    }
    for name, line in lines.items():
        yield HostileRequest(f"field: {name}", request(line), 400, "RFC 9110 §5.1; RFC 9112 §5.1")
    yield HostileRequest(
        "field: two Authorization",
        request(b"Authorization: Basic YTpi", b"authorization: Basic Yzpk"),
        400,
        "RFC 9110 §5.3, §11.6.2",
    )
    folds = {
        "obs-fold with a space": b"X: y\r\n z",
        "obs-fold with a tab": b"X: y\r\n\tz",
        "obs-fold of an empty value": b"X:\r\n z",
        "line of white space": b"X: y\r\n ",
    }
    for name, line in folds.items():
        yield HostileRequest(f"field: {name}", request(line), 400, "RFC 9112 §5.2")
    octets = {
        "NUL in a value": b"X: a\x00b",
        "NUL in a name": b"X\x00: b",
        "bare CR in a value": b"X: a\rb",
        "bare LF in a value": b"X: a\nb",
        "bare LF ends a line": b"X: a\nY: b",
        "two CRs": b"X: a\r\r\nY: b",
        "escape in a value": b"X: \x1b[31m",
        "bell in a value": b"X: \x07",
        "vertical tab in a value": b"X: a\x0bb",
        "form feed in a value": b"X: a\x0cb",
        "delete in a value": b"X: \x7f",
        "unit separator in a value": b"X: \x1f",
        "bare CR in a name": b"X\r: b",
        "LF CR": b"X: a\n\rY: b",
    }
    for name, line in octets.items():
        yield HostileRequest(f"octets: {name}", request(line), 400, "RFC 9110 §5.5; RFC 9112 §2.2")
    yield HostileRequest("octets: the head ends in bare LFs", request().replace(b"\r\n", b"\n"), 400, "RFC 9112 §2.2")
    yield HostileRequest(
        "octets: the request line ends in LF", b"GET / HTTP/1.1\nHost: " + HOST + b"\r\n\r\n", 400, "RFC 9112 §2.2"
    )
    yield HostileRequest("octets: the blank line is a bare LF", request()[:-2] + b"\n", 400, "RFC 9112 §2.2")
    yield HostileRequest("octets: lines end in bare CRs", request().replace(b"\r\n", b"\r"), 400, "RFC 9112 §2.2")


def _request_lines() -> Iterator[HostileRequest]:
    lines = {
        "two spaces after the method": b"GET  / HTTP/1.1",
        "two spaces before the version": b"GET /  HTTP/1.1",
        "tab after the method": b"GET\t/ HTTP/1.1",
        "tab before the version": b"GET /\tHTTP/1.1",
        "space before the method": b" GET / HTTP/1.1",
        "space after the version": b"GET / HTTP/1.1 ",
        "space in the target": b"GET /a b HTTP/1.1",
        "no target": b"GET HTTP/1.1",
        "no method": b"/ HTTP/1.1",
        "empty method": b" / HTTP/1.1",
        "four words": b"GET / HTTP/1.1 HTTP/1.1",
        "colon in the method": b"GET: / HTTP/1.1",
        "bracket in the method": b"G[ET / HTTP/1.1",
        "obs-text in the method": b"G\xc9T / HTTP/1.1",
        "comma in the method": b"GET,POST / HTTP/1.1",
        "at sign in the method": b"GET@ / HTTP/1.1",
        "quoted method": b'"GET" / HTTP/1.1',
        "HTTP/0.9": b"GET /",
        "lower-case version": b"GET / http/1.1",
        "version without minor": b"GET / HTTP/1",
        "version with a letter": b"GET / HTTP/1.x",
        "version with two digits": b"GET / HTTP/1.10",
        "version with a leading zero": b"GET / HTTP/01.1",
        "version with a sign": b"GET / HTTP/+1.1",
        "version with a space": b"GET / HTTP/ 1.1",
        "version with a comma": b"GET / HTTP/1,1",
        "version of another protocol": b"GET / ICY/1.1",
        "shop's version": b"GET / HTTPS/1.1",
        "version not a number": b"GET / HTTP/\xb2.1",
        "response instead of a request": b"HTTP/1.1 200 OK",
    }
    for name, line in lines.items():
        yield HostileRequest(f"request line: {name}", request(start=line), 400, "RFC 9112 §3, §2.3")
    for version in (b"2.0", b"1.2", b"1.9", b"0.9", b"3.0", b"9.9"):
        yield HostileRequest(
            f"request line: {version.decode()}",
            request(start=b"GET / HTTP/" + version),
            505,
            "RFC 9110 §15.6.6",
        )
    yield HostileRequest("request line: HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "RFC 9113 §3.4")
    yield HostileRequest("request line: NUL", request(start=b"GET /\x00 HTTP/1.1"), 400, "RFC 9112 §3.2")
    yield HostileRequest("request line: bare CR", request(start=b"GET /\rHTTP/1.1"), 400, "RFC 9112 §2.2")
    yield HostileRequest("request line: blank lines of LF before it", b"\n\n" + request(), 400, "RFC 9112 §2.2")
    yield HostileRequest("request line: CRLF and LF before it", b"\r\n\n" + request(), 400, "RFC 9112 §2.2")
    yield HostileRequest("request line: CRLF and CR before it", b"\r\n\r" + request(), 400, "RFC 9112 §2.2")
    yield HostileRequest("request line: CR before it", b"\r" + request(), 400, "RFC 9112 §2.2")
    yield HostileRequest("request line: binary", bytes(range(256)) + b"\r\n\r\n", 400, "RFC 9112 §3")
    yield HostileRequest(
        "request line: TLS client hello",
        bytes.fromhex("16030100") + b"\xa5\x01\x00\x00\xa1\x03\x03" + bytes(32) + b"\r\n\r\n",
        400,
        "RFC 9112 §3",
    )
    yield HostileRequest(
        "request line: PROXY protocol", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request(), 400, "RFC 9112 §3"
    )
    yield HostileRequest(
        "request line: PROXY protocol, binary",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12) + request(),
        400,
        "RFC 9112 §3",
    )
    yield HostileRequest("request line: SSH banner", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400, "RFC 9112 §3")
    yield HostileRequest("request line: SMTP greeting", b"EHLO " + HOST + b"\r\n\r\n", 400, "RFC 9112 §3")
    yield HostileRequest("method: CONNECT", request(start=b"CONNECT 192.0.2.1:25 HTTP/1.1"), 405, "RFC 9110 §9.3.6")
    yield HostileRequest(
        "method: CONNECT to the site", request(start=b"CONNECT " + HOST + b":80 HTTP/1.1"), 405, "RFC 9110 §9.3.6"
    )
    yield HostileRequest("method: CONNECT with a path", request(start=b"CONNECT / HTTP/1.1"), 405, "RFC 9110 §9.3.6")
    yield HostileRequest(
        "method: CONNECT in absolute-form",
        request(start=b"CONNECT http://" + HOST + b"/ HTTP/1.1"),
        405,
        "RFC 9110 §9.3.6",
    )
    yield HostileRequest("method: TRACE", request(start=b"TRACE / HTTP/1.1"), 405, "RFC 9110 §9.3.8")


def _targets() -> Iterator[HostileRequest]:
    targets = {
        "authority-form": b"example.com:80",
        "relative path": b"index.html",
        "asterisk with GET": b"*",
        "only a query": b"?a=b",
        "fragment": b"/a#b",
        "fragment in the query": b"/?a#b",
        "obs-text": b"/\xe9",
        "UTF-8": b"/\xc3\xa9",
        "tab": b"/a\tb",
        "delete": b"/\x7f",
        "ftp URL": b"ftp://example.com/",
        "file URL": b"file:///etc/passwd",
        "javascript URL": b"javascript:alert(1)",
        "absolute-form without authority": b"http:///a",
        "absolute-form with one slash": b"http:/example.com/a",
        "absolute-form with user information": b"http://root@example.com/",
        "absolute-form with a password": b"http://root:pw@example.com/",
        "absolute-form with a bad port": b"http://example.com:http/",
        "absolute-form with a port too large": b"http://example.com:65536/",
        "absolute-form with a backslash": b"http://example.com\\a/",
        "absolute-form with a comma": b"http://example.com,other.test/",
        "absolute-form with an encoded host": b"http://example%2ecom/",
        "absolute-form with a fragment": b"http://example.com/#a",
        "scheme only": b"http://",
        "unclosed IPv6 literal": b"http://[::1/",
        "backslash path": b"\\a",
        "percent-encoded slash only": b"%2fa",
    }
    for name, target in targets.items():
        yield HostileRequest(
            f"target: {name}", request(start=b"GET " + target + b" HTTP/1.1"), 400, "RFC 9112 §3.2; RFC 9110 §4.2.4"
        )
    paths = {
        "climb above the root": b"/../etc/passwd",
        "climb after a segment": b"/a/../../etc/passwd",
        "encoded climb": b"/%2e%2e/etc/passwd",
        "encoded slash climb": b"/..%2fetc/passwd",
        "wholly encoded climb": b"/%2e%2e%2fetc%2fpasswd",
        "backslash climb": b"/..\\..\\windows",
        "encoded backslash climb": b"/..%5c..%5cwindows",
        "encoded NUL": b"/a%00.png",
        "encoded CR LF": b"/a%0d%0aX:%20y",
        "encoded LF": b"/%0a",
        "encoded delete": b"/a%7f",
        "percent without digits": b"/%",
        "percent with one digit": b"/%a",
        "percent with letters": b"/%zz",
        "percent with a sign": b"/%+1",
        "IIS escape": b"/%u002e",
    }
    for name, path in paths.items():
        yield HostileRequest(
            f"path: {name}",
            request(start=b"GET " + path + b" HTTP/1.1"),
            400,
            "RFC 3986 §2.1, §5.2.4",
            above_parser=True,
        )


def _hosts() -> Iterator[HostileRequest]:
    hosts = {
        "empty": b"",
        "user information": b"root@example.com",
        "user information without name": b"@example.com",
        "comma": b"example.com, other.test",
        "comma without space": b"example.com,other.test",
        "two words": b"example.com other.test",
        "path": b"example.com/admin",
        "query": b"example.com?a",
        "fragment": b"example.com#a",
        "URL": b"http://example.com",
        "backslash": b"example.com\\a",
        "port of letters": b"example.com:http",
        "port with a sign": b"example.com:+80",
        "port with a space": b"example.com: 80",
        "port too large": b"example.com:65536",
        "port of six digits": b"example.com:000080",
        "two ports": b"example.com:80:80",
        "only a port": b":80",
        "only a dot": b".",
        "empty label": b"example..com",
        "leading dot": b".example.com",
        "two trailing dots": b"example.com..",
        "label of 64 octets": b"a" * 64 + b".test",
        "300 octets": b".".join([b"a" * 49] * 6),
        "hyphen first": b"-example.com",
        "percent encoding": b"example%2ecom",
        "UTF-8": b"ex\xc3\xa4mple.com",
        "quotes": b'"example.com"',
        "single quote": b"example.com'",
        "angle brackets": b"<script>.test",
        "IPv6 without brackets": b"::1",
        "IPv6 unclosed": b"[::1",
        "IPv6 unopened": b"::1]",
        "IPv6 of colons": b"[::::]",
        "IPv6 too long": b"[1:2:3:4:5:6:7:8:9]",
        "IPv6 with a zone": b"[fe80::1%25eth0]",
        "IPv6 with text after it": b"[::1]example.com",
        "IPv6 with a name in it": b"[example.com]",
        "IPvFuture": b"[v1.a]",
        "asterisk": b"*.test",
        "dollar": b"$host.test",
        "semicolon": b"example.com;a",
        "tab": b"example.com\t80",
        "NUL": b"example.com\x00.other.test",
    }
    for name, host in hosts.items():
        yield HostileRequest(f"Host: {name}", request(host=host), 400, "RFC 9112 §3.2; RFC 3986 §3.2.2")
    several = {
        "missing": request(host=None),
        "missing, absolute-form": request(start=b"GET http://example.com/ HTTP/1.1", host=None),
        "invalid, absolute-form": request(start=b"GET http://example.com/ HTTP/1.1", host=b"a b"),
        "empty, absolute-form": request(start=b"GET http://example.com/ HTTP/1.1", host=b""),
        "two, absolute-form": request(b"Host: other.test", start=b"GET http://example.com/ HTTP/1.1"),
        "two": request(b"Host: other.test"),
        "two equal": request(b"Host: " + HOST),
        "two of different case": request(b"hOST: other.test"),
        "second empty": request(b"Host:"),
        "three": request(b"Host: a.test", b"Host: b.test"),
        "second behind a space": request(b"Host : other.test"),
        "second folded": request(b"X: y", b" Host: other.test"),
        "two in HTTP/1.0": request(b"Host: other.test", start=b"GET / HTTP/1.0"),
        "empty in HTTP/1.0": request(start=b"GET / HTTP/1.0", host=b""),
    }
    for name, data in several.items():
        yield HostileRequest(f"Host: {name}", data, 400, "RFC 9112 §3.2")
    for name, host in {
        "another site": b"other.test",
        "a longer name": b"example.com.evil.test",
        "a sub-domain": b"mail.example.com",
        "an address": b"127.0.0.1",
        "an IPv6 address": b"[::1]",
        "a suffix": b"evilexample.com",
    }.items():
        yield HostileRequest(f"Host: {name}", request(host=host), 404, "RFC 9110 §7.4", above_parser=True)
    yield HostileRequest(
        "Host: absolute-form of another site",
        request(start=b"GET http://other.test/ HTTP/1.1"),
        404,
        "RFC 9112 §3.2.2",
        above_parser=True,
    )


def _limits() -> Iterator[HostileRequest]:
    entries = {
        "request line of 9,000 octets": (request(start=b"GET /" + b"a" * 9000 + b" HTTP/1.1"), 414),
        "query of 20,000 octets": (request(start=b"GET /?" + b"a" * 20_000 + b" HTTP/1.1"), 414),
        "method of 9,000 octets": (request(start=b"A" * 9000 + b" / HTTP/1.1"), 414),
        "endless request line": (b"GET /" + b"a" * 40_000, 414),
        "one field of 17,000 octets": (request(b"X: " + b"a" * 17_000), 431),
        "endless field": (request()[:-2] + b"X: " + b"a" * 40_000, 431),
        "name of 17,000 octets": (request(b"a" * 17_000 + b": b"), 431),
        "endless fields": (request()[:-2] + b"X: y\r\n" * 4000, 431),
        "101 fields": (request(*[b"X: y"] * 100), 431),
        "1,000 fields": (request(*[b"X: y"] * 1000), 431),
        "cookies of 20,000 octets": (request(*[b"Cookie: a=" + b"b" * 4000] * 5), 431),
    }
    for name, (data, status) in entries.items():
        yield HostileRequest(f"limits: {name}", data, status, "RFC 9110 §15.5.15; RFC 6585 §5")


def _chunked_bodies() -> Iterator[HostileRequest]:
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


def _expectations() -> Iterator[HostileRequest]:
    for name, lines in {
        "unknown": (b"Expect: 200-ok",),
        "empty": (b"Expect:",),
        "with a parameter": (b"Expect: 100-continue;a=b",),
        "list": (b"Expect: 100-continue, 200-ok",),
        "second line unknown": (b"Expect: 100-continue", b"Expect: x"),
        "quoted": (b'Expect: "100-continue"',),
    }.items():
        data = post(*lines, b"Content-Length: 5", body=b"hello")
        yield HostileRequest(f"Expect: {name}", data, 417, "RFC 9110 §10.1.1")


HOSTILE_REQUESTS: tuple[HostileRequest, ...] = (
    *_content_lengths(),
    *_transfer_codings(),
    *_smuggling(),
    *_field_lines(),
    *_request_lines(),
    *_targets(),
    *_hosts(),
    *_limits(),
    *_chunked_bodies(),
    *_expectations(),
)
"""All that must be refused; nothing of it may reach an application, and the connection closes after it."""

TAMED_REQUESTS: tuple[TamedRequest, ...] = (
    TamedRequest(
        "two equal Content-Length",
        post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
        (b"content-length: 5", b"hello"),
        (b"content-length: 5\r\ncontent-length", b"5, 5"),
        "RFC 9112 §6.3",
    ),
    TamedRequest(
        "Content-Length with leading zeros",
        post(b"Content-Length: 0005", body=b"hello"),
        (b"content-length: 5\r\n", b"hello"),
        (b"0005",),
        "RFC 9110 §8.6",
    ),
    TamedRequest(
        "Content-Length between tabs",
        post(b"Content-Length:\t5\t", body=b"hello"),
        (b"content-length: 5\r\n", b"hello"),
        (b"\t",),
        "RFC 9112 §5",
    ),
    TamedRequest(
        "chunk sizes in odd forms, extensions and a forbidden trailer",
        chunked(b"00A;a=b\r\n0123456789\r\n000\r\nContent-Length: 99\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"),
        (b"transfer-encoding: chunked", b"\r\n0123456789\r\n"),
        (b";a=b", b"\r\n00a", b"content-length: 99", b"192.0.2.1"),
        "RFC 9112 §7.1; RFC 9110 §6.5.1",
    ),
    TamedRequest(
        "Transfer-Encoding in capitals",
        post(b"TRANSFER-ENCODING: \tCHUNKED ", body=b"5\r\nhello\r\n" + LAST),
        (b"transfer-encoding: chunked\r\n", b"hello"),
        (),
        "RFC 9112 §7",
    ),
    TamedRequest(
        "Connection names forwarding fields",
        request(b"Connection: close, X-Forwarded-For, X-Forwarded-Proto, X-Secret", b"X-Secret: 1"),
        (b"x-forwarded-for: 127.0.0.1", b"x-forwarded-proto: http"),
        (b"x-secret",),
        "RFC 9110 §7.6.1",
    ),
    TamedRequest(
        "Connection names Host and framing",
        post(b"Connection: close, Host, Content-Length", b"Content-Length: 5", body=b"hello"),
        (b"host: example.com", b"content-length: 5", b"hello"),
        (),
        "RFC 9110 §7.6.1",
    ),
    TamedRequest(
        "hop-by-hop fields",
        request(
            b"Connection: close, x-hop",
            b"X-Hop: 1",
            b"Keep-Alive: 300",
            b"Proxy-Connection: keep-alive",
            b"Proxy-Authorization: Basic c2VjcmV0",
            b"TE: gzip",
            b"Trailer: X-Late",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        (),
        (b"x-hop", b"300", b"proxy-", b"te:", b"trailer", b"h2c", b"http2-settings", b"upgrade"),
        "RFC 9110 §7.6.1",
    ),
    TamedRequest(
        "h2c upgrade with Connection",
        request(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"),
        (),
        (b"h2c", b"http2-settings"),
        "RFC 9113 §3.1",
    ),
    TamedRequest(
        "forged forwarding fields",
        request(
            b"Connection: close",
            b"X-Forwarded-For: 192.0.2.66",
            b"X-Forwarded-Proto: https",
            b"X-Forwarded-Host: evil.test",
            b"Forwarded: for=192.0.2.66",
            b"X-Real-IP: 192.0.2.66",
        ),
        (b"x-forwarded-for: 127.0.0.1", b"x-forwarded-proto: http\r\n"),
        (b"192.0.2.66", b"evil.test"),
        "RFC 7239 §8.1",
    ),
    TamedRequest(
        "forwarding fields in disguise",
        request(
            b"Connection: close",
            b"X_Forwarded_For: 192.0.2.66",
            b"X_FORWARDED-PROTO: https",
            b"X.Forwarded.For: 192.0.2.66",
            b"X-Forwarded_User: root",
            b"Remote_User: root",
            b"Content_Length: 7",
            b"Transfer_Encoding: chunked",
        ),
        (),
        (b"192.0.2.66", b"root", b"x_", b"content_length", b"transfer_encoding"),
        "RFC 3875 §4.1.18",
    ),
    TamedRequest(
        "Proxy (httpoxy)",
        request(b"Connection: close", b"Proxy: http://192.0.2.66/"),
        (),
        (b"192.0.2.66",),
        "RFC 3875 §4.1.18",
    ),
    TamedRequest(
        "absolute-form overrides Host",
        request(b"Connection: close", start=b"GET http://EXAMPLE.com/a?b HTTP/1.1", host=b"other.test"),
        (b"get /a?b http/1.1", b"host: example.com\r\n"),
        (b"other.test", b"get http:"),
        "RFC 9112 §3.2.2",
    ),
    TamedRequest(
        "absolute-form without a path",
        request(b"Connection: close", start=b"GET http://example.com?a=b HTTP/1.1"),
        (b"get /?a=b http/1.1",),
        (),
        "RFC 9112 §3.2.1",
    ),
    TamedRequest(
        "one blank line before the request line",
        b"\r\n" + request(b"Connection: close"),
        (b"get / http/1.1",),
        (),
        "RFC 9112 §2.2",
    ),
    TamedRequest(
        "three blank lines before the request line",
        b"\r\n\r\n\r\n" + request(b"Connection: close"),
        (b"get / http/1.1",),
        (),
        "RFC 9112 §2.2",
    ),
    TamedRequest(
        "Host with port and trailing dot",
        request(b"Connection: close", host=b"EXAMPLE.com.:80"),
        (b"get / http/1.1",),
        (),
        "RFC 9110 §4.2.3",
    ),
    TamedRequest(
        "scheme-relative path",
        request(b"Connection: close", start=b"GET //evil.test/a HTTP/1.1"),
        (b"get //evil.test/a http/1.1",),
        (b"host: evil",),
        "RFC 9112 §3.2.1",
    ),
    TamedRequest(
        "unknown method",
        request(b"Connection: close", start=b"PROPFIND / HTTP/1.1"),
        (b"propfind / http/1.1",),
        (),
        "RFC 9110 §9.1",
    ),
    TamedRequest(
        "Upgrade with content",
        post(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 5", body=b"hello"),
        (b"content-length: 5", b"hello"),
        (b"upgrade",),
        "RFC 9110 §7.8",
    ),
)
"""All that may pass, and what may not pass with it."""
