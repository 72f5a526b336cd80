from __future__ import annotations

import sys
import tracemalloc

import pytest
from OpenSSL import SSL

from gateway.tls.sni import ACME_TLS, ServerNames
from tests.support.certificates import Authority
from tests.support.handshake import client_context, shake_hands

AUTHORITY = Authority("ca.example")
APP = AUTHORITY.certified("app.example")
WILD = AUTHORITY.certified("*.apps.example")
DEFAULT = AUTHORITY.certified("default.example")
CHALLENGE = AUTHORITY.certified("new.example")


@pytest.fixture
def names() -> ServerNames:
    made = ServerNames()
    made.put("app.example", APP)
    made.put("*.apps.example", WILD)
    return made


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("app.example", ["app.example"]),
        ("APP.Example", ["app.example"]),
        ("a.apps.example", ["*.apps.example"]),
        ("apps.example", []),
        ("a.b.apps.example", []),
        ("*.apps.example", ["*.apps.example"]),
        ("other.example", []),
        ("", []),
    ],
)
def test_choice(names: ServerNames, asked: str, shown: list[str]) -> None:
    """The exact name wins, then the wildcard of one label; nobody else sees a certificate, but an alert."""
    for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
        seen = shake_hands(names, asked, version=version)
        assert seen.names == shown
        assert seen.error == ("" if shown else "tlsv1 unrecognized name")
    assert names.has_certificate(asked.lower()) is bool(shown)
    assert (names.find(asked.lower()) is None) is not bool(shown)


def test_exact_beats_wildcard(names: ServerNames) -> None:
    """A name with a certificate of its own is not given the wildcard's."""
    own = AUTHORITY.certified("a.apps.example")
    names.put("a.apps.example", own)
    assert shake_hands(names, "a.apps.example").names == ["a.apps.example"]
    assert names.find("a.apps.example") is own


def test_default_certificate(names: ServerNames) -> None:
    """A client that names nobody gets the default certificate; one that names a stranger does not."""
    names.put("", DEFAULT)
    assert shake_hands(names).names == ["default.example"]
    assert shake_hands(names, "other.example").names == []


