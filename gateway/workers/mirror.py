"""Certificates and answers to challenges that are the same in every worker: what the leader changes, it tells."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.tls.certificate import CertifiedKey
from gateway.tls.contexts import Profile
from gateway.tls.sni import ServerNames
from gateway.workers.link import Link
from gateway.workers.messages import (
    Certificate,
    Challenge,
    FromLeader,
    FromWorker,
    NoCertificate,
    NoChallenge,
    NoToken,
    Rotate,
    Token,
)


class Audience:
    """All workers that are listening."""

    def __init__(self) -> None:
        self._links: list[Link[FromWorker]] = []

    def __call__(self, *messages: FromLeader) -> None:
        """Say something to all."""
        for link in self._links:
            link.say(*messages)

    def join(self, link: Link[FromWorker]) -> None:
        """Begin to say everything to one more."""
        self._links.append(link)

    def leave(self, link: Link[FromWorker]) -> None:
        """Say nothing more to one."""
        if link in self._links:
            self._links.remove(link)


class MirroredNames(ServerNames):
    """Certificates of the leader.

    Args:
        tell: Told of each change.
        profile: Which versions of TLS to speak.
    """

    def __init__(self, tell: Audience, profile: Profile = "intermediate") -> None:
        super().__init__(profile)
        self._tell = tell
        self._challenged: dict[str, CertifiedKey] = {}

    def put(self, name: str, key: CertifiedKey, *, renewed: bool = False) -> None:
        """Show a certificate to clients that ask for a name."""
        super().put(name, key, renewed=renewed)
        self._tell(self._certificate(name, key))

    def remove(self, name: str) -> None:
        """Show nothing to clients that ask for a name."""
        super().remove(name)
        self._tell(NoCertificate(name=name))

    def set_challenge(self, name: str, key: CertifiedKey) -> None:
        """Show a certificate to the CA."""
        super().set_challenge(name, key)
        self._challenged[name] = key
        self._tell(_challenge(name, key))

    def clear_challenge(self, name: str) -> None:
        """Forget the certificate of a challenge."""
        super().clear_challenge(name)
        self._challenged.pop(name, None)
        self._tell(NoChallenge(name=name))

    def rotate(self) -> None:
        """Begin with a new ticket key; each worker has its own."""
        super().rotate()
        self._tell(Rotate())

    def everything(self) -> Iterator[FromLeader]:
        """Say all to a worker that knows nothing yet."""
        for name, key in self._keys.items():
            yield self._certificate(name, key)
        for name, key in self._challenged.items():
            yield _challenge(name, key)

    def _certificate(self, name: str, key: CertifiedKey) -> Certificate:
        # The set, not the question `has_renewed`, which would take the wildcard's word for a name.
        renewed = name in self._renewed
        return Certificate(name=name, chain=key.chain, key=key.key, renewed=renewed)


class MirroredTokens(dict[bytes, bytes]):
    """Answers to the challenge http-01, of the leader.

    Args:
        tell: Told of each change.
    """

    __slots__ = ("_tell",)

    def __init__(self, tell: Audience) -> None:
        super().__init__()
        self._tell = tell

    def __setitem__(self, token: bytes, answer: bytes) -> None:
        super().__setitem__(token, answer)
        self._tell(_token(token, answer))

    def pop(self, token: bytes, default: object = None) -> bytes | None:  # type: ignore[override]  # the one use there is
        """Answer no more."""
        self._tell(NoToken(token=token))
        return super().pop(token, None)

    def everything(self) -> Iterator[FromLeader]:
        """Say all to a worker that knows nothing yet."""
        return (_token(token, answer) for token, answer in self.items())


def reflect(said: FromLeader, names: ServerNames, tokens: dict[bytes, bytes]) -> None:
    """Do in a worker what the leader did; a message about anything else does nothing.

    Raises:
        CertificateUnusable: What came is no certificate.
    """
    match said:
        case Certificate():
            names.put(said.name, CertifiedKey.load(said.chain, said.key), renewed=said.renewed)
        case NoCertificate():
            names.remove(said.name)
        case Challenge():
            names.set_challenge(said.name, CertifiedKey.load(said.chain, said.key))
        case NoChallenge():
            names.clear_challenge(said.name)
        case Token():
            tokens[said.token] = said.answer
        case NoToken():
            tokens.pop(said.token, None)
        case Rotate():
            names.rotate()
        case _:
            pass


def _challenge(name: str, key: CertifiedKey) -> Challenge:
    return Challenge(name=name, chain=key.chain, key=key.key)


def _token(token: bytes, answer: bytes) -> Token:
    return Token(token=token, answer=answer)
