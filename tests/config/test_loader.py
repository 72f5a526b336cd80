from __future__ import annotations

import shutil
from pathlib import Path
from time import process_time

import pytest

from gateway.config.loader import is_site_file, load, merge, read_defaults, read_site, settle
from gateway.config.model import Loaded, Location, Site
from gateway.filters.maintenance import Maintenance
from gateway.resources.proxy import Proxy
from gateway.resources.redirect import Redirect
from gateway.resources.static import Static
from gateway.upstream.address import UpstreamAddress

EXAMPLES = Path(__file__).parent / "examples"


def site_of(folder: Path, source: str, name: str = "example.com", environ: dict[str, str] | None = None) -> Site:
    (folder / f"{name}.toml").write_text(source)
    loaded = load(folder, environ or {})
    assert loaded.errors == ()
    return next(site for site in loaded.sites if site.file.endswith(f"/{name}.toml"))


def messages(loaded: Loaded) -> list[str]:
    return [f"{Path(error.file).name}:{error.line}: {error.message}" for error in loaded.errors]


def test_the_six_examples(tmp_path: Path) -> None:
    """All example files but one are served as they stand; that one waits for a later version, and says so."""
    loaded = load(EXAMPLES, {})
    assert [site.name for site in loaded.sites] == [
        "app.example.com",
        "app.example.org",
        "blog.example.com",
        "example.com",
        "old-example.com",
    ]
    assert [site.name for site in loaded.broken] == ["staging.example.com"]
    assert messages(loaded) == [
        "staging.example.com.toml:4: `access` is not yet supported: access control will come with a later version",
    ]
    assert {error.kind for error in loaded.errors} == {"not_yet"}


def test_a_phoenix_app_with_www(tmp_path: Path) -> None:
    """The three lines of the first example mean a LiveView app on www with a maintenance page."""
    site = next(each for each in load(EXAMPLES, {}).sites if each.name == "example.com")
    assert site.hosts == ("example.com", "www.example.com")
    assert site.canonical == "www.example.com"
    assert site.maintenance == Maintenance(page=str(EXAMPLES / "maintenance.html"))
    (location,) = site.locations
    assert location.phoenix
    assert (location.prefix, location.exact, location.max_body) == ("", False, 100_000_000)
    assert isinstance(location.leaf, Proxy)
    assert location.leaf.to == (UpstreamAddress("127.0.0.1", 4000),)
    assert str(location.origin) == f"{EXAMPLES}/example.com.toml:2 phoenix"


def test_the_maximal_file(tmp_path: Path) -> None:
    """The long example of the reference, less what comes later, is read whole."""
    shutil.copy(EXAMPLES / "maximal" / "example.com.toml", tmp_path / "example.com.toml")
    loaded = load(tmp_path, {})
    assert loaded.errors == ()
    (site,) = loaded.sites
    assert site.hosts == ("example.com", "example.net", "www.example.com")
    places = {(each.prefix, each.exact): each for each in site.locations}
    assert set(places) == {("", False), ("/docs", False), ("/grafana", False), ("/blog", False), ("/old", True)}
    assert places["", False].slash == "strip"
    assert places["", False].max_body == 200_000_000
    assert places["", False].max_body_setting == f"{tmp_path}/example.com.toml:5 max_body"
    assert places["/docs", False].leaf == Static(root=str(tmp_path / "docs"))
    assert places["/blog", False].leaf == Redirect(to="https://blog.example.com/*")
    assert places["/grafana", False].headers[0].set == {"X-Clacks-Overhead": "GNU Terry Pratchett"}
    assert places["/grafana", False].headers[0].remove == ("X-Powered-By",)
    assert site.assets == ("/opt/my_app/current/priv/static",)
    assert site.security == "strict"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("4000", ["127.0.0.1:4000"]),
        ('"localhost:4000"', ["localhost:4000"]),
        ('"unix:/run/a.sock"', ["unix:/run/a.sock"]),
        ('"https://app.internal"', ["https://app.internal:443"]),
        ('[4000, "[::1]:4001"]', ["127.0.0.1:4000", "[::1]:4001"]),
        ("{ to = 4000, strip = true }", ["127.0.0.1:4000"]),
        ("{ to = [4000, 4001] }", ["127.0.0.1:4000", "127.0.0.1:4001"]),
        ('"env:PORT"', ["127.0.0.1:4007"]),
    ],
)
def test_forms_of_upstreams(tmp_path: Path, value: str, names: list[str]) -> None:
    """An upstream may be written short or long, alone or in a list, for a site or a route."""
    routes = f'"/a/*" = {value}\n"/b/*" = {{ proxy = {value} }}\n"/c" = {{ phoenix = {value}, slash = "add" }}\n'
    site = site_of(tmp_path, f"proxy = {value}\n[routes]\n{routes}", environ={"PORT": "4007"})
    assert len(site.locations) == 4
    for location in site.locations:
        assert isinstance(location.leaf, Proxy)
        assert [upstream.name for upstream in location.leaf.to] == names
    assert [location.phoenix for location in site.locations] == [False, False, False, True]


