"""What the operator should know of failed exchanges: sentences on the log, few enough to be read in an outage.

Of each upstream and reason, or site and reason, one line in ten seconds; it counts those that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gateway.errors import Blame, GatewayError, UpstreamError
from gateway.units import Seconds

if TYPE_CHECKING:
    from gateway.web.request import ExchangeLog, Request

QUIET: Final = Seconds(10)
"""How long nothing more is said of the same."""


class Incidents:
    """Says what went wrong, and hands every exchange on to the access log.

    Args:
        following: The access log.
        clock: Monotonic seconds.
        warn: Takes sentences.
    """

    __slots__ = ("_clock", "_following", "_said", "_warn")

    def __init__(self, following: ExchangeLog, clock: Callable[[], Seconds], warn: Callable[[str], object]) -> None:
        self._following = following
        self._clock = clock
        self._warn = warn
        self._said: dict[tuple[str, str], tuple[Seconds, int]] = {}

    def exchange_finished(self, request: Request) -> None:
        """Note an exchange that is over."""
        if request.error is not None:
            self._explain_error(request, request.error)
        elif request.status in _REFUSED_HEADS and request.upstream_name:
            self._explain_refused_head(request)
        self._following.exchange_finished(request)

    def socket_opened(self, request: Request) -> None:
        """Hand an open WebSocket on."""
        self._following.socket_opened(request)

    def _explain_error(self, request: Request, error: GatewayError) -> None:
        if isinstance(error, UpstreamError):
            self._explain_upstream(request.upstream_name or request.location.site, error)
        elif error.reason in _CLIENTS_WORTH_A_WORD or (error.blame is not Blame.CLIENT and error.reason not in _QUIET):
            place = f"{request.location.site}: " if request.location.site else ""
            self._say(request.location.site, error.reason, f"{place}{_sentence(error)}{_ADVICE.get(error.reason, '')}")

    def _explain_upstream(self, name: str, error: UpstreamError) -> None:
        sentence = _sentence(error)
        if name not in sentence:
            sentence = f"{name}: {sentence}"
        if not sentence.endswith("?"):
            sentence += _ADVICE.get(error.reason, "")
        self._say(name, error.reason, sentence)

    def _explain_refused_head(self, request: Request) -> None:
        """Say why an app may have refused a head that the gateway let through."""
        head = request.head
        fields = head.raw.count(b"\r\n") - 1
        self._say(
            request.upstream_name,
            f"answered {request.status}",
            f"{request.upstream_name} answered {request.status}: the request's head has {head.size} octets in "
            f"{fields} fields, its target {len(head.target)} octets, and the gateway adds up to "
            "seven fields; Bandit by default refuses more than 50 fields, and lines over 10,000 octets",
        )

    def _say(self, subject: str, reason: str, sentence: str) -> None:
        now = self._clock()
        last, unsaid = self._said.get((subject, reason), (Seconds(now - QUIET), 0))
        if now - last < QUIET:
            self._said[subject, reason] = (last, unsaid + 1)
            return
        self._said[subject, reason] = (now, 0)
        more = f" ({unsaid} more since {now - last:.0f} s ago)" if unsaid else ""
        self._warn(f"{sentence}{more}")


def _sentence(error: GatewayError) -> str:
    """Make the error's own words fit for a log line, whatever a peer put into them."""
    text = str(error) or error.reason
    return "".join(letter if letter.isprintable() else "?" for letter in text)


_REFUSED_HEADS: Final = frozenset({414, 431})
_CLIENTS_WORTH_A_WORD: Final = frozenset(
    {
        "accel_missing",
        "body_too_large",
        "forbidden",
        "header_too_large",
        "link_refused",
        "loop",
        "no_root",
        "not_yet",
        "target_too_long",
        "websocket_client_limit",
        "websocket_site_limit",
    }
)
"""Errors blamed on clients of which the cause may be a setting, or a file that is not as it should be."""
_QUIET: Final = frozenset({"stopping", "internal", "maintenance"})
"""Errors that are no news, or what the operator asked for, or that are on the log with their traceback already."""
_ADVICE: Final = {
    "header_too_large": "; `header_size` and `header_count` in [limits] of gateway.toml say how much it may be",
    "target_too_long": "; `header_line` in [limits] of gateway.toml says how long it may be",
    "upstream_refused": ": is it running?",
    "upstream_reset": ": did it crash?",
    "upstream_header_timeout": "; `response_timeout` of the site says how long it may take",
    "upstream_connect_timeout": ": is it overloaded, or does a firewall drop packets?",
    "upstream_certificate": "; `ca`, `server_name` and `verify` of the site say what is trusted",
    "upstream_header_too_large": "; it may send too many or too large cookies",
}
