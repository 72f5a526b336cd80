"""What is remembered of a name between attempts and across restarts: the file `meta` beside its certificate."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from gateway.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When the authority would like a certificate renewed (RFC 9773 §4).

    Attributes:
        certificate: Identifier of the certificate it is for.
        start: Start of the window, in seconds of the epoch as all times here; so is `end`.
        end: End of the window.
        moment: The random moment in it that we chose.
        poll: When to ask again.
        explanation: URL of a page that says why; empty for none.
    """

    certificate: str
    start: Seconds
    end: Seconds
    moment: Seconds
    poll: Seconds
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameState:
    """What is remembered of a name; all times in seconds of the epoch, 0 for never.

    Attributes:
        failures: Attempts that failed in a row.
        first_failure: When the first of them failed.
        last_failure: When the last of them failed.
        next_try: No attempt before, by our own back-off.
        held_until: No attempt before, by the authority's Retry-After or our ledger.
        error: What went wrong last, for people; empty once it went well.
        challenge: Type of the challenge that succeeded last.
        staging: Whether the next attempt goes to the staging directory first.
        window: The authority's renewal window.
        alarmed: Alarms already given for the certificate of now.
        issued: When the certificate was issued to us.
        profile: Its profile.
        renewed: Whether it was not the first one, so that HTTPS has come to stay.
    """

    failures: int = 0
    first_failure: Seconds = Seconds(0)
    last_failure: Seconds = Seconds(0)
    next_try: Seconds = Seconds(0)
    held_until: Seconds = Seconds(0)
    error: str = ""
    challenge: str = ""
    staging: bool = False
    window: Window | None = None
    alarmed: tuple[str, ...] = field(default=())
    issued: Seconds = Seconds(0)
    profile: str = ""
    renewed: bool = False

    def to_json(self) -> bytes:
        """Write it as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> NameState:
        """Read what `to_json` wrote; a damaged or foreign file counts as none."""
        try:
            found: dict[str, Any] = json.loads(data)
            known = _fields(cls, found)
            window = known.pop("window", None)
            known["alarmed"] = tuple(str(each) for each in known.get("alarmed", ()))
            state = cls(**known, window=Window(**_fields(Window, window)) if window else None)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls()
        return state if state.is_sound() else cls()

    def is_sound(self) -> bool:
        """Tell whether the values are of the types that they should have."""
        numbers: list[object] = [self.first_failure, self.last_failure, self.next_try, self.held_until, self.issued]
        texts: list[object] = [self.error, self.challenge, self.profile]
        if self.window is not None:
            numbers += [self.window.start, self.window.end, self.window.moment, self.window.poll]
            texts += [self.window.certificate, self.window.explanation]
        return (
            isinstance(self.failures, int)
            and self.failures >= 0
            and all(isinstance(each, (int, float)) for each in numbers)
            and all(isinstance(each, str) for each in texts)
            and isinstance(self.staging, bool)
            and isinstance(self.renewed, bool)
        )


def _fields(kind: type[NameState | Window], found: dict[str, Any]) -> dict[str, Any]:
    """Choose what a class has, and leave out what a later version may have written besides."""
    return {name: found[name] for name in kind.__dataclass_fields__ if name in found}