def test_keys_of_a_proxy_stand_beside_it_in_a_route(tmp_path: Path) -> None:
    """`{ proxy = 3000, strip = true }` and `{ to = 3000, strip = true }` mean the same."""
    source = '[routes]\n"/a/*" = { proxy = 3000, strip = true }\n"/b/*" = { to = 3000, strip = true, max_body = 0 }\n'
    first, second = site_of(tmp_path, source).locations
    assert first.leaf == second.leaf == Proxy(to=(UpstreamAddress("127.0.0.1", 3000),), strip=True)
    assert (first.max_body, second.max_body) == (100_000_000, 0)
    assert second.max_body_setting.endswith('example.com.toml:3 routes."/b/*".max_body')


def test_a_route_has_the_sites_settings_unless_it_has_its_own(tmp_path: Path) -> None:
    """Slash and size limit are replaced by a route's own, header edits add up."""
    source = 'phoenix = 1\nslash = "strip"\n[headers]\nX-A = "1"\n[websocket]\nidle = "5m"\n[routes]\n"/a/*" = 2\n'
    source += '"/b/*" = { to = 3, slash = "keep", headers = { X-B = "2" }, websocket = { idle = "1m" } }\n'
    _, plain, own = site_of(tmp_path, source).locations
    assert (plain.slash, own.slash) == ("strip", "keep")
    assert [each.set for each in own.headers] == [{"X-A": "1"}, {"X-B": "2"}]
    assert isinstance(plain.leaf, Proxy)
    assert isinstance(own.leaf, Proxy)
    assert (plain.leaf.websocket.idle, own.leaf.websocket.idle) == (300, 60)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """Every path of a site file starts from the file's folder."""
    source = 'proxy = 4000\nmaintenance = false\nassets = ["a", "/b"]\nerrors = { 404 = "../404.html" }\n'
    source += 'https = false\nredirects = { "/x" = 404 }\nroutes = { "/docs/*" = { static = "site" } }\n'
    site = site_of(tmp_path, source)
    assert site.locations[1].leaf == Static(root=f"{tmp_path}/site")
    assert site.assets == (f"{tmp_path}/a", "/b")
    assert site.errors == (("404", f"{tmp_path.parent}/404.html"),)
    assert (site.maintenance, site.https) == (Maintenance(), "off")
    (tmp_path / "gateway.toml").write_text('http = ["unix:gateway.sock"]\n')
    site = site_of(tmp_path, 'proxy = "unix:run/app.sock"\n')
    assert isinstance(site.locations[0].leaf, Proxy)
    assert site.locations[0].leaf.to[0].path == f"{tmp_path}/run/app.sock"
    config = load(tmp_path, {}).config
    assert config is not None
    assert config.http[0].path == f"{tmp_path}/gateway.sock"


def test_texts_for_others_are_taken_as_they_are(tmp_path: Path) -> None:
    """A contact and an upstream's authorities are checked for their form only."""
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    source = 'phoenix = { to = "https://a:1", ca = "ca.pem" }\nsecurity_txt = "mailto:me@a.com"\nnoindex = true\n'
    site = site_of(tmp_path, source)
    assert (site.security_txt, site.noindex) == ("mailto:me@a.com", True)
    assert isinstance(site.locations[0].leaf, Proxy)
    assert site.locations[0].leaf.ca == str(tmp_path / "ca.pem")


