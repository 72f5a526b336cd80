from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.config.schema import gateway_schema, site_schema

EXAMPLES = sorted((Path(__file__).parent / "examples").rglob("*.toml"))
MAXIMAL = """
hosts = ["example.com", "example.net"]
canonical = "www"
phoenix = [4000, 4001]
health = "/health"
sticky = true
slash = "strip"
max_body = "200 MB"
assets = "/opt/my_app/current/priv/static"
maintenance = "maintenance.html"
security = "strict"
[routes]
"/docs/*" = { static = "docs" }
"/grafana/*" = { proxy = 3000, strip = true, access = { ip = ["10.0.0.0/8"] } }
"/api/*" = 4000
"/more/*" = [4000, "unix:/run/a.sock"]
"/app/*" = { to = 4000, response_timeout = "2m", hold = "10s" }
[redirects]
"/blog/*" = "https://blog.example.com/*"
"/old" = 410
"/temporary" = { to = "/new", status = 307 }
[headers]
X-Clacks-Overhead = "GNU Terry Pratchett"
-X-Powered-By = ""
remove = ["X-Powered-By"]
[errors]
404 = "404.html"
[[expect]]
get = "http://example.com/a/?q=1"
status = 308
"""
GATEWAY = """
http = ["[::]:80"]
https = []
state = "/var/lib/gateway"
workers = 1
trusted_proxies = ["private", "10.0.0.0/8"]
local_ca = false
[acme]
email = "me@example.com"
directory = "letsencrypt"
[log]
format = "combined"
[limits]
header_size = "16 KB"
header_time = "15s"
connections = 10000
"""


def mistakes(schema: dict[str, Any], source: str) -> list[str]:
    Draft202012Validator.check_schema(schema)
    return [error.message for error in Draft202012Validator(schema).iter_errors(tomllib.loads(source))]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_schema_knows_the_example_files(file: Path) -> None:
    """An editor that checks by the schema has nothing to say against any example."""
    assert mistakes(site_schema(), file.read_text()) == []


def test_the_schema_knows_all_short_forms() -> None:
    """The maximal file with keys of later versions, and all the forms of routes, fit the schema."""
    assert mistakes(site_schema(), MAXIMAL) == []
    assert mistakes(gateway_schema(), GATEWAY) == []


@pytest.mark.parametrize(
    "source",
    [
        "phoenx = 1",
        "phoenix = true",
        'slash = "x"',
        '[routes]\n"/a" = { strp = true }',
        '[routes]\n"/a" = { proxy = 1, strip = "x" }',
        "[headers]\nX = 1",
        "[redirects]\n'/a' = true",
        "phoenix = { to = 1, retries = 99 }",
        "noindex = 1",
    ],
)
def test_the_schema_finds_mistakes(source: str) -> None:
    """An editor that checks by the schema marks unknown keys and wrong values."""
    assert mistakes(site_schema(), source) != []


def test_the_schema_explains_every_key() -> None:
    """An editor can show what each key of each table means."""
    for schema in (site_schema(), gateway_schema()):
        for table in (schema, *schema["$defs"].values()):
            for name, key in table["properties"].items():
                assert key.get("description"), name
