from __future__ import annotations

import socket

import pytest

from gateway.tls.dns import check_known
from gateway.tls.problems import OrderRefused
from gateway.units import Seconds


def answer(monkeypatch: pytest.MonkeyPatch, error: OSError | None) -> None:
    def look(*_: object, **__: object) -> list[object]:
        if error is not None:
            raise error
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look)


@pytest.mark.parametrize(
    "error",
    [None, socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), OSError("no descriptor")],
    ids=["known", "nobody answers", "nothing to ask with"],
)
def test_goes_on(monkeypatch: pytest.MonkeyPatch, error: OSError | None) -> None:
    """A name that DNS knows is asked for, and also one that nobody can be asked about just now."""
    answer(monkeypatch, error)
    check_known("www.example.org", Seconds(0))


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_NODATA])
def test_waits(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """One that DNS does not know waits an hour."""
    answer(monkeypatch, socket.gaierror(number, "Name or service not known"))
    with pytest.raises(OrderRefused, match="DNS has no address") as caught:
        check_known("www.example.org", Seconds(1000))
    assert caught.value.until == 4600