def test_clean_names(tmp_path: Path) -> None:
    """What becomes of clean names is said for the site, a route, or a folder; the nearest counts."""
    source = 'static = "site"\nclean = "redirect"\n[routes]\n"/a/*" = { static = "a" }\n"/p/*" = 4000\n'
    source += '"/b/*" = { spa = "b", clean = "off" }\n"/c/*" = { static = { root = "c", clean = "off" } }\n'
    leaves = {each.prefix: each.leaf for each in site_of(tmp_path, source).locations}
    found = {prefix: leaf.clean for prefix, leaf in leaves.items() if isinstance(leaf, Static)}
    assert found == {"": "redirect", "/a": "redirect", "/b": "off", "/c": "off"}


def test_listings_and_uploads(tmp_path: Path) -> None:
    """What is said for the site's folders can be taken back for a route's."""
    source = 'static = "site"\nlisting = true\nuntrusted = true\n[routes]\n"/a/*" = { static = "a", listing = false }\n'
    leaves = [each.leaf for each in site_of(tmp_path, source).locations]
    found = [(leaf.listing, leaf.untrusted) for leaf in leaves if isinstance(leaf, Static)]
    assert found == [(True, True), (False, True)]


def test_defaults_lie_under_every_site(tmp_path: Path) -> None:
    """`_defaults.toml` gives what a file does not set; tables are merged key by key, and errors name the right file."""
    (tmp_path / "_defaults.toml").write_text('slash = "strip"\nmax_body = 5\n[headers]\nX-A = "a"\nX-B = "b"\n')
    site = site_of(tmp_path, 'phoenix = 1\nslash = "add"\n[headers]\nX-B = "c"\n')
    (location,) = site.locations
    assert location.slash == "add"
    assert location.headers[0].set == {"X-A": "a", "X-B": "c"}
    assert location.max_body_setting == f"{tmp_path}/_defaults.toml:2 max_body"


def test_wrong_defaults_are_told_once_and_stop_all_sites(tmp_path: Path) -> None:
    """No site is served without the defaults that may protect it; each file's own mistakes are told too."""
    (tmp_path / "_defaults.toml").write_text('slash = "x"\nhosts = ["a.com"]\nphoenix = 1\n')
    (tmp_path / "a.com.toml").write_text("phoenix = 1\n")
    (tmp_path / "b.com.toml").write_text("phoenix = 0\n")
    loaded = load(tmp_path, {})
    assert [site.name for site in loaded.broken] == ["a.com", "b.com"]
    assert [message.partition(":")[0] for message in messages(loaded)] == ["_defaults.toml"] * 3 + ["b.com.toml"]
    (tmp_path / "_defaults.toml").write_text("slash =")
    assert [message.partition(":")[0] for message in messages(load(tmp_path, {}))] == ["_defaults.toml", "b.com.toml"]


def test_default_and_wildcard_files(tmp_path: Path) -> None:
    """`_default.toml` answers for unknown hosts, `_wildcard.X.toml` for one label in front of X."""
    (tmp_path / "_defaults.toml").write_text('canonical = "name"\n')
    (tmp_path / "_default.toml").write_text("phoenix = 1\n")
    (tmp_path / "_wildcard.example.com.toml").write_text("phoenix = 1\n")
    (tmp_path / "app.example.com.toml").write_text('phoenix = 1\nhosts = ["*.app.example.com"]\n')
    default, wildcard, app = load(tmp_path, {}).sites
    assert (default.default, default.hosts, default.canonical) == (True, (), "")
    assert (wildcard.hosts, wildcard.wildcards, wildcard.canonical) == ((), ("example.com",), "")
    assert app.hosts == ("app.example.com", "www.app.example.com")
    assert (app.wildcards, app.canonical) == (("app.example.com",), "app.example.com")


def test_keys_that_have_no_place_in_special_files(tmp_path: Path) -> None:
    """The default site has no hosts, and neither it nor a wildcard a canonical name."""
    (tmp_path / "_default.toml").write_text('phoenix = 1\nhosts = ["a.com"]\n')
    (tmp_path / "_wildcard.a.com.toml").write_text('phoenix = 1\ncanonical = "www"\n')
    assert messages(load(tmp_path, {})) == [
        "_default.toml:2: the default site has no hosts of its own",
        "_wildcard.a.com.toml:2: only a file named after a host has a canonical name",
    ]


