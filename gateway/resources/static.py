"""Static sites and single-page apps: which file answers a path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from gateway.errors import FileUnavailable, HTTPError
from gateway.http.negotiation import AnswerForm, accepts_page, choose_form
from gateway.http.paths import file_names
from gateway.resources.static_answer import FileAnswers
from gateway.resources.static_cache import key_of
from gateway.resources.static_entries import MissingEntry, MovedEntry
from gateway.resources.static_folder import Folder, LinkRefused, OpenFile
from gateway.resources.static_found import Found
from gateway.settings import FilePath, settings
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

    __slots__ = ("_answers", "_clean", "_listing", "_prefix", "_root", "_shelf", "_spa", "_untrusted")

    def __init__(self, static: Static, answers: FileAnswers, prefix: bytes = b"") -> None:
        self._root = os.fsencode(static.root)
        self._spa = static.spa
        self._clean = static.clean
        self._listing = static.listing
        self._untrusted = static.untrusted
        self._answers = answers
        self._shelf = answers.shelf()
        self._prefix = prefix

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Answer GET and HEAD with a file, or with a redirect to where it is.

        Raises:
            HTTPError: 404 where there is no such file, 403 where it may not be read, 405 for other methods.
        """
        if request.head.method not in _READS:
            raise HTTPError(405, "method_not_allowed", ((b"Allow", b"GET, HEAD"),))
        entry = self._shelf.find(request)
        if entry is not None and (
            self._answers.answer_from(entry, request)
            or (type(entry) is MissingEntry and self._answer_missing(request, file_names(request.path, self._prefix)))
        ):
            return
        names = file_names(request.path, self._prefix)
        try:
            with Folder(self._root) as folder:
                if names is None or not self._answer(request, folder, names):
                    self._answer_missing(request, names, folder)
        except LinkRefused as error:
            raise HTTPError(404, "link_refused", message=f"{self._shown(names)}: {error.strerror}") from error
        except PermissionError as error:
            raise HTTPError(403, "forbidden", message=f"{self._shown(names)}: {error.strerror}") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise HTTPError(404, "no_root", message=f"there is no folder {os.fsdecode(self._root)}") from error
        except OSError as error:
            raise FileUnavailable(f"{self._shown(names)}: {error}") from error

    def _answer(self, request: Request, folder: Folder, names: list[bytes]) -> bool:
        """Answer with a file, a redirect or a list, if there is one for the path; remember which."""
        key = key_of(request)
        decoded = request.path.decoded
        found = (
            self._find_in_folder(folder, names, decoded) if decoded[-1:] == b"/" else self._find(folder, names, decoded)
        )
        if isinstance(found, bytes):
            entry = MovedEntry(quote(found, safe=_UNQUOTED).encode("ascii"))
            self._answers.answer_from(entry, request)
            self._shelf.keep(key, entry, request.received)
        elif found is not None:
            self._send(request, folder, *found, key)
        elif self._listing:
            self._shelf.drop(key)
            listed = folder.open_folder(names) if decoded[-1:] == b"/" else None
            if listed is not None:
                self._answers.send_listing(request, listed)
            return listed is not None
        else:
            self._shelf.keep(key, MissingEntry(), request.received)
        return found is not None

    def _find(self, folder: Folder, names: list[bytes], path: bytes) -> _Found:
        """Find the file of a path that does not end in a slash, or the path to go to."""
        file = folder.open_file(names) if names else None
        if file is not None:
            try:
                elsewhere = self._clean_name(folder, names, path)
            except BaseException:
                file.close()
                raise
            if elsewhere is None:
                return names, file
            file.close()
            return elsewhere
        if _exists(folder, [*names, _INDEX]) or (self._listing and folder.has_folder(names)):
            return path + b"/"
        page = folder.open_file(_page_of(names)) if names and self._clean != "off" else None
        return None if page is None else (_page_of(names), page)

    def _find_in_folder(self, folder: Folder, names: list[bytes], path: bytes) -> _Found:
        """Find the index of a path that ends in a slash, or the path of the file of that name."""
        index = folder.open_file([*names, _INDEX])
        if index is not None:
            return [*names, _INDEX], index
        if names and (_exists(folder, names) or (self._clean != "off" and _exists(folder, _page_of(names)))):
            return path[:-1]
        return None

    def _clean_name(self, folder: Folder, names: list[bytes], path: bytes) -> bytes | None:
        """Find the clean path of a page, where it leads back to this page; None where there is none."""
        last = names[-1]
        if self._clean != "redirect" or not last.endswith(_HTML):
            return None
        if last == _INDEX:
            return path.removesuffix(_INDEX)
        bare = [*names[:-1], last.removesuffix(_HTML)]
        if not bare[-1] or _exists(folder, bare) or _exists(folder, [*bare, _INDEX]):
            return None
        return path.removesuffix(_HTML)

    def _answer_missing(self, request: Request, names: Sequence[bytes] | None, folder: Folder | None = None) -> bool:
        """Answer where there is no file: an app's page for navigations, the site's own 404, or the built-in one.

        Args:
            request: The exchange.
            names: What was asked for.
            folder: The root; without it the answer is made of what is remembered, if that tells it.

        Returns:
            Whether it was answered.

        Raises:
            HTTPError: 404.
        """
        if self._spa and names is not None and _is_route(request, names):
            said = self._answer_with(request, folder, _INDEX)
            if said is not False:
                return said is not None
        if not self._untrusted and choose_form(request.head) in _PAGES:
            said = self._answer_with(request, folder, _NOT_FOUND)
            if said is not False:
                return said is not None
        raise HTTPError(404, "not_found")

    def _answer_with(self, request: Request, folder: Folder | None, name: bytes) -> bool | None:
        """Answer with a file of the root: an index, or a page for 404.

        Returns:
            True if it was answered, False if there is no such file, None where that must be looked up.
        """
        key = b"\0" + name
        entry = self._shelf.fresh(key, request.received)
        if entry is not None:
            if type(entry) is MissingEntry:
                return False
            if self._answers.answer_from(entry, request):
                return True
        if folder is None:
            return None
        file = folder.open_file([name])
        if file is None:
            self._shelf.keep(key, MissingEntry(), request.received)
            return False
        if name == _INDEX:
            self._send(request, folder, [name], file, key)
        else:
            self._answers.send_page(request, file, 404, self._shelf, key)
        return True

    def _send(self, request: Request, folder: Folder, names: Sequence[bytes], file: OpenFile, key: bytes) -> None:
        # Where an app's page may stand in for a file, what is accepted decides.
        more = _KEPT_AWAY if self._untrusted else ()
        vary = b"Accept" if self._spa and names == [_INDEX] else b""
        self._answers.send(request, Found(folder, names, file, vary, more), self._shelf, key)

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


_Found: TypeAlias = "tuple[list[bytes], OpenFile] | bytes | None"
"""A file with its names, or the decoded path where it is, or nothing."""
_READS: Final = (b"GET", b"HEAD")
_PAGES: Final = (AnswerForm.HTML, AnswerForm.TEXT)
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
