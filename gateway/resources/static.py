"""Static sites and single-page apps: which file answers a path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import quote

from gateway.errors import FileUnavailable, HTTPError
from gateway.http.location import split_target
from gateway.http.negotiation import AnswerForm, accepts_page, choose_form
from gateway.http.paths import file_names
from gateway.resources.static_answer import FileAnswers, represent
from gateway.resources.static_folder import Folder, LinkRefused, OpenFile
from gateway.settings import FilePath, settings
from gateway.web.moved import Moved
from gateway.web.request import Request
from gateway.web.resource import Resource

Clean = Literal["serve", "redirect", "off"]
"""What becomes of page names without `.html`."""


@settings
class Static:
    """Settings of a folder served as it is; the short form `"dir"` means the key `root`.

    Attributes:
        root: The folder. It may be a link that is switched to another folder at any time.
        spa: Navigations to missing files get `/index.html` (the key `spa` instead of `static`).
        clean: Whether `/about` answers with `about.html`: `serve` does so, `redirect` also sends `/about.html` there,
            `off` does not.
        listing: Whether a folder without index shows what is in it.
        untrusted: Whether strangers may have put the files there: browsers save them, and never run anything in them.
    """

    root: FilePath
    spa: bool = False
    clean: Clean = "serve"
    listing: bool = False
    untrusted: bool = False


class StaticResource(Resource):
    """A leaf that serves a folder.

    Args:
        static: Which folder, and how.
        answers: Makes answers from files.
        prefix: What is taken off the path: the route's prefix, decoded, without trailing slash.
    """

    __slots__ = ("_answers", "_clean", "_listing", "_prefix", "_root", "_spa", "_untrusted")

    def __init__(self, static: Static, answers: FileAnswers, prefix: bytes = b"") -> None:
        self._root = os.fsencode(static.root)
        self._spa = static.spa
        self._clean = static.clean
        self._listing = static.listing
        self._untrusted = static.untrusted
        self._answers = answers
        self._prefix = prefix

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer GET and HEAD with a file, or with a redirect to where it is.

        Raises:
            HTTPError: 404 where there is no such file, 403 where it may not be read, 405 for other methods.
        """
        if request.head.method not in (b"GET", b"HEAD"):
            raise HTTPError(405, "method_not_allowed", ((b"Allow", b"GET, HEAD"),))
        names = file_names(request.path, self._prefix)
        try:
            with Folder(self._root) as folder:
                if not (names is not None and self._answer(request, folder, names)):
                    self._answer_missing(request, folder, names)
        except LinkRefused as error:
            raise HTTPError(404, "link_refused", message=f"{self._shown(names)}: {error.strerror}") from error
        except PermissionError as error:
            raise HTTPError(403, "forbidden", message=f"{self._shown(names)}: {error.strerror}") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise HTTPError(404, "no_root", message=f"there is no folder {os.fsdecode(self._root)}") from error
        except OSError as error:
            raise FileUnavailable(f"{self._shown(names)}: {error}") from error

    def _answer(self, request: Request, folder: Folder, names: list[bytes]) -> bool:
        """Answer with a file or a redirect, if there is one for the path."""
        if request.path.decoded.endswith(b"/"):
            return self._answer_folder(request, folder, names)
        file = folder.open_file(names) if names else None
        if file is not None:
            elsewhere = self._clean_name(request, folder, names)
            if elsewhere is not None:
                file.close()
                _move(request, elsewhere)
            else:
                self._send(request, folder, names, file)
            return True
        if _exists(folder, [*names, _INDEX]) or (self._listing and folder.has_folder(names)):
            _move(request, request.path.decoded + b"/")
            return True
        page = self._open_page(folder, names)
        if page is None:
            return False
        self._send(request, folder, [*names[:-1], names[-1] + _HTML], page)
        return True

    def _answer_folder(self, request: Request, folder: Folder, names: list[bytes]) -> bool:
        """Answer a path that ends in a slash: with the index, or with a redirect to the file of that name."""
        index = folder.open_file([*names, _INDEX])
        if index is not None:
            self._send(request, folder, [*names, _INDEX], index)
            return True
        if names and (_exists(folder, names) or (self._clean != "off" and _exists(folder, _page_of(names)))):
            _move(request, request.path.decoded[:-1])
            return True
        listed = folder.open_folder(names) if self._listing else None
        if listed is not None:
            self._answers.send_listing(request, listed)
        return listed is not None

    def _open_page(self, folder: Folder, names: list[bytes]) -> OpenFile | None:
        return folder.open_file(_page_of(names)) if names and self._clean != "off" else None

    def _clean_name(self, request: Request, folder: Folder, names: list[bytes]) -> bytes | None:
        """Find the clean path of a page, where it leads back to this page; None where there is none."""
        last = names[-1]
        if self._clean != "redirect" or not last.endswith(_HTML):
            return None
        path = request.path.decoded
        if last == _INDEX:
            return path.removesuffix(_INDEX)
        bare = [*names[:-1], last.removesuffix(_HTML)]
        if not bare[-1] or _exists(folder, bare) or _exists(folder, [*bare, _INDEX]):
            return None
        return path.removesuffix(_HTML)

    def _answer_missing(self, request: Request, folder: Folder, names: Sequence[bytes] | None) -> None:
        """Answer where there is no file: an app's page for navigations, the site's own 404, or the built-in one.

        Raises:
            HTTPError: 404.
        """
        if self._spa and names is not None and _is_route(request, names):
            index = folder.open_file([_INDEX])
            if index is not None:
                self._send(request, folder, [_INDEX], index)
                return
        if not self._untrusted and choose_form(request.head) in (AnswerForm.HTML, AnswerForm.TEXT):
            page = folder.open_file([_NOT_FOUND])
            if page is not None:
                self._answers.send_page(request, page, 404)
                return
        raise HTTPError(404, "not_found")

    def _send(self, request: Request, folder: Folder, names: Sequence[bytes], file: OpenFile) -> None:
        # Where an app's page may stand in for a file, what is accepted decides.
        more = _KEPT_AWAY if self._untrusted else ()
        vary = b"Accept" if self._spa and names == [_INDEX] else b""
        self._answers.send(request, represent(request, folder, names, file, vary=vary, more=more))

    def _shown(self, names: Sequence[bytes] | None) -> str:
        return os.fsdecode(b"/".join((self._root, *(names or ()))))