def test_a_file_whose_name_is_no_host(tmp_path: Path) -> None:
    """A file named after nothing that can be asked for is an error, not a dead site."""
    (tmp_path / "my site.toml").write_text("phoenix = 1\n")
    loaded = load(tmp_path, {})
    assert loaded.broken[0].hosts == ()
    assert loaded.errors[0].place == f"{tmp_path}/my site.toml"
    assert "the file's name is no host" in loaded.errors[0].message


def test_only_site_files_count(tmp_path: Path) -> None:
    """Hidden files, editors' left-overs and other files of the folder are left alone."""
    assert [is_site_file(name) for name in ("a.com.toml", ".a.toml", "#a.toml", "a.toml~", "a.html")] == [
        *(True, False, False, False, False)
    ]


def test_two_files_with_one_host(tmp_path: Path) -> None:
    """The newcomer is refused with both places named; all others are served."""
    (tmp_path / "a.com.toml").write_text('phoenix = 1\nhosts = ["x.com"]\n')
    (tmp_path / "b.com.toml").write_text('phoenix = 1\nhosts = ["c.com", "x.com"]\n')
    (tmp_path / "c.com.toml").write_text("phoenix = 1\n")
    loaded = load(tmp_path, {})
    assert [site.name for site in loaded.sites] == ["a.com", "c.com"]
    assert loaded.broken[0].hosts == ("b.com", "www.b.com")
    assert messages(loaded) == [
        f"b.com.toml:2: c.com belongs to {tmp_path}/c.com.toml (by its name) already",
        f"b.com.toml:2: x.com belongs to {tmp_path}/a.com.toml:2:10 already",
    ]
    live = {"x.com": f"{tmp_path}/b.com.toml", "c.com": f"{tmp_path}/b.com.toml"}
    loaded = load(tmp_path, {}, live)
    assert [site.name for site in loaded.sites] == ["b.com"]
    assert messages(loaded) == [
        f"a.com.toml:2: x.com belongs to {tmp_path}/b.com.toml:2:19 already",
        f"c.com.toml:0: c.com belongs to {tmp_path}/b.com.toml:2:10 already",
    ]


def test_a_broken_file_keeps_its_hosts_but_takes_none(tmp_path: Path) -> None:
    """The hosts of a file with errors answer for it, unless a good file has them."""
    (tmp_path / "a.com.toml").write_text('phoenx = 1\nhosts = ["x.com", "y.com", "*.w.com", 3, "/"]\n')
    (tmp_path / "b.com.toml").write_text('phoenix = 1\nhosts = ["x.com"]\n')
    (tmp_path / "c.com.toml").write_text("=")
    loaded = load(tmp_path, {})
    assert [(site.hosts, site.wildcards) for site in loaded.broken] == [
        (("a.com", "y.com", "www.a.com"), ("w.com",)),
        (("c.com", "www.c.com"), ()),
    ]
    assert [site.name for site in loaded.sites] == ["b.com"]


@pytest.mark.parametrize(
    ("settings", "implied"),
    [
        ("", "www.a.com"),
        ('canonical = "apex"\n', "www.a.com"),
        ('canonical = "www"\n', ""),
        ('hosts = ["www.a.com"]\n', ""),
    ],
)
def test_names_that_nobody_asked_for(tmp_path: Path, settings: str, implied: str) -> None:
    """The `www.` that a site has by itself is known as such, unless its file speaks of it."""
    (tmp_path / "a.com.toml").write_text(f"{settings}phoenix = 1\n")
    assert [site.implied for site in load(tmp_path, {}).sites] == [implied]


def test_www_is_left_to_the_file_that_claims_it(tmp_path: Path) -> None:
    """`www.` of a file's name belongs to it unless another file has it; a canonical www is then an error."""
    (tmp_path / "a.com.toml").write_text('phoenix = 1\n[headers]\nX = "y"\n')
    (tmp_path / "www.a.com.toml").write_text('phoenix = 1\ncanonical = "apex"\n')
    loaded = load(tmp_path, {})
    assert loaded.sites[0].hosts == ("a.com",)
    assert messages(loaded) == [
        'www.a.com.toml:2: the canonical name a.com is not a name of this site; add hosts = ["a.com"]'
    ]


