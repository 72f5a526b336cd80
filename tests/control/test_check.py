from __future__ import annotations

from pathlib import Path

from gateway.config.loader import load
from gateway.control.check import check
from gateway.control.machine import Machine
from gateway.upstream.address import UpstreamAddress
from tests.support.certificates import Authority


class FakeMachine(Machine):
    """A machine on which only some ports listen, some to everyone, and no file is there."""

    def listens(self, upstream: UpstreamAddress) -> bool:
        return upstream.port < 5000

    def open_ports(self) -> frozenset[int]:
        return frozenset({4001})

    def has_folder(self, path: str) -> bool:
        return path.endswith("here")

    has_file = has_folder


def findings(folder: Path, **files: str) -> list[str]:
    for name, source in files.items():
        (folder / f"{name.replace('__', '.')}.toml").write_text(source)
    found = check(load(folder, {}), FakeMachine())
    return [f"{each.severity} {each.file.removeprefix(f'{folder}/')}:{each.line} {each.message}" for each in found]


def test_a_good_folder_has_no_findings(tmp_path: Path) -> None:
    """Where all is well, nothing is said."""
    assert findings(tmp_path, a__com="phoenix = 4000\n") == []


def test_a_folder_with_nothing_to_serve(tmp_path: Path) -> None:
    """A folder without site files is perhaps not the one that was meant; without listeners nobody can ask."""
    assert findings(tmp_path, gateway="http = []\nhttps = []\n") == [
        "warning gateway.toml:0 nothing listens: `http` and `https` are both empty",
        f"warning {tmp_path}:0 there is no site file, such as example.com.toml",
    ]
    assert findings(tmp_path, gateway="htp = 1\n") == ["error gateway.toml:1 unknown key `htp`"]


def test_missing_paths_are_warnings(tmp_path: Path) -> None:
    """Folders and pages that are not there are named at the key that wants them."""
    source = 'assets = "a"\nmaintenance = "m"\nproxy = { to = "https://x:1", verify = false }\n[errors]\n404 = "n"\n'
    source += '5xx = "here"\n[routes."/x/*"]\nstatic = "s"\n'
    assert findings(tmp_path, a__com=source) == [
        "warning a.com.toml:3 the certificate of the upstream is not verified",
        f"warning a.com.toml:7 there is no folder {tmp_path}/s",
        f"warning a.com.toml:1 there is no folder {tmp_path}/a",
        f"warning a.com.toml:4 there is no file {tmp_path}/n",
        f"warning a.com.toml:2 there is no file {tmp_path}/m",
    ]


def test_a_single_page_app_without_its_page(tmp_path: Path) -> None:
    """The folder may be that of the sources, or not built yet."""
    assert findings(tmp_path, a__com='spa = "here"\n', b__com='static = "here"\n') == [
        f"warning a.com.toml:1 there is no file {tmp_path}/here/index.html, which is the app itself"
    ]


def test_upstreams_that_do_not_listen_or_listen_to_everyone(tmp_path: Path) -> None:
    """A dead upstream is a warning, not an error, and so is one that can be reached past the gateway."""
    assert findings(tmp_path, a__com="phoenix = [4000, 4001, 5000]\n", b__com='proxy = ["10.0.0.1:4001", 5000]\n') == [
        "warning a.com.toml:1 port 4001 listens on all addresses: it may be reachable past the gateway",
        "warning a.com.toml:1 nothing listens on 127.0.0.1:5000",
    ]


def test_redirect_loops_are_errors_and_chains_are_warnings(tmp_path: Path) -> None:
    """Each redirect is followed through all sites; what never ends is an error at its key."""
    assert findings(
        tmp_path,
        a__com='phoenix = 4000\ncanonical = "www"\n[redirects]\n"/x" = "/y"\n"/y" = "/x"\n"/z" = "/x.html"\n',
        b__com='redirect = "https://a.com"\n',
    ) == [
        "error a.com.toml:4 redirect loop: https://www.a.com/x -> https://www.a.com/y -> https://www.a.com/x",
        "error a.com.toml:5 redirect loop: https://www.a.com/y -> https://www.a.com/x -> https://www.a.com/y",
        "warning b.com.toml:1 2 redirects in a row: https://b.com/ -> https://a.com/ -> https://www.a.com/",
    ]


def test_errors_of_files_come_first(tmp_path: Path) -> None:
    """Errors stand before warnings, whatever file they are of."""
    assert [each.partition(" ")[0] for each in findings(tmp_path, a__com="phoenix = 5000\n", b__com="x = 1\n")] == [
        "error",
        "warning",
    ]


def test_own_certificates(tmp_path: Path) -> None:
    """What is wrong with a site's own certificate is told at its line: what forbids its use as an error of the file."""
    authority = Authority("ca.example")
    good = authority.write(tmp_path, "a.com")
    old = authority.write(tmp_path, "b.com", days=(-90, -3))
    ending = authority.write(tmp_path, "c.com", days=(-90, 10))
    other = authority.write(tmp_path, "d.net")
    mixed = f'cert = "{tmp_path}/a.com.pem"\nkey = "{tmp_path}/b.com.key"\n'
    alone = Authority("h.example", issuers="http://h.example/h.der").write(tmp_path, "h.com")
    cut = good.replace("a.com.key", "cut.key")
    (tmp_path / "cut.key").write_bytes(b"half a file")
    assert findings(
        tmp_path,
        a__com=f"phoenix = 4000\n{good}",
        b__com=f"phoenix = 4000\n{old}",
        c__com=f'hosts = ["c.net"]\nphoenix = 4000\n{ending}',
        d__com=f"phoenix = 4000\n{other}",
        e__com=f"phoenix = 4000\n{mixed}",
        f__com='phoenix = 4000\ncert = "none.pem"\nkey = "none.key"\n',
        g__com='phoenix = 4000\nkey = "none.key"\n',
        h__com=f"phoenix = 4000\n{alone}",
        i__com=f"phoenix = 4000\n{cut}",
    ) == [
        "error d.com.toml:2 the certificate is for d.net, not for d.com",
        f"error e.com.toml:2 {tmp_path}/a.com.pem: the key does not belong to the certificate",
        f"error f.com.toml:2 {tmp_path}/none.pem cannot be read: No such file or directory",
        "error g.com.toml:2 `key` needs `cert` beside it",
        f"error i.com.toml:3 {tmp_path}/cut.key: no PEM private key can be read",
        "error b.com.toml:2 the certificate expired 3 days ago",
        "warning c.com.toml:3 the certificate expires in 9 days",
        "warning c.com.toml:3 the certificate is not for c.net: no HTTPS there",
        "warning h.com.toml:2 the certificate comes without that of its issuer, h.example: many clients will not trust "
        "it; put the whole chain into the file",
    ]
