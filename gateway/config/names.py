"""Which hosts a site file claims, and who gets a host that several files claim."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from gateway.config.hosts import normal_host, normal_pattern, www_name

DEFAULT_STEM = "_default"
WILDCARD_STEM = "_wildcard."


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a site file claims.

    Attributes:
        name: Its name for people and logs.
        own: The host that the file is named after; a wildcard as `*.example.com`; empty for the default site.
        others: Hosts and wildcards of `hosts`.
        www: The `www.` name of its own, which it has unless another file claims it; empty for none.
    """

    name: str
    own: str = ""
    others: tuple[str, ...] = ()
    www: str = ""

    @property
    def claimed(self) -> tuple[str, ...]:
        """All hosts and wildcards claimed for certain, own one first, each once."""
        return tuple(dict.fromkeys((self.own, *self.others) if self.own else self.others))

    @property
    def default(self) -> bool:
        """Whether this is the default site."""
        return not self.own


def names_of(stem: str, hosts: Iterable[str] = ()) -> Names:
    """Find the names of a site file.

    Args:
        stem: Name of the file without `.toml`.
        hosts: Its key `hosts`, in normal form.

    Raises:
        ValueError: The stem is neither a host nor one of the special names.
    """
    others = tuple(hosts)
    if stem == DEFAULT_STEM:
        return Names(stem, others=others)
    if stem.startswith(WILDCARD_STEM):
        return Names(stem, normal_pattern(f"*.{stem.removeprefix(WILDCARD_STEM)}"), others)
    if stem.startswith("_"):
        raise ValueError(f'expected "{DEFAULT_STEM}" or "{WILDCARD_STEM}example.com" of names with "_", got {stem!r}')
    own = normal_host(stem)
    www = www_name(own)
    return Names(own, own, others, "" if www in others else www)


def owners(claims: Mapping[str, Names], live: Mapping[str, str], broken: Container[str] = ()) -> dict[str, str]:
    """Decide which file has which host.

    A file that has a host already keeps it; then the file named after it wins, then one without errors, then the first.
    A `www.` name goes to the file named after the rest only if nobody claims it outright.

    Args:
        claims: Names by file.
        live: File by host, as it was before.
        broken: Files with errors.

    Returns:
        File by host or wildcard.
    """
    claimants: dict[str, list[str]] = {}
    for file in sorted(claims):
        for host in claims[file].claimed:
            claimants.setdefault(host, []).append(file)
    won = {
        host: min(files, key=lambda file: (live.get(host) != file, claims[file].own != host, file in broken, file))
        for host, files in claimants.items()
    }
    for file in sorted(claims):
        if claims[file].www:
            won.setdefault(claims[file].www, file)
    return won
