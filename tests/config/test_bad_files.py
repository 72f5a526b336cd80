"""Wrong site files, each with the place and the words of its error: the promises made to whoever writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.loader import load

APP = "phoenix = 4000\n"

# Source, place, part of the message, and the nearest known word where one is offered.
BAD: list[tuple[str, str, str, str]] = [
    # Syntax
    ("phoenix = \n", "1:11", "no valid TOML: Invalid value", ""),
    ("phoenix 4000\n", "1:9", "no valid TOML: Expected '='", ""),
    ("phoenix = 4000 proxy = 1\n", "1:16", "no valid TOML: Expected newline", ""),
    ("phoenix = 4000\nphoenix = 4001\n", "2:15", "no valid TOML: Cannot overwrite a value", ""),
    ("[headers\nX = 1\n", "1:9", "no valid TOML: Expected ']'", ""),
    ('static = "srv\n', "1:14", "no valid TOML: Illegal character", ""),
    ("[routes]\n[routes]\n", "2:8", "no valid TOML: Cannot declare", ""),
    ('static = """\nx', "2:2", "no valid TOML: Unterminated string", ""),
    # Unknown keys
    ("phoenx = 4000\n", "1:1", "unknown key `phoenx`", "phoenix"),
    (APP + 'cannonical = "www"\n', "2:1", "unknown key `cannonical`", "canonical"),
    (APP + "zzzzzz = 1\n", "2:1", "unknown key `zzzzzz`", ""),
    (APP + "helth = 1\n", "2:1", "unknown key `helth`", "health"),
    (APP + '[routes]\n"/a/*" = { prxy = 1 }\n', "3:12", 'unknown key `prxy` in [routes."/a/*"]', "proxy"),
    (APP + '[routes]\n"/a/*" = { proxy = 1, strp = true }\n', "3:23", "unknown key `strp`", "strip"),
    (APP + '[routes."/a/*"]\nproxy = 1\nstripp = true\n', "4:1", "unknown key `stripp`", "strip"),
    ("[phoenix]\nto = 4000\nretry = 3\n", "3:1", "unknown key `retry` in [phoenix]", "retries"),
    ("phoenix = { to = 4000, retry = 3 }\n", "1:24", "unknown key `retry` in [phoenix]", "retries"),
    (APP + "[websocket]\nmaxframe = 1\n", "3:1", "unknown key `maxframe` in [websocket]", "max_frame"),
    (APP + '[redirects]\n"/a" = { to = "/b", stat = 301 }\n', "3:21", "unknown key `stat`", "status"),
    # Keys at the wrong place
    (APP + '[headers]\nX-A = "b"\nslash = "strip"\n', "4:1", "`slash` is inside [headers]; move it above line 2", ""),
    ('[routes]\n"/*" = 4000\ncanonical = "www"\n', "3:1", "`canonical` is inside [routes]; move it above line 1", ""),
    (APP + "[websocket]\nnoindex = true\n", "3:1", "`noindex` is inside [websocket]; move it above line 2", ""),
    (APP + '[routes."/a/*"]\nproxy = 1\nhosts = ["x.com"]\n', "4:1", '`hosts` is inside [routes."/a/*"]', ""),
    (APP + '[errors]\n404 = "x"\nsecurity = "off"\n', "4:1", "`security` is inside [errors]", ""),
    (APP + "[redirects]\nhealth = 1\n", "3:1", "`health` is inside [redirects]; move it above line 2", ""),
    (APP + 'response_timeout = "2m"\n', "2:1", "`response_timeout` belongs to the app: phoenix = { to", ""),
    # Keys of later versions
    (APP + 'rate = "5/s"\n', "2:1", "`rate` is not yet supported", ""),
    # Health checks and sticky sessions
    (APP + 'sticky = "yes"\n', "2:10", "expected true or false", ""),
    (APP + "health = 1\n", "2:10", 'expected a path of the app such as "/health", or a table, got 1', ""),
    (APP + 'health = "health"\n', "2:10", 'expected a path of the app such as "/health", got', ""),
    (APP + 'health = "/a b"\n', "2:10", 'expected a path of the app such as "/health", got', ""),
    (APP + 'health = { path = "/a", interval = "1ms" }\n', "2:36", "greater than or equal to 0.1", ""),
    (APP + 'health = { path = "/a", every = "1s" }\n', "2:25", "every", ""),
    (APP + 'health = { interval = "1s" }\n', "2:1", "`path`", ""),
    ('spa = "a"\nhealth = "/"\n', "2:1", "the site has no app to check: expected `phoenix` or `proxy`", ""),
    ('spa = "a"\nsticky = true\n', "2:1", 'a route has its own: "/api/*" = { proxy = 4000, sticky = true }', ""),
    (APP + '[access]\ntoken = "env:NOWHERE"\n', "2:2", "`access` is not yet supported", ""),
    (APP + '[routes]\n"/a/*" = { proxy = 1, access = {} }\n', "3:23", "`access` is not yet supported", ""),
    ('phoenix = { to = 4000, hold = "10s" }\n', "1:24", "`hold` is not yet supported", ""),
    (APP + 'maintenance = { until = "soon" }\n', "2:25", "expected a time such as", ""),
    (APP + '[routes]\n"/a" = { strip = true }\n', "3:10", "`strip` is about an app: expected `phoenix` or `proxy`", ""),
    ('[routes]\n"/a/*" = { static = "x", retries = 1 }\n', "2:26", "`retries` is about an app: expected", ""),
    (APP + '[routes]\n"/a" = { proxy = 1, when = { method = ["post"] } }\n', "3:40", "in capitals, got 'post'", ""),
    # Upstreams
    ("phoenix = 0\n", "1:11", "a port is between 1 and 65535, got 0", ""),
    ("phoenix = 70000\n", "1:11", "a port is between 1 and 65535", ""),
    ('phoenix = "localhost"\n', "1:11", 'expected a port, "host:port"', ""),
    ('phoenix = [4000, "x y:1"]\n', "1:18", "got 'x y:1'", ""),
    ('phoenix = "a..b:1"\n', "1:11", 'expected a port, "host:port"', ""),
    ("phoenix = []\n", "1:11", "expected a list with at least one element", ""),
    ("phoenix = true\n", "1:11", "got True", ""),
    ("phoenix = 40.5\n", "1:11", "got 40.5", ""),
    ("phoenix = { strip = true }\n", "1:1", "`to` is missing", ""),
    ('phoenix = { to = 1, strip = "yes" }\n', "1:29", "expected true or false, got 'yes'", ""),
    ("phoenix = { to = 1, strip = 1 }\n", "1:29", "expected true or false, got 1", ""),
    ("phoenix = { to = 1, retries = true }\n", "1:31", "expected a whole number, got True", ""),
    ('phoenix = { to = 1, retries = "2" }\n', "1:31", "expected a whole number, got '2'", ""),
    ("phoenix = { to = 1, retries = 99 }\n", "1:31", "less than or equal to 10, got 99", ""),
    ('phoenix = { to = 1, idle_timeout = "1 week" }\n', "1:36", 'expected a duration such as "30s"', ""),
    ("phoenix = { to = 1, idle_timeout = true }\n", "1:36", "expected a duration", ""),
    ("phoenix = { to = 1, idle_timeout = -1 }\n", "1:36", "greater than or equal to 0, got -1", ""),
    ("phoenix = { to = 1, idle_timeout = inf }\n", "1:36", "finite number", ""),
    # Who answers
    ("noindex = true\n", "", "nothing answers: expected one of `phoenix`", ""),
    ("phoenix = 1\nproxy = 2\n", "2:1", "`proxy` and `phoenix` cannot both answer", ""),
    ('[routes]\n"/a/*" = { proxy = 1, static = "x" }\n', "2:23", "`static` and `proxy` cannot both answer", ""),
    ('[routes]\n"/a/*" = { slash = "add" }\n', "2:1", "nothing answers", ""),
    (APP + '[routes]\n"/*" = 4001\n', "3:1", "the same path is answered by", ""),
    ('[routes]\n"/a" = 1\n[redirects]\n"/a" = "/b"\n', "4:1", "the same path is answered by", ""),
    ('static = "x"\nassets = "y"\n', "2:1", "assets are served in front of an app", ""),
    ('static = "x"\nclean = "strip"\n', "2:9", "expected 'serve', 'redirect' or 'off', got 'strip'", ""),
    ("static = 3\n", "1:10", "expected a text in quotes, got 3", ""),
    # Routes and redirects
    (APP + '[routes]\n"api" = 1\n', "3:1", 'expected a path such as "/about"', ""),
    (APP + '[routes]\n"/a*" = 1\n', "3:1", 'expected a path such as "/about"', ""),
    (APP + '[routes]\n"/a/*/b" = 1\n', "3:1", 'expected a path such as "/about"', ""),
    (APP + '[routes]\n"/a/../b" = 1\n', "3:1", 'expected a path such as "/about"', ""),
    (APP + '[routes]\n"//a" = 1\n', "3:1", 'expected a path such as "/about"', ""),
    (APP + '[routes]\n"/a?b" = 1\n', "3:1", 'expected a path such as "/about"', ""),
    (APP + '[routes]\n"/%61" = 1\n', "3:1", 'expected a path such as "/about"', ""),
    (APP + "routes = 3\n", "2:10", "expected a table, got 3", ""),
    (APP + '[redirects]\n"/a" = "b"\n', "3:8", 'expected a path such as "/new" or an address', ""),
    (APP + '[redirects]\n"/a" = "//evil.com"\n', "3:8", "a path starts with one slash", ""),
    (APP + '[redirects]\n"/a" = "javascript:x"\n', "3:8", 'expected a path such as "/new" or an address', ""),
    (APP + '[redirects]\n"/a/*" = "/*/b"\n', "3:10", 'only one "*" is possible', ""),
    (APP + '[redirects]\n"/a" = "/b/*"\n', "3:1", 'the target ends with "*", but the path', ""),
    (APP + '[redirects]\n"/a" = 200\n', "3:8", "expected a target, or a status from 400 to 599", ""),
    (APP + '[redirects]\n"/a" = true\n', "3:8", "expected a whole number, got True", ""),
    (APP + '[redirects]\n"/a" = { to = "/b", status = 300 }\n', "3:30", "expected 301, 302, 303, 307 or 308", ""),
    ('redirect = "example.com"\n', "1:12", 'expected a path such as "/new" or an address', ""),
    # Headers
    (APP + "[headers]\nX-A = 3\n", "3:7", "expected a text in quotes, got 3", ""),
    (APP + '[headers]\n"X A" = "b"\n', "3:1", "expected a field name", ""),
    (APP + '[headers]\n"+X-A" = 3\n', "3:10", "expected a text in quotes, got 3", ""),
    (APP + '[headers]\nX-A = "a\\r\\nb"\n', "3:7", "without control characters", ""),
    (APP + '[headers]\n-X-A = "b"\n', "2:2", 'expected `-X-A = ""`', ""),
    (APP + '[headers]\nremove = ["a b"]\n', "3:11", "expected a field name", ""),
    (APP + '[headers]\nremove = "X-A"\n', "2:2", "expected `remove = [\"Name\"]`, got 'X-A'", ""),
    (APP + '[headers]\nContent-Length = "3"\n', "3:1", "not part of the framing", ""),
    (APP + '[request_headers]\nTransfer-Encoding = "x"\n', "3:1", "not part of the framing", ""),
    (APP + '[headers]\nHost = "x"\n', "2:2", "Host cannot be edited", ""),
    (APP + '[request_headers]\nX-Forwarded-For = "x"\n', "2:2", "X-Forwarded-For cannot be edited", ""),
    ('[routes."/a/*"]\nproxy = 1\nrequest_headers = { Via = "x" }\n', "3:19", "Via cannot be edited", ""),
    # Files that have to be there
    ('phoenix = { to = "https://a:1", ca = "no.pem" }\n', "1:33", "no.pem cannot be read: No such file", ""),
    ('phoenix = { to = "https://a:1", ca = "site.example.com.toml" }\n', "1:33", "holds no PEM certificate", ""),
    # Plain values
    (APP + 'canonical = "ww"\n', "2:13", "expected 'www', 'apex' or 'name', got 'ww'", "www"),
    (APP + 'slash = "stripp"\n', "2:9", "got 'stripp'", "strip"),
    (APP + "security = 1\n", "2:12", "expected 'basic', 'strict', 'off', 'basic!' or 'strict!', got 1", ""),
    (APP + 'https = "optionl"\n', "2:9", "got 'optionl'", "optional"),
    (APP + 'max_body = "1 XB"\n', "2:12", 'expected a size such as "16 KB"', ""),
    (APP + "max_body = -5\n", "2:12", "greater than or equal to 0, got -5", ""),
    (APP + "max_body = 1.5\n", "2:12", "expected a whole number, got 1.5", ""),
    (APP + "max_body = inf\n", "2:12", "expected a finite number, got inf", ""),
    (APP + 'noindex = "true"\n', "2:11", "expected true or false, got 'true'", ""),
    (APP + "maintenance = 3\n", "2:15", "expected a page's path, true, false, or a table, got 3", ""),
    (APP + '[errors]\n700 = "x.html"\n', "3:1", 'expected a status such as "404"', ""),
    (APP + 'errors = { 404 = "x\\u0000" }\n', "2:18", "expected a path", ""),
    (APP + 'security_txt = "me"\n', "2:16", "got 'me'", ""),
    # Hosts
    (APP + 'hosts = ["http://x.com"]\n', "2:10", 'expected a host name such as "example.com"', ""),
    (APP + 'hosts = ["a.com", "x.com:80"]\n', "2:19", "without scheme, port or path", ""),
    (APP + 'hosts = ["a..com"]\n', "2:10", "expected a host name", ""),
    (APP + 'hosts = ["*"]\n', "2:10", "_default.toml answers for all other hosts", ""),
    (APP + 'hosts = ["-a.com"]\n', "2:10", "expected a host name", ""),
    (APP + 'hosts = ["*.127.0.0.1"]\n', "2:10", "expected a name behind the wildcard", ""),
    (APP + 'hosts = ["\\u2488.com"]\n', "2:10", "expected a host name", ""),
    (APP + 'hosts = "a.com"\n', "2:9", "expected a list in brackets, got 'a.com'", ""),
    (APP + "hosts = [1]\n", "2:10", "expected a text in quotes, got 1", ""),
    # Texts from elsewhere
    (APP + '[headers]\nX-A = "env:NOWHERE"\n', "3:7", "the environment variable NOWHERE is not set", ""),
    (APP + '[headers]\nX-A = "file:nowhere"\n', "3:7", "nowhere cannot be read: No such file", ""),
    (APP + '[headers]\nX-A = "credential:x"\n', "3:7", "$CREDENTIALS_DIRECTORY is not set", ""),
    (APP + '[headers]\nX-A = "env:"\n', "3:7", "nothing stands behind `env:`", ""),
    ('phoenix = [4000, "env:NOWHERE"]\n', "1:18", "NOWHERE is not set", ""),
]


