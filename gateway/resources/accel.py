"""Files handed over by an app: an answer with X-Accel-Redirect is made from a file of a folder that only the app knows.

So the app decides who may have a file, and the gateway sends it, with ranges and conditions.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Final

from gateway.errors import FileUnavailable, GatewayError, HTTPError, ResponseInvalid
from gateway.http.fields import Field
from gateway.http.known import ACCEL_REDIRECT
from gateway.http.paths import decide_path, file_names
from gateway.http.stream import DISCARD
from gateway.resources.passing import PassingSink
from gateway.resources.static_answer import FileAnswers
from gateway.resources.static_folder import Folder, LinkRefused
from gateway.resources.static_found import Found, choose_coding

if TYPE_CHECKING:
    from gateway.http.message import ResponseHead
    from gateway.http.stream import ResponseSink
    from gateway.web.request import Request


class HandOver(PassingSink):
    """A response sink in front of another: an answer that names a file becomes that file.

    Args:
        request: The exchange.
        sink: Who gets all other answers.
        root: The folder of the files.
        files: Makes answers from files.
    """

    __slots__ = ("_files", "_request", "_root")

    def __init__(self, request: Request, sink: ResponseSink, root: str, files: FileAnswers) -> None:
        super().__init__(sink)
        self._request = request
        self._root = os.fsencode(root)
        self._files = files

    def send_head(self, head: ResponseHead, data: bytes, end: bool) -> None:
        """Pass a response on, or send the file that it names; then the app's content is given up."""
        path = head.get(b"x-accel-redirect") if head.known & ACCEL_REDIRECT else None
        if path is None or self._request.head.method not in (b"GET", b"HEAD"):
            head.remove(_NAMES)
            super().send_head(head, data, end)
            return
        self._replaced = True
        request = self._request
        app, request.upstream, request.recovery = request.upstream, DISCARD, None
        app.reset(GatewayError("the answer is made from a file"))
        try:
            self._send_file(request, path, head)
        except GatewayError as error:
            request.fail(error)
        except OSError as error:
            request.fail(FileUnavailable(f"{os.fsdecode(self._root)}{path!r}: {error}"))

    def _send_file(self, request: Request, path: bytes, head: ResponseHead) -> None:
        if not path.startswith(b"/"):
            raise ResponseInvalid(f"X-Accel-Redirect is no path: {path[:80]!r}")
        names = file_names(decide_path(path), b"")
        try:
            with Folder(self._root) as folder:
                file = folder.open_file(names) if names else None
                if names is None or file is None:
                    raise HTTPError(404, "accel_missing", message=f"the app handed over {path!r}, which is not there")
                found = Found(folder, names, file, more=_kept(head))
        except (LinkRefused, FileNotFoundError, NotADirectoryError) as error:
            raise HTTPError(404, "accel_missing", message=f"the app handed over {path!r}: {error}") from error
        chosen = found.take(request.head, choose_coding(request.head, found.codings))
        found.close()
        chosen = dataclasses.replace(
            chosen,
            content_type=head.get(b"content-type") or chosen.content_type,
            cache_control=head.get(b"cache-control") or chosen.cache_control,
        )
        self._files.send_once(request, chosen)


def _kept(head: ResponseHead) -> tuple[Field, ...]:
    """Take over what only the app can know of the file."""
    return tuple((name, value) for name in _KEPT for value in head.get_all(name.lower()))


_NAMES: Final = frozenset({b"x-accel-redirect"})
_KEPT: Final = (b"Content-Disposition", b"Content-Language", b"Set-Cookie")
