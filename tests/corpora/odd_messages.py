"""Messages that are odd but right, which the gateway takes: to see whether other proxies are stricter."""

from __future__ import annotations

from tests.corpora.hostile_responses import HostileResponse, Outcome, answer
from tests.corpora.messages import HOST, LAST, chunked, post, request

_PATHS = {
    "pipe": b"/a|b",
    "braces": b"/{a}",
    "double quote": b'/"a"',
    "angle brackets": b"/<a>",
    "backslash": b"/a\\b",
    "caret": b"/a^b",
    "backtick": b"/`a`",
    "square brackets": b"/a[0]",
    "odd octets in the query": b'/?a="<>\\^`{|}',
    "encoded slash": b"/a%2fb",
    "encoded backslash": b"/a%5cb",
    "encoded dots within the root": b"/a/%2e%2e/b",
    "dot segments within the root": b"/a/../b",
    "several slashes": b"//a///b",
    "encoded percent": b"/a%25b",
    "encoded UTF-8": b"/%c3%a9",
    "overlong UTF-8": b"/%c0%ae%c0%ae/a",
    "bad percent in the query": b"/?a=%zz",
    "second question mark": b"/?a?b",
    "semicolon": b"/a;b=c/../d",
    "colon": b"/a:b",
    "at sign": b"/a@b",
    "7,900 octets": b"/" + b"a" * 7900,
}
_FIELDS = {
    "obs-text in a value": b"X: \xe9\xff",
    "UTF-8 in a value": b"X: \xc3\xa9",
    "tabs in a value": b"X: a\tb",
    "empty value": b"X:",
    "odd token for a name": b"!#$%&'*+-.^_`|~: y",
    "name with an underscore": b"my_field: 1",
    "name with a full stop": b"my.field: 1",
    "name of digits": b"123: 1",
    "Connection is no token": b'Connection: close, "a b", @',
    "Connection with empty members": b"Connection: ,,close,,",
    "Connection names Cookie": b"Connection: close, Cookie",
    "two Content-Type": b"Content-Type: a/b\r\nContent-Type: c/d",
    "Expect without content": b"Expect: 100-continue",
    "Max-Forwards of zero": b"Max-Forwards: 0",
    "Content-Length of zero": b"Content-Length: 0",
    "Upgrade without its option": b"Upgrade: websocket",
    "Range out of any bounds": b"Range: bytes=18446744073709551615-,0-0",
    "14,000 octets of fields": b"X: " + b"y" * 7000 + b"\r\nY: " + b"y" * 7000,
    "98 fields": b"\r\n".join([b"X: y"] * 98),
}
_OTHERS = {
    "GET with content": request(b"Content-Length: 5", body=b"hello"),
    "GET with chunked content": request(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n" + LAST),
    "DELETE with content": request(b"Content-Length: 5", start=b"DELETE / HTTP/1.1", body=b"hello"),
    "Content-Length of 18 digits": post(b"Content-Length: 000000000000000005", body=b"hello"),
    "Content-Length of 18 nines": post(b"Content-Length: " + b"9" * 18, body=b"hello"),
    "three equal Content-Length": post(*[b"Content-Length: 5"] * 3, body=b"hello"),
    "chunk size of 16 digits": chunked(b"0000000000000005\r\nhello\r\n" + LAST),
    "last chunk of many zeros": chunked(b"5\r\nhello\r\n0000000\r\n\r\n"),
    "chunk extension": chunked(b"5;a=b\r\nhello\r\n" + LAST),
    "chunk extension, quoted": chunked(b'5;a="b;c\\""\r\nhello\r\n' + LAST),
    "chunk extension between spaces": chunked(b"5 ; a = b\r\nhello\r\n" + LAST),
    "trailer field": chunked(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    "trailer Content-Length": chunked(b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"),
    "lower-case method": request(start=b"get / HTTP/1.1"),
    "odd method": request(start=b"!#$%&'*+-.^_`|~ / HTTP/1.1"),
    "method of 100 letters": request(start=b"A" * 100 + b" / HTTP/1.1"),
    "Host with an empty port": request(host=HOST + b":"),
    "Host with another port": request(host=HOST + b":65535"),
    "Host in capitals": request(host=HOST.upper()),
    "Host with a trailing dot": request(host=HOST + b"."),
    "Host between tabs": request(host=b"\t" + HOST + b"\t"),
    "absolute-form with https": request(start=b"GET https://example.com/ HTTP/1.1"),
    "absolute-form with a port": request(start=b"GET http://example.com:80/ HTTP/1.1"),
    "absolute-form, scheme in capitals": request(start=b"GET HTTP://example.com/ HTTP/1.1"),
    "OPTIONS *": request(start=b"OPTIONS * HTTP/1.1"),
    "HTTP/1.0": request(start=b"GET / HTTP/1.0"),
    "HTTP/1.0 keep-alive": request(b"Connection: keep-alive", start=b"GET / HTTP/1.0"),
    "two blank lines before the request": b"\r\n\r\n" + request(b"Connection: close"),
    "garbage behind the request": request() + b"\x00\x01\x02\r\n\r\n",
    "garbage behind the content": post(b"Content-Length: 5", body=b"helloGARBAGE\r\n\r\n"),
}

ODD_REQUESTS: tuple[tuple[str, bytes], ...] = (
    *((f"path: {name}", request(start=b"GET " + path + b" HTTP/1.1")) for name, path in _PATHS.items()),
    *((f"field: {name}", request(line)) for name, line in _FIELDS.items()),
    *_OTHERS.items(),
)
"""Name and octets of each request."""

_ANSWERS = {
    "no reason phrase": answer(b"Content-Length: 5", start=b"HTTP/1.1 200 ", body=b"hello"),
    "no reason phrase and no space": answer(b"Content-Length: 5", start=b"HTTP/1.1 200", body=b"hello"),
    "obs-text in the reason phrase": answer(b"Content-Length: 5", start=b"HTTP/1.1 200 \xfcber", body=b"hello"),
    "unknown status": answer(b"Content-Length: 5", start=b"HTTP/1.1 299 Odd", body=b"hello"),
    "obs-text in a value": answer(b"X: \xe9", b"Content-Length: 5", body=b"hello"),
    "odd token for a name": answer(b"!#$%&'*+-.^_`|~: y", b"Content-Length: 5", body=b"hello"),
    "equal Content-Length": answer(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    "Content-Length with zeros": answer(b"Content-Length: 0005", body=b"hello"),
    "chunk extension": answer(b"Transfer-Encoding: chunked", body=b"5;a=b\r\nhello\r\n0\r\n\r\n"),
    "trailer": answer(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    "chunk size of 16 digits": answer(b"Transfer-Encoding: chunked", body=b"0000000000000005\r\nhello\r\n0\r\n\r\n"),
    "103 before it": answer(b"Link: </a>", start=b"HTTP/1.1 103 E") + answer(b"Content-Length: 5", body=b"hello"),
    "ten 100 before it": answer(start=b"HTTP/1.1 100 C") * 10 + answer(b"Content-Length: 5", body=b"hello"),
    "two Location": answer(b"Location: /a", b"Location: /b", b"Content-Length: 0", start=b"HTTP/1.1 302 F"),
    "205 with content": answer(b"Content-Length: 5", start=b"HTTP/1.1 205 R", body=b"hello"),
    "190 fields": answer(*[b"X: y"] * 190, b"Content-Length: 5", body=b"hello"),
    "content until close": answer(body=b"hello"),
    "HTTP/1.0 until close": answer(start=b"HTTP/1.0 200 OK", body=b"hello"),
}

ODD_RESPONSES: tuple[HostileResponse, ...] = tuple(
    HostileResponse(name, (data,), Outcome.PASSED, "RFC 9112", closes="until close" in name)
    for name, data in _ANSWERS.items()
)
"""Answers; only `parts` and `closes` matter."""
