from __future__ import annotations

import pytest

from gateway.config.names import Names, names_of, owners


def test_names_of_special_files() -> None:
    """The default site has no host, a wildcard file its wildcard, any other its own name and `www.`."""
    assert names_of("_default").default
    assert names_of("_wildcard.Example.com").claimed == ("*.example.com",)
    assert names_of("Example.com", ("example.com", "b.com")).claimed == ("example.com", "b.com")
    assert names_of("example.com").www == "www.example.com"
    assert not names_of("example.com", ("www.example.com",)).www
    with pytest.raises(ValueError, match="expected a host name"):
        names_of("other one")


CLAIMS = {
    "a": Names("a.com", "a.com", ("shared.com", "c.com")),
    "b": Names("b.com", "b.com", ("shared.com", "www.c.com")),
    "c": Names("c.com", "c.com", (), "www.c.com"),
}


def test_misspelt_special_names_are_no_hosts() -> None:
    """A name with an underscore is one of the special ones, not a host that nobody can ask for."""
    for stem in ("_defualt", "_wildcard", "_wildcard_example.com"):
        with pytest.raises(ValueError, match=f'expected "_default" or "_wildcard.example.com".*{stem}'):
            names_of(stem)


def test_the_file_that_has_a_host_keeps_it() -> None:
    """Who served a host until now wins, even against the file named after it."""
    assert owners(CLAIMS, {"shared.com": "b", "c.com": "a"})["shared.com"] == "b"
    assert owners(CLAIMS, {"c.com": "a"})["c.com"] == "a"


def test_at_first_the_files_name_decides_then_the_order() -> None:
    """On a first load the file named after a host wins, then one without errors, then the first by name."""
    assert owners(CLAIMS, {})["c.com"] == "c"
    assert owners(CLAIMS, {})["shared.com"] == "a"
    assert owners(CLAIMS, {}, broken={"a"})["shared.com"] == "b"


def test_www_goes_to_whoever_claims_it_outright() -> None:
    """The `www.` name that a file has for its own name gives way to any other claim."""
    assert owners(CLAIMS, {})["www.c.com"] == "b"
    assert owners({"c": CLAIMS["c"]}, {})["www.c.com"] == "c"
