"""Requests with broken lines, forbidden octets, or too much of everything."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpora.messages import HOST, HostileRequest, post, request


def field_lines() -> Iterator[HostileRequest]:
    """Broken field lines and forbidden octets."""
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


def request_lines() -> Iterator[HostileRequest]:
    """Broken request lines, and other protocols."""
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


def limits() -> Iterator[HostileRequest]:
    """All that is overlong."""
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


def expectations() -> Iterator[HostileRequest]:
    """Expectations that nobody can meet."""
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