def test_refusals_leave_no_trace(names: ServerNames, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown name prints nothing, and what handles uncaught exceptions is as before."""
    hook = sys.excepthook
    shake_hands(names, "other.example")
    assert sys.excepthook is hook
    assert capsys.readouterr().err == ""


def test_swap(names: ServerNames) -> None:
    """The next handshake sees a new certificate, and none after it is removed."""
    renewed = AUTHORITY.certified("app.example", "www.app.example")
    names.put("app.example", renewed)
    assert shake_hands(names, "app.example").names == ["app.example", "www.app.example"]
    names.remove("app.example")
    names.remove("app.example")
    assert shake_hands(names, "app.example").error == "tlsv1 unrecognized name"


def test_renewals(names: ServerNames) -> None:
    """A name's certificate counts as renewed once a different one follows it, or if it is said to be."""
    assert not names.has_renewed("app.example")
    names.put("app.example", APP)
    assert not names.has_renewed("app.example")
    names.put("app.example", AUTHORITY.certified("app.example"))
    assert names.has_renewed("app.example")
    assert not names.has_renewed("a.apps.example")
    names.put("*.apps.example", WILD, renewed=True)
    assert names.has_renewed("a.apps.example")
    names.remove("app.example")
    assert not names.has_renewed("app.example")


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_resumption_until_rotation(names: ServerNames, version: int) -> None:
    """A second connection resumes the first one's session; after the ticket key is replaced it does not."""
    context = client_context(version)
    first = shake_hands(names, "app.example", context=context)
    assert (first.error, first.resumed) == ("", False)
    second = shake_hands(names, "app.example", context=context, session=first.session)
    assert (second.error, second.resumed) == ("", True)
    names.rotate()
    third = shake_hands(names, "app.example", context=context, session=first.session)
    assert (third.error, third.resumed) == ("", False)


def test_sessions_outlive_certificates(names: ServerNames) -> None:
    """A session is resumed also after the name's certificate was renewed: tickets are not the certificate's."""
    context = client_context(SSL.TLS1_3_VERSION)
    first = shake_hands(names, "app.example", context=context)
    names.put("app.example", AUTHORITY.certified("app.example"))
    assert shake_hands(names, "app.example", context=context, session=first.session).resumed
    names.remove("app.example")
    refused = shake_hands(names, "app.example", context=context, session=first.session)
    assert refused.error == "tlsv1 unrecognized name"


def test_versions() -> None:
    """`modern` speaks TLS 1.3 only."""
    modern = ServerNames("modern")
    modern.put("app.example", APP)
    assert shake_hands(modern, "app.example", version=SSL.TLS1_2_VERSION).error == "tlsv1 alert protocol version"
    assert shake_hands(modern, "app.example").version == "TLSv1.3"


def test_key_exchange(names: ServerNames) -> None:
    """Where OpenSSL has it on both sides, the key exchange is the hybrid with ML-KEM."""
    group = shake_hands(names, "app.example").group
    assert group == ("X25519MLKEM768" if SSL.OPENSSL_VERSION_NUMBER >= 0x30500000 else "x25519")


@pytest.mark.parametrize(
    ("offered", "chosen"), [((b"h2", b"http/1.1"), b"http/1.1"), ((b"h2",), b""), ((), b""), ((ACME_TLS,), b"")]
)
def test_application_protocol(names: ServerNames, offered: tuple[bytes, ...], chosen: bytes) -> None:
    """HTTP/1.1 is chosen where it is offered; a client that offers only others goes on without."""
    seen = shake_hands(names, "app.example", protocols=offered)
    assert (seen.error, seen.protocol) == ("", chosen)


def test_challenge(names: ServerNames) -> None:
    """The certificate of a challenge is shown for its name to clients that offer `acme-tls/1`, and to nobody else."""
    names.set_challenge("new.example", CHALLENGE)
    names.set_challenge("app.example", CHALLENGE)
    seen = shake_hands(names, "new.example", protocols=(ACME_TLS,))
    assert (seen.names, seen.protocol, seen.noted, seen.error) == (["new.example"], ACME_TLS, ACME_TLS, "")
    assert shake_hands(names, "app.example", protocols=(ACME_TLS,)).names == ["new.example"]
    assert shake_hands(names, "app.example", protocols=(b"http/1.1",)).noted is None
    assert shake_hands(names, "app.example", protocols=(b"http/1.1",)).names == ["app.example"]
    for protocols in ((), (b"http/1.1",)):
        assert shake_hands(names, "new.example", protocols=protocols).names == []
    assert not names.has_certificate("new.example")
    names.clear_challenge("new.example")
    assert shake_hands(names, "new.example", protocols=(ACME_TLS,)).names == []


def test_hosts_of_a_connection(names: ServerNames) -> None:
    """A connection serves the hosts of the certificate that it was shown; one that named nobody, the nameless too."""
    names.put("", DEFAULT)
    names.put("b.example", AUTHORITY.certified("b.example", "app.example"))
    for asked, host, served in [
        ("app.example", "app.example", True),
        ("app.example", "b.example", False),
        ("b.example", "app.example", True),
        ("a.apps.example", "c.apps.example", True),
        ("app.example", "unknown.example", False),
        ("", "unknown.example", True),
        ("", "app.example", False),
    ]:
        assert names.serves(asked.encode(), host.encode()) is served, (asked, host)


def test_hosts_of_a_connection_after_a_change(names: ServerNames) -> None:
    """Which hosts a connection serves is looked up again once a certificate came or went."""
    wide = AUTHORITY.certified("app.example", "b.example")
    names.put("app.example", wide)
    for _ in range(2):
        assert names.serves(b"app.example", b"b.example")
    names.put("app.example", APP)
    assert not names.serves(b"app.example", b"b.example")
    names.put("app.example", wide)
    assert names.serves(b"app.example", b"b.example")
    names.remove("app.example")
    assert not names.serves(b"app.example", b"b.example")


def test_made_up_hosts_are_not_hoarded(names: ServerNames) -> None:
    """A client that makes up names under a wildcard has all of them answered, and few of them remembered."""
    tracemalloc.start()
    try:
        for number in range(3000):
            assert names.serves(b"a.apps.example", b"%d%b.apps.example" % (number, b"x" * 1000))
            assert names.serves(b"a.apps.example", b"%d%b.apps.example" % (number, b"x" * 200))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000