def _exists(folder: Folder, names: Sequence[bytes]) -> bool:
    """Tell whether there is a regular file that can be read."""
    file = folder.open_file(names)
    if file is None:
        return False
    file.close()
    return True


def _page_of(names: Sequence[bytes]) -> list[bytes]:
    return [*names[:-1], names[-1] + _HTML]


def _is_route(request: Request, names: Sequence[bytes]) -> bool:
    """Tell whether a path without file may be a route of a single-page app: somebody wants a page, not a script."""
    if names[:1] == [b"assets"] or (names and b"." in names[-1]):
        return False
    return accepts_page(request.head)


def _move(request: Request, path: bytes) -> None:
    """Redirect to a decoded path, query kept."""
    _, query = split_target(request.head.target)
    Moved(quote(path, safe=_UNQUOTED).encode("ascii") + query).render(request)


_INDEX: Final = b"index.html"
_NOT_FOUND: Final = b"404.html"
_HTML: Final = b".html"
_KEPT_AWAY: Final = (
    (b"Content-Disposition", b"attachment"),
    (b"Content-Security-Policy", b"sandbox; default-src 'none'"),
    (b"X-Content-Type-Options", b"nosniff"),
)
_UNQUOTED: Final = "/:@!$&'()*+,;=-._~"
"""Stand for themselves in a path (RFC 3986 §3.3)."""
