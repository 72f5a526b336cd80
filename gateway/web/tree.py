"""The resource tree: virtual hosts, sites, locations; look-ups only, all of it built beforehand.

VirtualHosts --hostname--> SiteResource --longest path prefix--> LocationResource --filters--> leaf
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.errors import HTTPError, ProtocolError
from gateway.http.paths import unresolved_path
from gateway.http.prepared import FinishedAnswer
from gateway.web.filter import asks
from gateway.web.resource import Resource

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.http.prepared import PreparedAnswer
    from gateway.units import ByteCount
    from gateway.web.filter import Filter
    from gateway.web.request import ErrorAnswers, Request


@dataclass(frozen=True, slots=True)
class AddedFields:
    """Field lines that the responses of a location get: the prepared form of a filter whose effect is known.

    Attributes:
        lines: What a response gets that has none of the guarded fields.
        known: Mask of the well-known fields among `lines`.
        guard: Mask of fields; for a response that has one of them, `choose` decides.
        choose: Finds the lines for such a response, and their mask; it may remove fields of the head.
    """

    lines: bytes = b""
    known: int = 0
    guard: int = 0
    choose: Callable[[ResponseHead], tuple[bytes, int]] = lambda _: (b"", 0)


class Condition(Protocol):
    """What must hold for a location to answer; implemented by `filters.conditions`."""

    def holds(self, request: Request) -> bool:
        """Tell whether it does."""


_PERCENT, _BACKSLASH, _DOT = b"%\\."  # numbers: to look for one octet as bytes costs four times as much
_NOTHING = AddedFields()


def _never() -> bool:
    return False


def _prepare(
    rows: tuple[AddedFields, ...], filters: tuple[Filter, ...]
) -> tuple[tuple[AddedFields, ...], tuple[Filter, ...]]:
    """Fold the filters nearest to the leaf into added fields, as far as their edits are known beforehand.

    Returns:
        The added fields; and the filters left that edit heads, in the order that they run in.
    """
    editing = [step for step in reversed(filters) if step.prepared(_NOTHING) is not _NOTHING]
    while editing:
        folded = [editing[0].prepared(added) for added in rows]
        known = tuple(added for added in folded if added is not None)
        if len(known) < len(rows):
            break
        rows = known
        del editing[0]
    return rows, tuple(editing)


class LocationResource(Resource):
    """A path prefix of a site: limits, filters and the leaf that answers.

    Args:
        prefix: Path prefix on segment borders, without trailing slash; empty for the whole site.
        leaf: Who answers.
        errors: Who makes error pages.
        site: The site's name, for the log.
        filters: Steps in order, site's first.
        added: Fields that responses get, before the filters see them.
        added_secure: The same for clients on HTTPS; `added` where None.
        added_renewed: The same once the certificate was renewed; `added_secure` where None.
        renewed: Tells whether it was.
        max_body: Octets of request content let through; 0 for no limit.
        setting: Where `max_body` is set, for the log.
        when: What must hold for it to answer; None for nothing.
    """

    __slots__ = (
        "_constant",
        "_mark",
        "added",
        "added_renewed",
        "added_secure",
        "asking",
        "editing",
        "errors",
        "exact",
        "leaf",
        "max_body",
        "prefix",
        "renewed",
        "setting",
        "site",
        "when",
    )

    def __init__(
        self,
        leaf: Resource,
        errors: ErrorAnswers,
        *,
        site: str = "",
        prefix: bytes = b"",
        exact: bool = False,
        filters: tuple[Filter, ...] = (),
        added: AddedFields = AddedFields(),
        added_secure: AddedFields | None = None,
        added_renewed: AddedFields | None = None,
        renewed: Callable[[], bool] = _never,
        max_body: ByteCount | float = 0,
        setting: str = "max_body",
        when: Condition | None = None,
    ) -> None:
        self.leaf = leaf
        self.errors = errors
        self.site = site
        self.prefix = prefix
        self.exact = exact
        self.asking = tuple(step for step in filters if asks(step))
        added_secure = added_secure or added
        rows, self.editing = _prepare((added, added_secure, added_renewed or added_secure), filters)
        self.added, self.added_secure, self.added_renewed = rows
        self._constant = all(step.constant for step in self.editing)
        self._mark = object()  # by which answers know the location; were it itself there, it would never be freed
        self.renewed = renewed
        self.max_body = max_body or float("inf")
        self.setting = setting
        self.when = when

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Check the announced size, run the filters, and hand the request to the leaf or an early answer."""
        request.location = self
        request.bytes_in = len(data)
        if request.head.content_length > self.max_body or request.bytes_in > self.max_body:
            raise self.body_too_large()
        for step in self.asking:
            answer = step.on_request(request)
            if answer is not None:
                answer.render(request, data, end)
                return
        self.leaf.render(request, data, end)

    def finish_prepared(self, request: Request, answer: PreparedAnswer) -> FinishedAnswer | None:
        """Do what `finish_head` does to a response made beforehand, once for each of the forms of `added`.

        Returns:
            The response to send; None where a filter must see each one.
        """
        added = self._added_now(request)
        secure = request.stream.secure
        done = answer.secure if secure else answer.plain
        if done is not None and done.place is self._mark and done.added is added:
            return done
        if not self._constant:
            return None
        head = answer.head()
        done = FinishedAnswer(head, self.finish_head(request, head), answer.data, self._mark, added)
        if secure:
            answer.secure = done
        else:
            answer.plain = done
        return done

    def _added_now(self, request: Request) -> AddedFields:
        if not request.stream.secure:
            return self.added
        return self.added_renewed if self.renewed() else self.added_secure

    def finish_head(self, request: Request, head: ResponseHead) -> bytes:
        """Add the prepared fields, then run over a response's head those filters whose edits depend on it.

        Returns:
            Field lines to send after the head's own.
        """
        added = self._added_now(request) if request.stream.secure else self.added
        if head.known & added.guard:
            lines, known = added.choose(head)
        else:
            lines, known = added.lines, added.known
        if not self.editing:
            return lines
        head.fields += lines
        head.known |= known
        for step in self.editing:
            step.on_response(request, head)
        return b""

    def body_too_large(self) -> HTTPError:
        """Make the error for content over `max_body`."""
        message = f"request content over {self.max_body} octets: {self.setting}"
        return HTTPError(413, "body_too_large", message=message)


