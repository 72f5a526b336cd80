"""What the leader and its workers say to each other: plain data, as JSON, checked on arrival.

A worker meets clients and the leader does not, so what a worker says is numbers and texts and nothing else. The other
way round sites and settings travel packed (`gateway.workers.packing`).
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Final, Literal, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from gateway.units import ByteCount

LONGEST: Final = ByteCount(16_000_000)
"""Octets of a message."""

Count = Annotated[int, Field(ge=0)]
_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field, field))
def message(cls: _Class) -> _Class:
    """Make a class a message: frozen, keyword only, without conversions, unknown keys refused."""
    config = ConfigDict(extra="forbid", strict=True, ser_json_bytes="base64", val_json_bytes="base64")
    return cast("_Class", dataclass(frozen=True, slots=True, kw_only=True, config=config)(cls))


class BadMessage(Exception):
    """What came is no message."""


# From the leader.


@message
class Begin:
    """The first message: what a worker needs to be one.

    Attributes:
        version: Of the leader's program; a worker of another one does not understand it.
        folder: The folder of site files.
        via: Our name in Via.
        sockets: Of each place the descriptors of each listener, those of `http` first.
        config: The settings of gateway.toml, a pickle.
    """

    kind: Literal["begin"] = "begin"
    version: str
    folder: str
    via: str
    sockets: tuple[tuple[tuple[int, ...], ...], ...]
    config: bytes = field(repr=False)


@message
class Configure:
    """New settings of gateway.toml, a pickle."""

    kind: Literal["configure"] = "configure"
    config: bytes = field(repr=False)


@message
class Sites:
    """Sites that are new or changed, a pickle; they are served with the next `Serve`."""

    kind: Literal["sites"] = "sites"
    sites: bytes = field(repr=False)


@message
class Serve:
    """Serve all sites as they were told until now.

    Attributes:
        generation: Counts how often it was said.
        files: The files of all sites there are, in order.
    """

    kind: Literal["serve"] = "serve"
    generation: int
    files: tuple[str, ...]


@message
class Accept:
    """Accept connections from the sockets of these places and of no others.

    Attributes:
        places: Their numbers, from 1: a worker's own, and those of workers that are being replaced.
    """

    kind: Literal["accept"] = "accept"
    places: tuple[Annotated[int, Field(ge=1)], ...]


@message
class Gone:
    """The file of a site was removed: its WebSockets are closed."""

    kind: Literal["gone"] = "gone"
    site: str


@message
class Certificate:
    """A certificate is to be shown for a name.

    Attributes:
        name: The name; empty for clients that name nobody.
        chain: PEM.
        key: PEM.
        renewed: Whether it is known not to be the first one of this name.
    """

    kind: Literal["certificate"] = "certificate"
    name: str
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    renewed: bool


@message
class NoCertificate:
    """Nothing is to be shown for a name."""

    kind: Literal["no_certificate"] = "no_certificate"
    name: str


@message
class Challenge:
    """The certificate of tls-alpn-01 that an authority shall see under a name, PEM."""

    kind: Literal["challenge"] = "challenge"
    name: str
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)


@message
class NoChallenge:
    """The challenge tls-alpn-01 of a name is over."""

    kind: Literal["no_challenge"] = "no_challenge"
    name: str


@message
class Token:
    """What the challenge http-01 with this token is answered with."""

    kind: Literal["token"] = "token"
    token: bytes = field(repr=False)
    answer: bytes = field(repr=False)


@message
class NoToken:
    """The challenge http-01 with this token is over."""

    kind: Literal["no_token"] = "no_token"
    token: bytes = field(repr=False)


@message
class Rotate:
    """Begin with a new key of session tickets."""

    kind: Literal["rotate"] = "rotate"


@message
class Reopen:
    """Open access logs anew."""

    kind: Literal["reopen"] = "reopen"


@message
class Elsewhere:
    """How many connections all other workers have, and of that those of clients that have many."""

    kind: Literal["elsewhere"] = "elsewhere"
    connections: Count
    clients: dict[str, Count] = field(default_factory=dict)


@message
class Health:
    """Which upstreams are down, by their marks; all others may be used."""

    kind: Literal["health"] = "health"
    down: frozenset[str]


@message
class Sticky:
    """The key of cookies that name upstreams; said before the first site that needs it."""

    kind: Literal["sticky"] = "sticky"
    key: bytes = field(repr=False)


@message
class Ask:
    """Answer this, having done all that was said before; it need not be built yet."""

    kind: Literal["ask"] = "ask"
    number: int


@message
class Stop:
    """Accept no more, drain, end."""

    kind: Literal["stop"] = "stop"


@message
class Cut:
    """Cut what a stop still waits for."""

    kind: Literal["cut"] = "cut"


FromLeader = (
    Begin | Configure | Sites | Serve | Accept | Gone | Certificate | NoCertificate | Challenge | NoChallenge
    | Token | NoToken | Rotate | Reopen | Elsewhere | Health | Sticky | Ask | Stop | Cut
)  # fmt: skip


# From a worker.


@message
class Serves:
    """A generation is served.

    Attributes:
        generation: Its number.
        failed: Files of sites that could not be built here.
    """

    kind: Literal["serves"] = "serves"
    generation: int
    failed: tuple[str, ...] = ()


@message
class Figures:
    """What a worker counts; said once a second, so silence means that it hangs.

    Attributes:
        connections: Client connections open now.
        lost: Lines of access logs lost so far.
        clients: Connections of clients that have many.
    """

    kind: Literal["figures"] = "figures"
    connections: Count
    lost: Count
    clients: Annotated[dict[Annotated[str, Field(max_length=100)], Count], Field(max_length=2000)] = field(
        default_factory=dict
    )


@message
class Said:
    """A sentence for the operator's log."""

    kind: Literal["said"] = "said"
    level: Literal["info", "warn", "error", "critical"]
    text: Annotated[str, Field(max_length=20_000)]


@message
class Answer:
    """All that was said before `Ask` is done."""

    kind: Literal["answer"] = "answer"
    number: int


@message
class Leaving:
    """It was told to end by somebody else: it accepts no more, and ends once it is idle."""

    kind: Literal["leaving"] = "leaving"


FromWorker = Serves | Figures | Said | Answer | Leaving

_LEADERS: Final = TypeAdapter[FromLeader](Annotated[FromLeader, Field(discriminator="kind")])
_WORKERS: Final = TypeAdapter[FromWorker](Annotated[FromWorker, Field(discriminator="kind")])


def write(said: FromLeader | FromWorker) -> bytes:
    """Write a message."""
    kinds: TypeAdapter[Any] = _WORKERS if isinstance(said, FromWorker) else _LEADERS
    return kinds.dump_json(said)


def read_leaders(data: bytes) -> FromLeader:
    """Read a message of the leader.

    Raises:
        BadMessage: It is none.
    """
    return _read(_LEADERS, data)


def read_workers(data: bytes) -> FromWorker:
    """Read a message of a worker.

    Raises:
        BadMessage: It is none.
    """
    return _read(_WORKERS, data)


_Message = TypeVar("_Message")


def _read(kinds: TypeAdapter[_Message], data: bytes) -> _Message:
    try:
        return kinds.validate_json(data)
    except ValidationError as error:
        raise BadMessage(f"{error.error_count()} errors, the first: {error.errors(include_input=False)[0]}") from None
