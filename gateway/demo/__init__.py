"""A small upstream to try gateway with: pages, a stream, an upload and a WebSocket.

It is an application like any other: plain Twisted and Autobahn, nothing of gateway's own code.
"""