@pytest.mark.parametrize(
    ("stem", "canonical", "hosts", "host"),
    [
        ("a.com", "www", "[]", "www.a.com"),
        ("a.com", "apex", "[]", "a.com"),
        ("a.com", "name", '["b.com"]', "a.com"),
        ("www.a.com", "www", "[]", "www.a.com"),
        ("www.a.com", "apex", '["a.com"]', "a.com"),
    ],
)
def test_canonical_hosts(tmp_path: Path, stem: str, canonical: str, hosts: str, host: str) -> None:
    """`www`, `apex` and `name` each mean one host of the site."""
    assert site_of(tmp_path, f'phoenix = 1\ncanonical = "{canonical}"\nhosts = {hosts}\n', stem).canonical == host


def test_gateway_file(tmp_path: Path) -> None:
    """gateway.toml says what is the machine's, with units, networks by name and listeners of three kinds."""
    (tmp_path / "gateway.toml").write_text(
        'http = ["127.0.0.1:8080", "unix:/run/g.sock", "systemd:http"]\nhttps = ["[::1]:8443"]\nstate = "st"\n'
        'trusted_proxies = ["private", "10.0.0.1/8"]\n[acme]\ndirectory = "env:CA"\nca_file = "p.pem"\n'
        '[log]\nfolder = ""\nformat = "json"\nskip = ["/health"]\n[limits]\nheader_size = "8 KiB"\nconnections = 9\n'
    )
    config = load(tmp_path, {"CA": "https://localhost:14000/dir", "LOGS_DIRECTORY": "/var/log/g"}).config
    assert config is not None
    assert [each.name for each in config.http] == ["127.0.0.1:8080", "unix:/run/g.sock", "systemd:http"]
    assert [each.name for each in config.https] == ["[::1]:8443"]
    assert config.state == f"{tmp_path}/st"
    assert [str(each) for each in config.trusted_proxies] == ["private", "10.0.0.0/8"]
    assert (config.acme.directory, config.acme.ca_file) == ("https://localhost:14000/dir", f"{tmp_path}/p.pem")
    assert (config.log.folder, config.log.format, config.log.skip) == ("", "json", ("/health",))
    assert (config.limits.header_size, config.limits.connections, config.limits.header_line) == (8192, 9, 8192)


def test_defaults_of_the_gateway_file(tmp_path: Path) -> None:
    """Without gateway.toml, ports 80 and 443 of all addresses and systemd's folders are used."""
    config = load(tmp_path, {"STATE_DIRECTORY": "/var/lib/g:/x", "LOGS_DIRECTORY": "/var/log/g"}).config
    assert config is not None
    assert ([each.name for each in (*config.http, *config.https)]) == ["[::]:80", "[::]:443"]
    assert (config.state, config.log.folder) == ("/var/lib/g", "/var/log/g")
    config = load(tmp_path, {}).config
    assert config is not None
    assert config.state == f"{tmp_path.parent}/state"


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("http =", "1:7", "no valid TOML"),
        ('http = ["80"]\n', "1:9", 'expected "ADDRESS:PORT"'),
        ('http = ["localhost:80"]\n', "1:9", 'expected "ADDRESS:PORT"'),
        ('http = ["1.2.3.4:70000"]\n', "1:9", 'expected "ADDRESS:PORT"'),
        ('http = ["999.2.3.4:70"]\n', "1:9", 'expected "ADDRESS:PORT"'),
        ("http = [80]\n", "1:9", "got 80"),
        ('trusted_proxies = ["x"]\n', "1:20", "expected a network such as"),
        ("trusted_proxies = [1]\n", "1:20", "expected a network such as"),
        ("workers = 0\n", "1:11", "greater than or equal to 1, got 0"),
        ('[log]\nformat = "xml"\n', "2:10", "expected 'combined' or 'json', got 'xml'"),
        ('[limits]\nheader_time = "0s"\n', "2:15", "greater than 0"),
        ("[limits]\nheader_tiem = 1\n", "2:1", "unknown key `header_tiem` in [limits]"),
        ("[limits]\nworkers = 1\n", "2:1", "`workers` is inside [limits]; move it above line 1"),
        ('[acme]\ndirectory = "http://x"\n', "2:13", "got 'http://x'"),
        ('http = ["[::]:80", "0.0.0.0:80"]\n', "1:20", "[::]:80 listens there already"),
        ('http = ["1.2.3.4:80", "0.0.0.0:80"]\n', "1:23", "1.2.3.4:80 listens there already"),
        ('http = ["[::1]:443"]\n', "", "[::1]:443 listens there already"),
        ('http = ["0.0.0.0:8"]\nhttps = ["0.0.0.0:8"]\n', "2:10", "0.0.0.0:8 listens there already"),
        ('http = ["unix:a"]\nhttps = ["unix:./a"]\n', "2:10", "/a listens there already"),
    ],
)
def test_wrong_gateway_files(tmp_path: Path, source: str, place: str, message: str) -> None:
    """A wrong gateway.toml leaves no configuration to start with, but the sites are checked all the same."""
    (tmp_path / "gateway.toml").write_text(source)
    (tmp_path / "a.com.toml").write_text("phoenix = 1\n")
    loaded = load(tmp_path, {})
    assert loaded.config is None
    assert len(loaded.sites) == 1
    assert [error.place for error in loaded.errors] == [f"{tmp_path}/gateway.toml:{place}".removesuffix(":")]
    assert message in loaded.errors[0].message


