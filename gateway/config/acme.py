"""Settings of automatic certificates, the table `[acme]` of gateway.toml."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from gateway.settings import FilePath, beside_file, settings

ChallengeType = Literal["http-01", "tls-alpn-01", "dns-01", "dns-persist-01"]


def _directory(text: str) -> str:
    if text not in ("letsencrypt", "letsencrypt-staging") and not _HTTPS.fullmatch(text):
        raise ValueError(f'expected "letsencrypt", "letsencrypt-staging" or an https:// URL, got {text!r}')
    return text


def _optional_directory(text: str) -> str:
    return _directory(text) if text else text


def _webhook(text: str) -> str:
    if text and not re.fullmatch(r"https?://[!-~]+", text):
        raise ValueError("expected an http:// or https:// URL")
    return text


def _command(value: Any, info: ValidationInfo) -> Any:
    """Read a command: a program, or a list of it and its arguments; a program with a slash is relative to the file."""
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)):
        return words
    if any(not isinstance(word, str) or "\0" in word for word in words) or (words and not words[0]):
        raise ValueError("expected a program, or a list of a program and its arguments")
    return tuple(beside_file(word, info) if not i and "/" in word else word for i, word in enumerate(words))


Command = Annotated[
    tuple[str, ...],
    BeforeValidator(_command),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]
"""A command: `"./hook.sh"`, or `["python3", "hook.py"]`."""


@settings
class ExternalAccountBinding:
    """Settings, the table `eab` of `[acme]`: the account on the authority's website (RFC 8555 §7.3.4).

    Attributes:
        kid: Key identifier.
        hmac: Key, base64url; better `env:NAME` or `file:PATH` than the key itself.
    """

    kid: str = Field(min_length=1, repr=False)
    hmac: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_=-]+$", repr=False)


@settings
class Acme:
    """Settings, the table `[acme]` of gateway.toml. Certificates are asked for with `email` or `agree`.

    Attributes:
        email: Contact of the account; to give it is to agree to the authority's terms.
        agree: Agree to the authority's terms without a contact.
        directory: `letsencrypt`, `letsencrypt-staging`, or a directory's URL (RFC 8555 §7.1.1).
        staging: Directory to try first after a validation failed; by default Let's Encrypt's for Let's Encrypt.
        ca_file: PEM file of the authority of the ACME server's own certificate, where it is private.
        eab: External account, for authorities that want one.
        profile: Profile of certificates, such as `tlsserver` or `shortlived`; a site may have its own.
        chain: Name of the issuer at the top of the chain to prefer, where the authority offers several.
        challenges: Types of challenges, the best first; by default http-01, tls-alpn-01, and dns-01 with `dns_hook`.
        dns_hook: Command that publishes TXT records: `HOOK add NAME VALUE` and `HOOK remove NAME VALUE`.
        alarm_hook: Command that tells you of trouble: `HOOK ALARM NAME SENTENCE`.
        alarm_webhook: URL that the same is sent to, as JSON.
        take_over: Folder of txacme's certificates, `<name>.pem`, to go on with.
    """

    email: str = ""
    agree: bool = False
    directory: Annotated[str, AfterValidator(_directory)] = "letsencrypt"
    staging: Annotated[str, AfterValidator(_optional_directory)] = ""
    ca_file: FilePath = ""
    eab: ExternalAccountBinding | None = None
    profile: str = ""
    chain: str = ""
    challenges: tuple[ChallengeType, ...] = ()
    dns_hook: Command = ()
    alarm_hook: Command = ()
    alarm_webhook: Annotated[str, AfterValidator(_webhook)] = Field(default="", repr=False)
    take_over: FilePath = ""

    def __post_init__(self) -> None:
        """Check what the keys mean together.

        Raises:
            ValueError: dns-01 without a hook.
        """
        if "dns-01" in self.challenges and not self.dns_hook:
            raise ValueError("expected `dns_hook` beside the challenge dns-01")

    @property
    def enabled(self) -> bool:
        """Whether an authority may be asked at all."""
        return bool(self.email or self.agree)

    @property
    def chosen_challenges(self) -> tuple[str, ...]:
        """Types of challenges, the best first."""
        dns = ("dns-01",) if self.dns_hook else ()
        return self.challenges or ("http-01", "tls-alpn-01", *dns)


_HTTPS: Final = re.compile(r"https://[!-~]+")
