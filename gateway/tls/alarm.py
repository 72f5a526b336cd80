"""Alarms: a certificate that could not be renewed, or is about to expire, is told to people by command or webhook."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import requests
from twisted.logger import Logger

from gateway.tls.hooks import Hook
from gateway.tls.problems import IssuingError
from gateway.tls.worker import Worker
from gateway.units import Seconds

log = Logger()

HOOK_TIME: Final = Seconds(60)
WEBHOOK_TIME: Final = Seconds(15)

SENTENCES: Final = {
    "failure": "no certificate could be had",
    "quarter": "a quarter of the certificate's lifetime is left and it was not renewed",
    "eighth": "an eighth of the certificate's lifetime is left and it was not renewed",
    "expired": "the certificate has expired; it is served all the same",
}
"""What each alarm means."""


class Alarm:
    """Tells people: `HOOK ALARM NAME SENTENCE`, and a POST of the same as JSON.

    Args:
        hook: The command; None for none.
        webhook: The URL; empty for none.
        worker: Where it is waited for.
        post: Sends a JSON object to a URL; raises OSError.
    """

    def __init__(
        self,
        hook: Hook | None,
        webhook: str,
        worker: Worker,
        post: Callable[[str, dict[str, str]], None] | None = None,
    ) -> None:
        self._hook = hook
        self._webhook = webhook
        self._worker = worker
        self._post = post or _post

    async def give(self, kind: str, name: str, error: str) -> None:
        """Give an alarm; never fails, for the log has it in any case.

        Args:
            kind: A key of `SENTENCES`.
            name: The name of the certificate.
            error: What went wrong last; empty for nothing.
        """
        sentence = f"{name}: {SENTENCES[kind]}" + (f"; last error: {error}" if error else "")
        log.error("certificate alarm: {sentence}", sentence=sentence)
        if self._hook is not None:
            try:
                await self._hook.call((kind, name, sentence), HOOK_TIME)
            except IssuingError as problem:
                log.error("the alarm's command failed: {problem}", problem=str(problem))
        if self._webhook:
            body = {"event": "certificate", "alarm": kind, "name": name, "message": sentence}
            try:
                await self._worker.run(partial(self._post, self._webhook, body))
            except OSError as problem:
                # Its text may hold the URL, and that a token.
                log.error("the alarm's webhook failed: {problem}", problem=type(problem).__name__)


def _post(url: str, body: dict[str, str]) -> None:
    with requests.post(url, json=body, timeout=WEBHOOK_TIME, stream=True, allow_redirects=False) as response:
        response.raise_for_status()