@pytest.mark.parametrize(
    "listeners", ['"127.0.0.1:80", "127.0.0.2:80"', '"0.0.0.0:80", "[::1]:80"', '"127.0.0.1:0", "127.0.0.1:0"']
)
def test_listeners_beside_each_other(tmp_path: Path, listeners: str) -> None:
    """Addresses of their own may share a port, and free ports are each another one."""
    (tmp_path / "gateway.toml").write_text(f"http = [{listeners}]\n")
    assert load(tmp_path, {}).errors == ()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A missing folder is one clear error."""
    loaded = load(tmp_path / "sites", {})
    assert loaded.config is None
    assert str(loaded.errors[0]) == f"{tmp_path}/sites: cannot be read: No such file or directory"


def test_one_changed_file_is_read_alone(tmp_path: Path) -> None:
    """After a change only the changed file is read; the drafts of the others are settled again with it."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.com.toml").write_text("phoenix = 1\n")
    defaults = read_defaults(tmp_path / "_defaults.toml", {})
    drafts = {name: read_site(tmp_path / f"{name}.com.toml", defaults, {}) for name in ("a", "b")}
    before, _ = settle(drafts.values(), {})
    (tmp_path / "b.com.toml").write_text("phoenix = 2\n")
    drafts["b"] = read_site(tmp_path / "b.com.toml", defaults, {})
    after, broken = settle(drafts.values(), {})
    assert not broken
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_merge_replaces_lists_and_merges_tables() -> None:
    """Tables are laid over each other at any depth, anything else is replaced; neither argument changes."""
    below = {"a": {"b": {"c": 1, "d": [1]}}, "e": 1, "f": {}}
    assert merge(below, {"a": {"b": {"d": [2]}}, "f": 3}) == {"a": {"b": {"c": 1, "d": [2]}}, "e": 1, "f": 3}
    assert below["f"] == {}


def test_thousand_sites_are_read_quickly(tmp_path: Path) -> None:
    """A thousand sites cost well under a second or two of processor time, so that a restart is short."""
    source = (EXAMPLES / "maximal" / "example.com.toml").read_text().replace('"example.com", "example.net"', "")
    for number in range(1000):
        (tmp_path / f"site{number}.example.com.toml").write_text(source)
    start = process_time()
    loaded = load(tmp_path, {})
    assert len(loaded.sites) == 1000
    assert process_time() - start < 10, "ten times what it takes, for slow machines"


def test_a_location_is_found_by_its_defaults() -> None:
    """What no file says has a name for the log."""
    assert Location(prefix="", leaf=Redirect(to="/x")).max_body_setting == "max_body (default)"


def test_two_files_with_one_name_in_other_letters(tmp_path: Path) -> None:
    """Names are compared in lower case: of two files for one host the second is refused."""
    (tmp_path / "A.com.toml").write_text("phoenix = 1\n")
    (tmp_path / "a.com.toml").write_text("phoenix = 1\n")
    assert messages(load(tmp_path, {})) == [
        f"a.com.toml:0: a.com belongs to {tmp_path}/A.com.toml (by its name) already"
    ]
