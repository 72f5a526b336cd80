"""Media types by the ending of a file's name: a table of our own, for the host's differs from machine to machine."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = b"application/octet-stream"


def content_type(name: bytes) -> bytes:
    """Find the value of Content-Type for a file's name; `UNKNOWN` where its ending is not in the table."""
    _, dot, ending = name.rpartition(b".")
    return _TYPES.get(ending.lower(), UNKNOWN) if dot else UNKNOWN


def may_be_encoded(media_type: bytes) -> bool:
    """Tell whether copies in a content coding beside such a file make sense: it is not compressed by itself."""
    return media_type not in _COMPRESSED and not media_type.startswith((b"video/", b"audio/"))


_TEXT: Final = {
    "text/html": "html htm",
    "text/css": "css",
    "text/javascript": "js mjs cjs",  # RFC 9239
    "text/plain": "txt text log asc conf ini rst sh diff patch c h py rb go rs erl",
    "text/markdown": "md markdown",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/calendar": "ics ifb",
    "text/vcard": "vcf",
    "text/vtt": "vtt",
    "text/xml": "xsl xslt",
    "text/cache-manifest": "appcache",
    "application/xhtml+xml": "xhtml",
    "application/xml": "xml",
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "image/svg+xml": "svg",
}
_OTHER: Final = {
    "application/json": "json map topojson",
    "application/ld+json": "jsonld",
    "application/geo+json": "geojson",
    "application/feed+json": "jsonfeed",
    "application/manifest+json": "webmanifest",
    "application/jsonl": "jsonl ndjson",
    "application/wasm": "wasm",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/epub+zip": "epub",
    "application/zip": "zip",
    "application/gzip": "gz tgz",
    "application/zstd": "zst",
    "application/x-bzip2": "bz2",
    "application/x-xz": "xz",
    "application/x-7z-compressed": "7z",
    "application/x-tar": "tar",
    "application/vnd.rar": "rar",
    "application/java-archive": "jar war",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.debian.binary-package": "deb",
    "application/x-rpm": "rpm",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.apple.mpegurl": "m3u8",
    "application/dash+xml": "mpd",
    "application/vnd.ms-fontobject": "eot",
    "application/pgp-signature": "sig",
    "application/pkix-cert": "cer crt",
    "application/x-pem-file": "pem",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "font/ttf": "ttf",
    "font/otf": "otf",
    "font/collection": "ttc",
    "image/png": "png",
    "image/apng": "apng",
    "image/jpeg": "jpg jpeg jfif",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/jxl": "jxl",
    "image/bmp": "bmp",
    "image/tiff": "tif tiff",
    "image/vnd.microsoft.icon": "ico cur",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/ogg": "oga ogg opus",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/midi": "mid midi",
    "audio/webm": "weba",
    "video/mp4": "mp4 m4v",
    "video/webm": "webm",
    "video/ogg": "ogv",
    "video/mp2t": "ts",
    "video/quicktime": "mov",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
    "video/mpeg": "mpeg mpg",
    "model/gltf-binary": "glb",
    "model/gltf+json": "gltf",
}
_COMPRESSED: Final = frozenset(
    {
        b"application/epub+zip",
        b"application/gzip",
        b"application/vnd.rar",
        b"application/x-7z-compressed",
        b"application/x-bzip2",
        b"application/x-xz",
        b"application/zip",
        b"application/zstd",
        b"font/woff",
        b"font/woff2",
        b"image/apng",
        b"image/avif",
        b"image/gif",
        b"image/heic",
        b"image/jpeg",
        b"image/jxl",
        b"image/png",
        b"image/webp",
    }
)


def _table() -> dict[bytes, bytes]:
    types = {ending: f"{name}; charset=utf-8" for name, endings in _TEXT.items() for ending in endings.split()}
    types |= {ending: name for name, endings in _OTHER.items() for ending in endings.split()}
    return {ending.encode(): name.encode() for ending, name in types.items()}


_TYPES: Final = _table()
