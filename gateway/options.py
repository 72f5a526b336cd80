"""The command line of `twistd gateway`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from twisted.python.usage import Options as TwistedOptions
from twisted.python.usage import UsageError

from gateway import reactor


class Options(TwistedOptions):
    """Options of `twistd gateway`; having read them installs the reactor.

    Attributes:
        folder: The folder of site files, as an absolute path: twistd may change its working directory later.
    """

    synopsis = "[-c FOLDER]"
    longdesc = (
        "Serves every site that has a file in FOLDER, as in FOLDER/example.com.toml; FOLDER/gateway.toml says where "
        "to listen. Check the files with: gateway check FOLDER. "
        "To listen on ports below 1024 without staying root: twistd --uid=NAME --gid=NAME gateway -c FOLDER."
    )
    optParameters: ClassVar[list[list[object]]] = [
        ["config", "c", "sites", "Folder of the site files and of gateway.toml."],
    ]

    folder: Path

    def postOptions(self) -> None:
        """Find the folder and install the reactor.

        Raises:
            UsageError: There is no such folder.
        """
        self.folder = Path(self["config"]).absolute()
        if not self.folder.is_dir():
            raise UsageError(f"there is no folder {self['config']!r}: name the folder of the site files with -c FOLDER")
        reactor.install()
