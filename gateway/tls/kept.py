"""One name that the issuing service looks after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from gateway.tls.certificate import CertifiedKey
from gateway.tls.schedule import CHECK, Validity, credible
from gateway.tls.state import NameState
from gateway.units import Seconds


@dataclass(slots=True)
class Kept:
    """A name with its certificate.

    Attributes:
        name: The name.
        profile: Profile that its certificates shall have; empty for the authority's choice; None if none
            is asked for.
        state: What is remembered of it.
        key: Its certificate; None before the first.
        unasked: Whether nobody asked for it: it came with a site, and may not be in use.
        look_at: When to look at it next, in seconds of the epoch.
        ask_at: When to ask for renewal information at the earliest.
        asking: Whether that is being asked.
        task: The order under way.
        wished: Whether the operator wants a new certificate now.
    """

    name: str
    profile: str | None
    state: NameState
    key: CertifiedKey | None = None
    unasked: bool = False
    look_at: float = 0.0
    ask_at: float = 0.0
    asking: bool = False
    task: Deferred[Any] | None = None
    wished: bool = False

    def is_due(self, now: Seconds) -> bool:
        """Tell whether it is to be looked at."""
        return self.wished or credible(self.look_at, now, 2 * CHECK) <= now

    @property
    def validity(self) -> Validity | None:
        """When its certificate holds."""
        return Validity(self.key.not_before, self.key.not_after) if self.key is not None else None
