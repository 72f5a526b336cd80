"""Makes `twistd gateway` known; there must be no `__init__.py` in this folder or the one above."""

from twisted.application.service import ServiceMaker

gateway = ServiceMaker("gateway", "gateway.service", "The front door for one machine with many sites.", "gateway")
