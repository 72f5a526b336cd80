"""Requests that mislead about what they ask for, and of whom."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpora.messages import HOST, HostileRequest, request


def targets() -> Iterator[HostileRequest]:
    """Targets and paths that mislead."""
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


def hosts() -> Iterator[HostileRequest]:
    """Host fields that name no host, or another's."""
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
