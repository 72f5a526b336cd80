from __future__ import annotations

from gateway.resources.template import ERROR, MAINTENANCE, Template


def test_variables_are_escaped_and_other_braces_stay() -> None:
    """What is put in is text, never markup; styles and scripts keep their braces."""
    template = Template("<b>{message}</b><i title='{host}'>{request_id}</i>a{b}{}{status", {"message": "<&'\">"})
    filled = template.fill({"host": b"'<\xff>", "request_id": b"{host}"})
    assert filled == "<b>&lt;&amp;&#x27;&quot;&gt;</b><i title='&#x27;&lt;�&gt;'>{host}</i>a{b}{}{status".encode()


def test_what_is_not_known_stays_empty() -> None:
    """A variable without value leaves nothing behind."""
    assert Template("[{host}]", {}).fill({}) == b"[]"


def test_built_in_pages_hold_all_they_need() -> None:
    """Styles are within; nothing is fetched from anywhere."""
    for page in (ERROR, MAINTENANCE):
        assert "prefers-color-scheme: dark" in page
        assert not any(outside in page for outside in ("http:", "https:", "//", "url(", "src=", "gateway", "{style}"))
