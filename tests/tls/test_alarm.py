"""Alarms reach people, and never cause trouble themselves."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.internet.defer import Deferred

from gateway.tls.alarm import Alarm
from gateway.tls.hooks import Hook
from tests.support.issuing import InlineWorker


def test_hook_and_webhook(tmp_path: Path) -> None:
    """Both get the kind of alarm, the name and a sentence."""
    out, sent = tmp_path / "out", []
    command = [sys.executable, "-c", f"import sys; open({str(out)!r}, 'w').write('|'.join(sys.argv[1:]))"]
    alarm = Alarm(Hook(command, InlineWorker()), "https://hook.test", InlineWorker(), lambda _, body: sent.append(body))
    Deferred.fromCoroutine(alarm.give("quarter", "a.org", "refused"))
    sentence = "a.org: a quarter of the certificate's lifetime is left and it was not renewed; last error: refused"
    assert out.read_text() == f"quarter|a.org|{sentence}"
    assert sent == [{"event": "certificate", "alarm": "quarter", "name": "a.org", "message": sentence}]


def test_failures_are_swallowed_and_told() -> None:
    """A hook and a webhook that fail do not disturb the renewal."""

    def fail(url: str, body: object) -> None:
        raise ConnectionError("https://hook.test/secret-token")

    alarm = Alarm(Hook(["/nonexistent"], InlineWorker()), "https://hook.test", InlineWorker(), fail)
    results: list[object] = []
    Deferred.fromCoroutine(alarm.give("expired", "a.org", "")).addBoth(results.append)
    assert results == [None]
