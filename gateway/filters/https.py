"""Plain HTTP of a site that belongs on HTTPS: a redirect once its certificate is there, the site itself before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import HTTPError
from gateway.filters.canonical import Correct, as_it_came, on_path
from gateway.http.location import secure_origin
from gateway.web.moved import Moved
from gateway.web.request import Request
from gateway.web.resource import Resource


@dataclass(frozen=True, slots=True)
class Https:
    """HTTPS as the sites see it.

    Attributes:
        ready: Tells whether a name has a certificate.
        renewed: Tells whether that certificate was renewed at least once.
        port: Port of the TLS listener.
    """

    ready: Callable[[str], bool]
    renewed: Callable[[str], bool]
    port: int = 443


class HttpsRedirect(Resource):
    """Answers plain HTTP: scheme, host and slash are corrected in one hop, path and query kept byte for byte.

    Args:
        site: Who answers while there is no certificate.
        ready: Tells whether a name has a certificate.
        name: The canonical host name; empty where each keeps its own.
        correct: Corrects the target in the same hop.
        port: Port of the TLS listener.
        protected: Whether the site is never to be seen over plain HTTP; it then waits for its certificate with 503.
    """

    __slots__ = ("_correct", "_name", "_port", "_protected", "_ready", "_site")

    def __init__(
        self,
        site: Resource,
        ready: Callable[[str], bool],
        *,
        name: bytes = b"",
        correct: Correct = as_it_came,
        port: int = 443,
        protected: bool = False,
    ) -> None:
        self._site = site
        self._ready = ready
        self._name = name
        self._correct = correct
        self._port = port
        self._protected = protected

    def render(self, request: Request, data: bytes = b"", end: bool = True) -> None:
        """Redirect, or pass the request to the site.

        Raises:
            HTTPError: 503 where a protected site has no certificate yet.
        """
        head = request.head
        name = self._name or head.hostname
        if name and self._ready(name.decode("latin-1")):
            place = secure_origin(name, head.host, local_port=request.stream.local_port, port=self._port)
            Moved(on_path(place, self._correct(request))).render(request, data, end)
        elif self._protected:
            raise HTTPError(503, "no_certificate", message=f"{name!r} has no certificate yet")
        else:
            self._site.render(request, data, end)
