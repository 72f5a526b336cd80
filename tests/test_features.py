from __future__ import annotations

from dataclasses import fields
from typing import get_args, get_type_hints

from gateway.config.site_file import RouteTable, SiteFile
from gateway.features import LEAVES, NOT_YET, TABLES


def test_every_feature_is_a_key_of_site_files() -> None:
    """What is in the registry can be written in a site file, with the settings class that the registry names."""
    hints = get_type_hints(SiteFile)
    for key, cls in {**LEAVES, **TABLES}.items():
        assert cls is hints[key] or cls in get_args(hints[key])
    assert set(LEAVES) <= {field.name for field in fields(RouteTable)}


def test_no_key_waits_that_works() -> None:
    """A key that has an effect is not among those of later versions."""
    assert not NOT_YET.keys() & {field.name for cls in (SiteFile, RouteTable) for field in fields(cls)}