@pytest.mark.parametrize(("source", "place", "message", "suggestion"), BAD)
def test_a_wrong_file(tmp_path: Path, source: str, place: str, message: str, suggestion: str) -> None:
    """Each mistake is named once, at its line and column, with the nearest known word; the site is not served."""
    file = tmp_path / "site.example.com.toml"
    file.write_text(source)
    loaded = load(tmp_path, {})
    assert not loaded.sites
    assert [site.name for site in loaded.broken] == ["site.example.com"]
    assert [error.place for error in loaded.errors] == [f"{file}:{place}".rstrip(":")]
    assert message in loaded.errors[0].message
    if loaded.errors[0].kind != "misplaced":
        assert loaded.errors[0].suggestion == suggestion


def test_all_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    """One run names every mistake, in the order of files and lines."""
    (tmp_path / "a.com.toml").write_text('phoenx = 1\nslash = "x"\n[headers]\nA = 1\n')
    (tmp_path / "b.com.toml").write_text("phoenix = 0\n")
    (tmp_path / "gateway.toml").write_text('worker = 2\n[log]\nformat = "xml"\nhttp = []\n')
    places = [error.place.removeprefix(f"{tmp_path}/") for error in load(tmp_path, {}).errors]
    assert places == [
        *("a.com.toml:1:1", "a.com.toml:2:9", "a.com.toml:4:5", "b.com.toml:1:11"),
        *("gateway.toml:1:1", "gateway.toml:3:10", "gateway.toml:4:1"),
    ]


def test_a_key_inside_a_table_of_a_later_version_is_told_beside_it(tmp_path: Path) -> None:
    """The beginner's mistake is explained in tables too that cannot be used yet."""
    source = APP + '[[expect]]\nget = "/"\nhosts = []\n[access]\nmaintenance = "a.html"\n'
    (tmp_path / "a.com.toml").write_text(source)
    assert [error.message for error in load(tmp_path, {}).errors] == [
        "`expect` is not yet supported: expectations will come with a later version",
        "`hosts` is inside [expect]; move it above line 2",
        "`access` is not yet supported: access control will come with a later version",
        "`maintenance` is inside [access]; move it above line 2",
    ]