class SiteResource(Resource):
    """The hosts of one site file: finds the location by the decoded path, longest prefix first.

    Args:
        name: The site's name.
        locations: Who answers what.
        otherwise: Who answers for paths that no location has, and for malformed ones; where it is None, the one
            location that has all paths, or else they are errors outside of the site.
    """

    __slots__ = ("_by_length", "_only", "_otherwise", "name")

    def __init__(
        self, name: str, locations: Sequence[LocationResource], otherwise: LocationResource | None = None
    ) -> None:
        self.name = name
        # Longest first; of two equal ones the exact path wins.
        self._by_length = sorted(locations, key=lambda place: (-len(place.prefix), not place.exact))
        first = locations[0] if len(locations) == 1 else None
        whole = first is not None and not first.prefix and not first.exact and first.when is None
        self._only = first if whole else None
        self._otherwise = otherwise or self._only

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Pass the request to its location.

        Raises:
            ProtocolError: 400 where the path is malformed or ambiguous.
            HTTPError: 404 where no location has it.
        """
        location = self._only
        target = request.head.target
        if location is None or _PERCENT in target or _BACKSLASH in target or (_DOT in target and b"/." in target):
            location = self.find(request)
        location.render(request, data, end)

    def find(self, request: Request) -> LocationResource:
        """Find the location of a request's path; all readings that an app may have of it must agree.

        The target goes upstream as it came: `/open/../admin` must not be let in as `/admin` is, nor `/admin/../open`
        as `/open` is, where the app behind takes it for the other.
        """
        if self._otherwise is not None:
            request.location = self._otherwise
        path, target = request.path, request.head.target
        location = self._longest(path.decoded, request)
        if path.literal != path.decoded and self._longest(path.literal, request) is not location:
            raise ProtocolError("encoded slash or backslash makes the route ambiguous")
        if (
            target.partition(b"?")[0] != path.decoded
            and self._longest(unresolved_path(target), request) is not location
        ):
            raise ProtocolError("dot segments lead from one route to another")
        location = location or self._otherwise
        if location is None:
            raise HTTPError(404, "no_route")
        return location

    def _longest(self, path: bytes, request: Request) -> LocationResource | None:
        for location in self._by_length:
            prefix = location.prefix
            if path == prefix or (
                not location.exact and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"/", b"")
            ):
                when = location.when
                if when is None or when.holds(request):
                    return location
        return None


class VirtualHosts(Resource):
    """The root: finds the site by the request's host name.

    Args:
        hosts: Sites by exact lower-case name.
        wildcards: Sites by the part behind `*.`; one label is matched, an exact name beats them.
        fallback: Who answers for any other name; None refuses it.
    """

    __slots__ = ("_fallback", "_hosts", "_wildcards")

    def __init__(
        self,
        hosts: Mapping[bytes, Resource],
        wildcards: Mapping[bytes, Resource] | None = None,
        fallback: Resource | None = None,
    ) -> None:
        self._hosts = dict(hosts)
        self._wildcards = dict(wildcards or {})
        self._fallback = fallback

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Pass the request to its site.

        Raises:
            HTTPError: 404 for an unknown host; ProtocolError 400 where HTTP/1.0 names none.
        """
        hostname = request.head.hostname
        site = self._hosts.get(hostname)
        if site is None:
            site = self.find(hostname)
            if site is None:
                raise self._unknown(hostname)
        site.render(request, data, end)

    def find(self, hostname: bytes) -> Resource | None:
        """Look a host name up: exact, then wildcard, then the default site."""
        return self._hosts.get(hostname) or self._wildcards.get(hostname.partition(b".")[2]) or self._fallback

    @staticmethod
    def _unknown(hostname: bytes) -> Exception:
        if not hostname:
            return ProtocolError("no Host and no default site (RFC 9112 §3.2)")
        return HTTPError(404, "unknown_host", message=f"no site for host {hostname!r}")
