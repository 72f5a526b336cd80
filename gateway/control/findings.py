"""What a check found, and how people and programs are shown it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from gateway.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One error or warning; the attributes are those of `ConfigError`.

    Attributes:
        severity: `error` or `warning`.
    """

    severity: str
    message: str
    file: str
    line: int = 0
    column: int = 0
    key: str = ""
    expected: str = ""
    found: str = ""
    suggestion: str = ""
    source_line: str = ""
    kind: str = ""

    @classmethod
    def of(cls, error: ConfigError, severity: str = "error") -> Finding:
        """Take over a configuration error."""
        return cls(
            severity=severity,
            message=error.message,
            file=error.file,
            line=error.line,
            column=error.column,
            key=error.key,
            expected=error.expected,
            found=error.found,
            suggestion=error.suggestion,
            source_line=error.source_line,
            kind=error.kind,
        )

    def lines(self) -> Iterable[str]:
        """Show it to people: place and message, the line with a caret, what would be right."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        yield f"{_printable(place)}: {'' if self.severity == 'error' else 'warning: '}{_printable(self.message)}"
        if self.source_line:
            yield f"    {_printable(self.source_line)}"
            # Tabs stay tabs, so that the caret stands under its column however wide they are.
            before = self.source_line[: self.column - 1]
            yield "    " + "".join("\t" if each == "\t" else " " * len(_printable(each)) for each in before) + "^"
        if self.expected and self.expected not in self.message and not self.suggestion:
            yield f"    expected {_printable(self.expected)}"
        if self.suggestion and self.kind != "misplaced":
            yield f"    did you mean `{_printable(self.suggestion)}`?"


def as_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Show findings to programs."""
    return [asdict(finding) for finding in findings]


def _printable(text: str) -> str:
    """Escape what could steer a terminal."""
    return "".join(each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in text)
