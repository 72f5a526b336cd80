"""What `[limits]` of gateway.toml means for client connections."""

from __future__ import annotations

import resource
from typing import Final

from twisted.logger import Logger

from gateway.config.model import Limits
from gateway.protocol.http1_fields import HeadLimits
from gateway.server.connection import ConnectionLimits
from gateway.units import ByteCount

log = Logger()


def connection_limits(limits: Limits) -> ConnectionLimits:
    """Give what one connection may cost."""
    return ConnectionLimits(
        head=HeadLimits(size=limits.header_size, line=limits.header_line, count=limits.header_count),
        header_time=limits.header_time,
        keep_alive=limits.keep_alive,
        body_idle=limits.body_idle,
        body_rate=limits.body_rate,
        body_rate_after=limits.body_grace,
        write_idle=limits.write_idle,
        pipelined=min(limits.buffer, _PIPELINED),
    )


def connections_allowed(limits: Limits) -> int:
    """Give the number of client connections: what is set, else what the limit of open files leaves.

    Each has one upstream connection beside it. The limit of open files is raised as far as it may be.
    """
    if limits.connections is not None:
        return limits.connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < _FEW_FILES:
        log.warn(
            "only {count} files may be open: raise LimitNOFILE or `ulimit -n` to {few}", count=hard, few=_FEW_FILES
        )
    return max(16, int(hard * 0.9) // 2)


_FEW_FILES: Final = 4096
_PIPELINED: Final = ByteCount(64_000)
"""Octets of further requests kept for a client; honest ones send none."""
