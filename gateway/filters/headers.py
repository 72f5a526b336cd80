"""Header edits: set, add and remove fields of responses and of requests on their way upstream."""

from __future__ import annotations

from pydantic import Field

from gateway.settings import FieldName, FieldValue, settings


@settings
class HeaderEdits:
    """Settings, the tables `[headers]` and `[request_headers]` of a site file.

    Attributes:
        set: Fields put in place of what was there.
        add: Fields added beside what is there.
        remove: Names of fields dropped.
    """

    set: dict[FieldName, FieldValue] = Field(default_factory=dict)
    add: dict[FieldName, FieldValue] = Field(default_factory=dict)
    remove: tuple[FieldName, ...] = ()
