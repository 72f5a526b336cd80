"""Secrets in what clients send: which texts hold any, and what the log shows instead."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

MASK: Final = b"***"
SHORTEST_TOKEN: Final = 20
"""Octets from which on a path segment is taken for a token where one may stand."""


def mask(text: bytes) -> bytes:
    """Hide secrets in a request target, a URL, or anything of the like.

    Hidden are the values of parameters whose names sound like a secret, wherever parameters may stand (query, fragment,
    a URL within a URL, percent-encoded or not); user information; and what follows the path segments in which Phoenix
    puts the tokens of its mails.
    """
    if b"@" in text:
        text = _USER_INFORMATION.sub(rb"\1" + MASK + b"@", text)
    if b"=" in text:
        text = _PARAMETER.sub(_hide if text.count(b"=") <= _MANY else rb"\1=" + MASK, text)
    return _IN_PATH.sub(rb"\1" + MASK, text) if len(text) > SHORTEST_TOKEN else text


def _hide(parameter: re.Match[bytes]) -> bytes:
    name, value = parameter[1], parameter[2]
    if _is_secret(name):
        return name + b"=" + MASK
    if value.translate(None, _SIMPLE):
        names = _NAME.findall(_decoded(value))
        if len(names) > _MANY or any(map(_is_secret, names)):
            return name + b"=" + MASK
    return parameter[0]


def _is_secret(name: bytes) -> bool:
    """Tell whether a name sounds like a secret; short names met are remembered."""
    secret = _names.get(name)
    if secret is None:
        secret = _SECRET_NAME.search(_decoded(name)) is not None
        if len(name) <= _SHORT:
            if len(_names) >= _REMEMBERED:
                _names.clear()
            _names[name] = secret
    return secret


def _decoded(text: bytes) -> bytes:
    """Undo percent-encoding, also where it was applied several times: a URL within a URL within a URL."""
    for _ in range(_DEPTH):
        if b"%" not in text:
            break
        text = unquote_to_bytes(text)
    return text


_DEPTH: Final = 4
_MANY: Final = 100  # parameters that are judged one by one; of more none is shown
_SHORT: Final = 40
_REMEMBERED: Final = 2_000
_SIMPLE: Final = bytes(octet for octet in range(256) if octet not in b"=:%")
# Each begins where a name can begin, and never goes back: the time they take grows with the text's length only.
_PARAMETER: Final = re.compile(rb"(?<![^?&;#=/ \t])([^?&;#=/ \t]++)=([^&#]*)")
_NAME: Final = re.compile(rb"(?<![^?&;#=:/ \t])([^?&;#=:/ \t]++)[=:]")
_SECRET_NAME: Final = re.compile(
    rb"(?i)token|secret|passw|passphrase|pwd|signature|csrf|xsrf|jwt|session|credential|authori|cookie|api_?key|bearer|saml"
    rb"|(?:^|[^a-z])(?:auth|code|cvc|cvv|hmac|key|pass|pin|pw|otp|sid|sig|ticket|assertion)(?:$|[^a-z])"
)
_USER_INFORMATION: Final = re.compile(rb"(://|^//)[^/?#]*@")
# Between word and token may be whose it is: `/reset/MQ/…`.
_IN_PATH: Final = re.compile(
    rb"(?i)(/(?:log[-_]?in|sign[-_]?in|confirm|reset|verify|magic|invit|unlock|activat|token|unsub)[a-z_-]*/"
    rb"(?:[^/?#]{1,%d}/)?)[^/?#]{%d,}" % (SHORTEST_TOKEN - 1, SHORTEST_TOKEN)
)
_names: dict[bytes, bool] = {}
