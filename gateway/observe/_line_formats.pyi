from gateway.web.request import Request

def combined(
    request: Request,
    stamp: bytes,
    target: bytes,
    referer: bytes,
    agent: bytes,
    upstream: bytes,
    socket: tuple[bytes, bytes] | None,
    reason: bytes,
) -> bytes: ...
def json(
    request: Request,
    stamp: bytes,
    target: bytes,
    referer: bytes,
    agent: bytes,
    upstream: bytes,
    socket: tuple[bytes, bytes] | None,
    reason: bytes,
    site: bytes,
) -> bytes: ...
def usual_field(raw: bytes, name: bytes) -> bytes: ...
def is_plain(target: bytes) -> bool: ...
