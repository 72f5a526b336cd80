"""Conditions on a route: it answers only requests of some methods, clients, headers or query parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl

from pydantic import AfterValidator, Field

from gateway.http.addresses import read_address
from gateway.http.fields import is_token
from gateway.settings import FieldName, Network, settings

if TYPE_CHECKING:
    from gateway.web.request import Request


def _method(name: str) -> str:
    if not is_token(name.encode("utf-8")) or name != name.upper():
        raise ValueError(f'expected a method such as "POST", in capitals, got {name!r}')
    return name


@settings
class When:
    """Settings, the key `when` of a route; all that is given must hold, or the next shorter route is asked.

    Attributes:
        method: Methods, such as `["POST"]`; their case counts (RFC 9110 §9.1).
        ip: Networks of clients, in CIDR form.
        header: Fields of the request with the value that each must have; `"*"` for any.
        query: Query parameters with the value that each must have; `"*"` for any.
    """

    method: tuple[Annotated[str, AfterValidator(_method)], ...] = ()
    ip: tuple[Network, ...] = ()
    header: dict[FieldName, str] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)


class Conditions:
    """Tells whether a route is for a request (`web.tree.Condition`).

    Args:
        when: What must hold.
    """

    __slots__ = ("_header", "_ip", "_methods", "_query")

    def __init__(self, when: When) -> None:
        self._methods = frozenset(method.encode("utf-8") for method in when.method)
        self._ip = when.ip
        self._header = [(name.lower().encode("utf-8"), value.encode("utf-8")) for name, value in when.header.items()]
        self._query = list(when.query.items())

    def holds(self, request: Request) -> bool:
        """Tell whether all conditions hold."""
        return (
            (not self._methods or request.head.method in self._methods)
            and (not self._ip or self._is_client(request.client))
            and all(_matches(request.head.get_all(name), value) for name, value in self._header)
            and (not self._query or self._has_parameters(request.head.target))
        )

    def _is_client(self, client: str) -> bool:
        address = read_address(client)
        return address is not None and any(address in network for network in self._ip)

    def _has_parameters(self, target: bytes) -> bool:
        given = parse_qsl(target.partition(b"?")[2].decode("latin-1"), keep_blank_values=True, encoding="utf-8")
        return all(any(name == key and value in ("*", found) for key, found in given) for name, value in self._query)


def _matches(values: list[bytes], wanted: bytes) -> bool:
    return bool(values) if wanted == b"*" else wanted in values
