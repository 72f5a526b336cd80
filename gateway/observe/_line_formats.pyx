"""Lines of the access log, written in C; whatever is unusual is left to `line_formats`, which says what they look like."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport fabs, rint
from libc.string cimport memchr, memcmp, memcpy

from gateway.http.message cimport RequestHead
from gateway.web.request cimport Request

from gateway.observe import line_formats

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    ROOM = 8192  # a line has at most half of it, for target and fields were cut
    ID_AT = 14  # octets of `X-Request-Id: `

cdef object plain_combined = line_formats.combined
cdef object plain_json = line_formats.json
cdef tuple NO_SOCKET = line_formats._NO_SOCKET
cdef tuple NO_JSON_SOCKET = line_formats._NO_JSON_SOCKET
cdef int CLIENT_GONE = line_formats.CLIENT_GONE
cdef Py_ssize_t MAX_PLAIN = line_formats._MAX_PLAIN

cdef unsigned char IS_PLAIN[256]
for _octet in range(256):
    IS_PLAIN[_octet] = _octet in line_formats.PLAIN


cdef struct Line:
    char* at
    const char* end
    bint failed  # there is something that plain Python has to write


cdef void literal(Line* line, const char* text, Py_ssize_t size) noexcept:
    if size > line.end - line.at:
        line.failed = True
        return
    memcpy(line.at, text, size)
    line.at += size


cdef void octets(Line* line, bytes text) noexcept:
    literal(line, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))


cdef void octets_or_dash(Line* line, bytes text) noexcept:
    if PyBytes_GET_SIZE(text):
        octets(line, text)
    else:
        literal(line, b"-", 1)


cdef void number(Line* line, long long value) noexcept:
    cdef char digits[20]
    cdef int at = 20
    if value < 0:
        line.failed = True
        return
    while True:
        at -= 1
        digits[at] = <char>(48 + value % 10)
        value //= 10
        if not value:
            break
    literal(line, digits + at, 20 - at)


cdef void milliseconds(Line* line, double seconds) noexcept:
    """Write with two decimals; what lies so near to the middle of two that rounding could differ is not written."""
    cdef double hundredths = seconds * 1000 * 100
    cdef double whole = rint(hundredths)
    cdef long long units
    cdef char decimals[3]
    if not 0 <= hundredths < 1e12 or fabs(fabs(hundredths - whole) - 0.5) < 1e-3:
        line.failed = True
        return
    units = <long long>whole
    number(line, units // 100)
    decimals[0] = 46
    decimals[1] = <char>(48 + units // 10 % 10)
    decimals[2] = <char>(48 + units % 10)
    literal(line, decimals, 3)


cdef int client(Line* line, text, const char* otherwise, Py_ssize_t size) except -1:
    cdef Py_ssize_t length
    cdef const char* address = PyUnicode_AsUTF8AndSize(text, &length)
    if length != PyUnicode_GET_LENGTH(text):
        line.failed = True  # not ASCII
    elif length:
        literal(line, address, length)
    else:
        literal(line, otherwise, size)
    return 0


cdef void method(Line* line, RequestHead head) noexcept:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(head.method)
    literal(line, PyBytes_AS_STRING(head.method), size if size < 32 else 32)


cdef void version(Line* line, RequestHead head) noexcept:
    if head.version == 1:
        literal(line, b"HTTP/1.1", 8)
    elif head.version == 0:
        literal(line, b"HTTP/1.0", 8)
    else:
        line.failed = True


cdef void request_id(Line* line, Request request) noexcept:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(request.id_line) - ID_AT - 2
    if size < 0:
        line.failed = True
    else:
        literal(line, PyBytes_AS_STRING(request.id_line) + ID_AT, size)


cdef void upstream_milliseconds(
    Line* line, Request request, bytes upstream, const char* otherwise, Py_ssize_t size
) noexcept:
    if PyBytes_GET_SIZE(upstream) and request.first_byte:
        milliseconds(line, request.first_byte - request.leased)
    else:
        literal(line, otherwise, size)


cdef void begin(Line* line, char* room) noexcept:
    line.at = room
    line.end = room + ROOM
    line.failed = False


def combined(
    Request request not None, bytes stamp not None, bytes target not None, bytes referer not None,
    bytes agent not None, bytes upstream not None, tuple socket, bytes reason not None,
):
    """Write a line of the combined format, as `line_formats.combined` does."""
    cdef bytes kind, code
    kind, code = NO_SOCKET if socket is None else socket
    cdef char room[ROOM]
    cdef Line line
    cdef RequestHead head = request.head
    cdef double ended = request.finished if request.finished else request.first_byte
    begin(&line, room)
    client(&line, request.client, b"0.0.0.0", 7)
    literal(&line, b" - - [", 6)
    octets(&line, stamp)
    literal(&line, b'] "', 3)
    if PyBytes_GET_SIZE(head.method):
        method(&line, head)
    else:
        line.failed = True
    literal(&line, b" ", 1)
    octets_or_dash(&line, target)
    literal(&line, b" ", 1)
    version(&line, head)
    literal(&line, b'" ', 2)
    number(&line, request.status if request.status else CLIENT_GONE)
    literal(&line, b" ", 1)
    number(&line, request.bytes_out)
    literal(&line, b' "', 2)
    octets_or_dash(&line, referer)
    literal(&line, b'" "', 3)
    octets_or_dash(&line, agent)
    literal(&line, b'" host=', 7)
    octets_or_dash(&line, head.hostname)
    literal(&line, b" id=", 4)
    request_id(&line, request)
    literal(&line, b" in=", 4)
    number(&line, request.bytes_in)
    literal(&line, b" ms=", 4)
    milliseconds(&line, ended - request.received)
    literal(&line, b" upstream=", 10)
    octets_or_dash(&line, upstream)
    literal(&line, b" upstream_ms=", 13)
    upstream_milliseconds(&line, request, upstream, b"-", 1)
    literal(&line, b" retries=", 9)
    number(&line, request.retries)
    literal(&line, b" held_ms=0 socket=", 18)
    octets(&line, kind)
    literal(&line, b" code=", 6)
    octets(&line, code)
    literal(&line, b" tls=", 5)
    if request.secure:
        literal(&line, b"yes", 3)
    else:
        literal(&line, b"-", 1)
    literal(&line, b" reason=", 8)
    octets_or_dash(&line, reason)
    literal(&line, b"\n", 1)
    if line.failed:
        return plain_combined(request, stamp, target, referer, agent, upstream, socket, reason)
    return PyBytes_FromStringAndSize(room, line.at - room)


def json(
    Request request not None, bytes stamp not None, bytes target not None, bytes referer not None,
    bytes agent not None, bytes upstream not None, tuple socket, bytes reason not None, bytes site not None,
):
    """Write a line that is a JSON object, as `line_formats.json` does."""
    cdef bytes kind, code
    kind, code = NO_JSON_SOCKET if socket is None else socket
    cdef char room[ROOM]
    cdef Line line
    cdef RequestHead head = request.head
    cdef double ended = request.finished if request.finished else request.first_byte
    begin(&line, room)
    literal(&line, b'{"time":"', 9)
    octets(&line, stamp)
    literal(&line, b'","request_id":"', 16)
    request_id(&line, request)
    literal(&line, b'","client":"', 12)
    client(&line, request.client, b"", 0)
    literal(&line, b'","host":"', 10)
    octets(&line, head.hostname)
    literal(&line, b'","method":"', 12)
    if PyBytes_GET_SIZE(head.method):
        method(&line, head)
    else:
        line.failed = True
    literal(&line, b'","path":"', 10)
    octets(&line, target)
    literal(&line, b'","proto":"', 11)
    version(&line, head)
    literal(&line, b'","status":', 11)
    number(&line, request.status if request.status else CLIENT_GONE)
    literal(&line, b',"bytes_in":', 12)
    number(&line, request.bytes_in)
    literal(&line, b',"bytes_out":', 13)
    number(&line, request.bytes_out)
    literal(&line, b',"ms":', 6)
    milliseconds(&line, ended - request.received)
    literal(&line, b',"upstream":"', 13)
    octets(&line, upstream)
    literal(&line, b'","upstream_ms":', 16)
    upstream_milliseconds(&line, request, upstream, b"null", 4)
    literal(&line, b',"retries":', 11)
    number(&line, request.retries)
    literal(&line, b',"held_ms":0,"socket":"', 23)
    octets(&line, kind)
    literal(&line, b'","code":', 9)
    octets(&line, code)
    literal(&line, b',"tls":', 7)
    if request.secure:
        literal(&line, b"true", 4)
    else:
        literal(&line, b"false", 5)
    literal(&line, b',"reason":"', 11)
    octets(&line, reason)
    literal(&line, b'","site":"', 10)
    octets(&line, site)
    literal(&line, b'","referer":"', 13)
    octets(&line, referer)
    literal(&line, b'","user_agent":"', 16)
    octets(&line, agent)
    literal(&line, b'"}\n', 3)
    if line.failed:
        return plain_json(request, stamp, target, referer, agent, upstream, socket, reason, site)
    return PyBytes_FromStringAndSize(room, line.at - room)


def usual_field(bytes raw not None, bytes name not None):
    """Find the value of a field that is spelled in the usual way, as `line_formats.usual_field` does."""
    cdef const char* at = PyBytes_AS_STRING(raw)
    cdef const char* end = at + PyBytes_GET_SIZE(raw)
    cdef const char* wanted = PyBytes_AS_STRING(name)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(name)
    cdef const char* stop
    if at < end:
        at += 1  # what is found has a CR before it
    while True:
        at = <const char*>memchr(at, 10, end - at)
        if at == NULL or end - at < size + 3:
            return b""
        at += 1
        if at[0] == wanted[0] and memcmp(at, wanted, size) == 0 and at[size] == 58 and at[size + 1] == 32 and at[-2] == 13:
            at += size + 2
            stop = <const char*>memchr(at, 13, end - at)
            return PyBytes_FromStringAndSize(at, (end if stop == NULL else stop) - at)


def is_plain(bytes target not None):
    """Tell whether a request target can stand in a line as it is, as `line_formats.is_plain` does."""
    cdef const unsigned char* at = <const unsigned char*>PyBytes_AS_STRING(target)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(target)
    if size > MAX_PLAIN:
        return False
    while size > 0 and IS_PLAIN[at[0]]:
        at += 1
        size -= 1
    return size == 0
