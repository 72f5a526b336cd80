from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.settings import Duration, FieldName, FieldValue, FilePath, Network, Secret, ShortForm, Size, settings


@settings
class Sample:
    """A settings class with one field of each kind."""

    whole: int = 0
    real: float = 0
    flag: bool = False
    names: tuple[int, ...] = ()
    table: dict[str, bool] | None = None
    wait: Duration = 1  # type: ignore[assignment]  # the value is checked by pydantic
    room: Size = 1  # type: ignore[assignment]  # the value is checked by pydantic
    net: Network | None = None
    file: FilePath = ""


SAMPLE = TypeAdapter(Sample)


@pytest.mark.parametrize(
    "data",
    [
        {"whole": "1"},
        {"whole": True},
        {"whole": 1.0},
        {"real": "1"},
        {"real": True},
        {"flag": 1},
        {"flag": "true"},
        {"names": ["1"]},
        {"table": {"a": 1}},
        {"wait": True},
        {"wait": None},
        {"wait": -1},
        {"wait": float("inf")},
        {"wait": "1 week"},
        {"room": True},
        {"room": 1.5},
        {"room": "1 XB"},
        {"net": "x"},
        {"net": 3},
        {"file": 3},
        {"file": "a\0"},
        {"unknown": 1},
    ],
)
def test_nothing_is_converted_that_could_hide_a_mistake(data: dict[str, Any]) -> None:
    """A value of another kind, or an unknown key, is an error."""
    with pytest.raises(ValidationError):
        SAMPLE.validate_python(data)


def test_what_people_write_is_read() -> None:
    """Units, networks and whole numbers where a real one may stand are read."""
    data = {"real": 1, "wait": "5m", "room": "16 KB", "net": "10.0.0.1/8", "table": {"a": True}, "names": [1]}
    sample = SAMPLE.validate_python(data)
    assert (sample.real, sample.wait, sample.room, str(sample.net)) == (1, 300, 16_000, "10.0.0.0/8")
    assert SAMPLE.validate_python({"net": sample.net}).net == sample.net
    with pytest.raises(AttributeError):
        sample.whole = 3


def test_paths_start_from_the_folder_of_their_file() -> None:
    """A relative path is joined to the folder, an absolute or empty one stays."""
    for path, absolute in (("a", "/sites/a"), ("../a", "/a"), ("/b", "/b"), ("", "")):
        assert SAMPLE.validate_python({"file": path}, context={"folder": "/sites"}).file == absolute
    assert SAMPLE.validate_python({"file": "a"}).file == "a"


def test_a_secret_is_a_text_that_does_not_show_itself() -> None:
    """A secret can be used and is kept in field values; its repr is its reference."""
    secret = TypeAdapter(FieldValue).validate_python(Secret("value", "env:X"))
    assert secret == "value"
    assert repr(secret) == "<env:X>"


@pytest.mark.parametrize(
    ("hint", "value"), [(FieldName, "a b"), (FieldName, 3), (FieldName, "TE"), (FieldValue, "a\nb")]
)
def test_fields_that_cannot_be_sent_are_refused(hint: Any, value: object) -> None:
    """Names are tokens that do not frame the message, values hold no line ends."""
    with pytest.raises(ValidationError):
        TypeAdapter(hint).validate_python(value)


def test_a_short_form_leaves_finished_settings_alone() -> None:
    """What is settings already is not expanded again."""
    expanded = ShortForm(lambda value: {"whole": value}, {"type": "integer"})
    adapter: TypeAdapter[Sample] = TypeAdapter(_annotated(Sample, expanded))
    assert adapter.validate_python(3).whole == 3
    assert adapter.validate_python(Sample(whole=4)).whole == 4
    assert adapter.json_schema()["anyOf"][0] == {"type": "integer"}


def _annotated(cls: type, mark: object) -> Any:
    from typing import Annotated

    return Annotated[cls, mark]
