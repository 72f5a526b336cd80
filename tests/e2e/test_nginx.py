"""nginx as an upstream."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import StartGateway
from tests.support.raw_http import RawHTTP
from tests.support.upstreams import Upstream

pytestmark = pytest.mark.e2e


def test_files_and_ranges(start_gateway: StartGateway, nginx: Upstream) -> None:
    """Files, validators and ranges of another server pass through unchanged."""
    gateway = start_gateway({"files.test": f"proxy = {nginx.port}"})
    whole = bytes(range(250)) * 8000
    with RawHTTP(gateway.port) as client:
        answer = client.get("/big.bin", "files.test")
        assert (answer.status, answer.body) == (200, whole)
        etag = answer.field(b"etag")
        assert etag
        part = client.get("/big.bin", "files.test", "Range: bytes=1000-1999")
        assert (part.status, part.body) == (206, whole[1000:2000])
        assert client.get("/big.bin", "files.test", f"If-None-Match: {etag.decode()}").status == 304
        assert client.get("/none", "files.test").status == 404


def test_request_reaches_nginx_as_meant(start_gateway: StartGateway, nginx: Upstream) -> None:
    """Method, target, Host and forwarded fields are what nginx sees."""
    gateway = start_gateway({"files.test": f"proxy = {nginx.port}"})
    with RawHTTP(gateway.port) as client:
        answer = client.get("/seen?q=%2F", "files.test")
    assert answer.body == b"GET /seen?q=%2F files.test 127.0.0.1 http\n"


def test_head_has_no_body(start_gateway: StartGateway, nginx: Upstream) -> None:
    """HEAD brings the length of the file, no byte of it, and leaves the connection usable."""
    gateway = start_gateway({"files.test": f"proxy = {nginx.port}"})
    with RawHTTP(gateway.port) as client:
        client.send(b"HEAD /big.bin HTTP/1.1\r\nHost: files.test\r\n\r\n")
        answer = client.answer("HEAD")
        assert (answer.status, answer.field(b"content-length")) == (200, b"2000000")
        assert client.get("/seen", "files.test").status == 200
