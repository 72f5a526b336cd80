from __future__ import annotations

from gateway.control.findings import Finding, as_json
from gateway.errors import ConfigError

ERROR = ConfigError(
    "unknown key `phoenx`",
    file="sites/a.toml",
    line=3,
    column=2,
    key="phoenx",
    expected="one of phoenix, proxy",
    suggestion="phoenix",
    source_line="\tphoenx = 1",
    kind="unknown_key",
)


def test_an_error_is_shown_with_its_line_and_a_caret() -> None:
    """People see place, message, line, caret and the word they probably meant; a tab keeps the caret in place."""
    assert list(Finding.of(ERROR).lines()) == [
        "sites/a.toml:3:2: unknown key `phoenx`",
        "    \tphoenx = 1",
        "    \t^",
        "    did you mean `phoenix`?",
    ]


def test_what_was_expected_is_shown_unless_the_message_says_it() -> None:
    """Nothing is said twice, and a warning is called one."""
    finding = Finding(severity="warning", message="a", file="b", expected="c")
    assert list(finding.lines()) == ["b: warning: a", "    expected c"]
    finding = Finding(
        severity="error", message="expected c, got d", file="b", expected="c", kind="misplaced", suggestion="e"
    )
    assert list(finding.lines()) == ["b: expected c, got d"]


def test_nothing_steers_the_terminal() -> None:
    """Control characters of a file are shown escaped, and the caret still stands under its column."""
    finding = Finding(severity="error", message="\x1b[2J", file="a", line=1, column=3, source_line="\x1b[x")
    assert list(finding.lines()) == ["a:1:3: \\x1b[2J", "    \\x1b[x", "         ^"]


def test_programs_get_all_of_it() -> None:
    """The JSON form has every attribute."""
    (entry,) = as_json([Finding.of(ERROR)])
    assert entry["severity"] == "error"
    assert (entry["file"], entry["line"], entry["column"], entry["key"]) == ("sites/a.toml", 3, 2, "phoenx")
    assert (entry["suggestion"], entry["kind"]) == ("phoenix", "unknown_key")
