"""Which names get certificates, and what names and authorities are called on disk."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from gateway.net.addresses import is_address

LETSENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"
LETSENCRYPT_STAGING: Final = "https://acme-staging-v02.api.letsencrypt.org/directory"

_KNOWN: Final = {"letsencrypt": LETSENCRYPT, "letsencrypt-staging": LETSENCRYPT_STAGING}
_LABELS: Final = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]")
_LOCAL: Final = ("localhost", "local", "internal", "home.arpa", "test", "example")
_WILDCARD: Final = "_wildcard."


def is_public(name: str) -> bool:
    """Tell whether an authority could issue for a host or wildcard: a DNS name that is not set aside.

    Args:
        name: In the form of `Site.hosts`, a wildcard as `*.example.com`.

    Source: RFC 6761, RFC 6762, RFC 8375, RFC 1123 §2.1.
    """
    if not _LABELS.fullmatch(name) or len(name) > 253 or is_address(name):
        return False
    return not any(name == local or name.endswith(f".{local}") for local in _LOCAL)


def is_wildcard(name: str) -> bool:
    """Tell whether a name is a wildcard such as `*.example.com`."""
    return name.startswith("*.")


def registered_domain(name: str) -> str:
    """Guess the domain that was registered, for the authority's limit on each.

    Two labels; three below a short second level of a country, such as `co.uk`. A guess too short only makes our own
    limit stricter than the authority's.
    """
    labels = name.removeprefix("*.").split(".")
    size = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-size:])


def folder_name(name: str) -> str:
    """Name the folder of a name: itself; `_wildcard.` in place of `*.`, as in the names of site files."""
    return _WILDCARD + name[2:] if is_wildcard(name) else name


def name_of_folder(folder: str) -> str:
    """Undo `folder_name`."""
    return f"*.{folder.removeprefix(_WILDCARD)}" if folder.startswith(_WILDCARD) else folder


def directory_url(directory: str) -> str:
    """Find the URL of a directory (RFC 8555 §7.1.1) that settings name shortly or in full."""
    return _KNOWN.get(directory, directory)


def staging_of(directory: str) -> str:
    """Find the directory on which to try again after a failed validation; empty where none is known."""
    return "letsencrypt-staging" if directory_url(directory) == LETSENCRYPT else ""


def authority_folder(directory: str) -> str:
    """Name the folder of an authority's certificates, account and ledger."""
    for short, url in _KNOWN.items():
        if directory in (short, url):
            return short
    parts = urlsplit(directory)
    return re.sub(r"[^a-z0-9.]+", "-", f"{parts.netloc}{parts.path}".lower()).strip("-.")
