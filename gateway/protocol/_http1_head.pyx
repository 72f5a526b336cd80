"""Heads as they usually come, read in C; whatever is unusual is left to plain Python.

Both functions give what their namesakes in `http1_request` and `http1_response` give. They read only heads about which
no rule leaves a question, and pass all others on as they came: unfinished, malformed, too large, or with a field that
is new. So every refusal is made, and worded, in one place, and what field names mean is asked of the same
`FieldNames`.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp, memcpy

from gateway.http.message cimport RequestHead, ResponseHead

from gateway.http.fields import TOKEN_OCTETS
from gateway.http.known import (
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
)
from gateway.http.message import Framing
from gateway.protocol import http1_fields, http1_request, http1_response, http1_target

cdef enum:
    SLOTS = 512
    MAX_NAME = 64
    MAX_DIGITS = 18

cdef struct Slot:
    unsigned long long code
    unsigned int length
    char name[MAX_NAME]

cdef struct Found:
    # What one pass over the field lines has found.
    unsigned long long known
    Py_ssize_t kept  # octets of the lines to pass on
    const unsigned char* host
    Py_ssize_t host_length
    const unsigned char* connection
    Py_ssize_t connection_length
    const unsigned char* upgrade
    Py_ssize_t upgrade_length
    long long length  # Content-Length; -1 where there is none
    bint chunked

cdef unsigned long long DROP = http1_fields._DROP
cdef unsigned long long SPECIAL = http1_fields._SPECIAL
cdef unsigned long long MASK = http1_fields._MASK
cdef unsigned long long BIT_HOST = HOST
cdef unsigned long long BIT_CONNECTION = CONNECTION
cdef unsigned long long BIT_LENGTH = CONTENT_LENGTH
cdef unsigned long long BIT_CODING = TRANSFER_ENCODING
cdef unsigned long long BIT_CREDENTIALS = AUTHORIZATION
cdef unsigned long long BIT_UPGRADE = UPGRADE
cdef unsigned long long LEFT_TO_PYTHON = EXPECT

cdef bytes WEBSOCKET = b"websocket"
cdef object NONE = Framing.NONE
cdef object LENGTH = Framing.LENGTH
cdef object CHUNKED = Framing.CHUNKED
cdef object CLOSE = Framing.CLOSE
cdef object read_hostname = http1_target.read_hostname
cdef object connection_options = http1_fields.connection_options
cdef dict HOSTNAMES = http1_target._hostnames
cdef dict OPTIONS = http1_fields._connection_options
cdef object plain_request = http1_request.parse_request
cdef object plain_response = http1_response.parse_response

cdef unsigned char IN_VALUE[256]
cdef unsigned char IN_TARGET[256]
cdef unsigned char IN_NAME[256]


cdef int fill(unsigned char* table, octets) except -1:
    cdef int octet
    for octet in range(256):
        table[octet] = octet in octets
    return 0


fill(IN_VALUE, http1_fields._VISIBLE)
fill(IN_TARGET, http1_target._TARGET_OCTETS)
fill(IN_NAME, TOKEN_OCTETS)

cdef dict METHODS = {method: method for method in http1_request._METHODS}
cdef dict STATUSES = http1_response._STATUS


cdef class Names:
    """The codes of `FieldNames` again, for look-ups by octets that are no object yet; a slot holds the name met last."""

    cdef Slot slots[SLOTS]
    cdef dict codes

    def __cinit__(self, names):
        cdef int slot
        self.codes = names.codes
        for slot in range(SLOTS):
            self.slots[slot].length = 0

    cdef long long code(self, const unsigned char* name, Py_ssize_t length, unsigned int hash) except -2:
        """Look a name up; -1 where it is new to `FieldNames` too."""
        cdef Slot* slot = &self.slots[hash % SLOTS]
        if slot.length == length and memcmp(slot.name, name, length) == 0:
            return <long long>slot.code
        found = self.codes.get(PyBytes_FromStringAndSize(<const char*>name, length))
        if found is None:
            return -1
        if 0 < length <= MAX_NAME:
            slot.code = found
            slot.length = <unsigned int>length
            memcpy(slot.name, name, length)
        return found


cdef class Limits:
    """What `HeadLimits` says, as numbers; it is asked again only where there is another one."""

    cdef object said
    cdef Py_ssize_t line, size
    cdef int count

    cdef int read(self, said) except -1:
        if said is not self.said:
            self.line, self.size, self.count = said.line, said.size, said.count
            self.said = said
        return 0


cdef Limits request_limits = Limits()
cdef Limits response_limits = Limits()
cdef Names request_names = Names(http1_request._names)
cdef Names response_names = Names(http1_response._names)


cdef const unsigned char* find_end(const unsigned char* at, const unsigned char* stop) noexcept:
    """Find the blank line; NULL where it has not come."""
    while True:
        at = <const unsigned char*>memchr(at, 10, stop - at)
        if at == NULL or at + 2 >= stop:
            return NULL
        if at[1] == 13 and at[2] == 10:
            return at + 1
        at += 1


cdef int sort_fields(const unsigned char* at, const unsigned char* end, Names names, char* block, int count, Found* found) except -1:
    """Go over field lines, each ending in CRLF, and copy those to pass on.

    Returns:
        1; 0 where they are not all as usual, and nothing found counts.
    """
    cdef const unsigned char* line
    cdef const unsigned char* value
    cdef const unsigned char* last
    cdef unsigned int hash
    cdef long long code
    cdef unsigned long long bits
    found.known = 0
    found.kept = 0
    found.host = found.connection = found.upgrade = NULL
    found.length = -1
    found.chunked = False
    while at < end:
        count -= 1
        if count < 0:
            return 0
        line = at
        hash = 0
        while IN_NAME[at[0]]:
            hash = hash * 31 + at[0]
            at += 1
        if at[0] != 58 or at == line:
            return 0
        code = names.code(line, at - line, hash)
        if code == -1:
            return 0
        at += 1
        value = at
        while IN_VALUE[at[0]]:
            at += 1
        if at[0] != 13 or at[1] != 10:
            return 0
        last = at
        at += 2
        bits = <unsigned long long>code
        if bits:
            if bits & SPECIAL:
                if bits & LEFT_TO_PYTHON or not take_special(bits, value, last, found):
                    return 0
            found.known |= bits
            if bits & DROP:
                continue
        memcpy(block + found.kept, line, at - line)
        found.kept += at - line
    found.known &= MASK
    return 1


cdef int take_special(unsigned long long bits, const unsigned char* value, const unsigned char* end, Found* found) noexcept:
    """Note the value of a field that frames or routes; 0 where it came before or is no plain number."""
    cdef long long number = 0
    while value < end and (value[0] == 32 or value[0] == 9):
        value += 1
    while value < end and (end[-1] == 32 or end[-1] == 9):
        end -= 1
    if bits & BIT_HOST:
        if found.host != NULL:
            return 0
        found.host = value
        found.host_length = end - value
    elif bits & BIT_CONNECTION:
        if found.connection != NULL:
            return 0
        found.connection = value
        found.connection_length = end - value
    elif bits & BIT_UPGRADE:
        if found.upgrade != NULL:
            return 0
        found.upgrade = value
        found.upgrade_length = end - value
    elif bits & BIT_LENGTH:
        if found.length >= 0 or value == end or end - value > MAX_DIGITS:
            return 0
        while value < end:
            if value[0] < 48 or value[0] > 57:
                return 0
            number = number * 10 + (value[0] - 48)
            value += 1
        found.length = number
    elif bits & BIT_CODING:
        if found.chunked or end - value != 7 or memcmp(value, b"chunked", 7) != 0:
            return 0
        found.chunked = True
    elif bits & BIT_CREDENTIALS and found.known & BIT_CREDENTIALS:
        return 0
    return 1


cdef object options_of(bytes connection):
    options = OPTIONS.get(connection)
    return connection_options(connection) if options is None else options


cdef bytes upgrade_of(Found* found):
    if found.upgrade == NULL:
        return b""
    if found.upgrade_length == 9 and memcmp(found.upgrade, b"websocket", 9) == 0:
        return WEBSOCKET
    return PyBytes_FromStringAndSize(<const char*>found.upgrade, found.upgrade_length).lower()


def parse_request(bytes data not None, limits):
    """Read the request head at the start of `data`, as `http1_request.parse_request` does."""
    cdef const unsigned char* start = <const unsigned char*>PyBytes_AS_STRING(data)
    cdef const unsigned char* end = find_end(start, start + PyBytes_GET_SIZE(data))
    cdef const unsigned char* at = start
    cdef const unsigned char* target
    cdef const unsigned char* line_end
    cdef RequestHead head
    cdef Found found
    cdef int version
    request_limits.read(limits)
    if end == NULL:
        return plain_request(data, limits)
    while IN_NAME[at[0]]:
        at += 1
    if at[0] != 32 or at[1] != 47:
        return plain_request(data, limits)
    method = METHODS.get(PyBytes_FromStringAndSize(<const char*>start, at - start))
    at += 1
    target = at
    while IN_TARGET[at[0]]:
        at += 1
    line_end = at + 9
    if method is None or end - at < 9 or memcmp(at, b" HTTP/1.", 8) != 0 or line_end[0] != 13 or line_end[1] != 10:
        return plain_request(data, limits)
    version = at[8] - 48
    if (
        (version != 1 and version != 0)
        or line_end - start > request_limits.line
        or end - line_end - 2 > request_limits.size
    ):
        return plain_request(data, limits)
    block = PyBytes_FromStringAndSize(NULL, end - line_end - 2)
    if not sort_fields(line_end + 2, end, request_names, PyBytes_AS_STRING(block), request_limits.count, &found):
        return plain_request(data, limits)
    if found.host == NULL or found.host_length == 0 or (found.chunked and (found.length >= 0 or version == 0)):
        return plain_request(data, limits)
    head = RequestHead.__new__(RequestHead)
    head.keep_alive = version == 1
    head.upgrade = b""
    if found.connection != NULL:
        options = options_of(PyBytes_FromStringAndSize(<const char*>found.connection, found.connection_length))
        if options.named:
            return plain_request(data, limits)
        if options.upgrade and version == 1 and not found.chunked and found.length < 0:
            head.upgrade = upgrade_of(&found)
        head.keep_alive = not options.close and (version == 1 or options.keep_alive)
    head.method = method
    head.target = PyBytes_FromStringAndSize(<const char*>target, at - target)
    head.version = version
    head.host = PyBytes_FromStringAndSize(<const char*>found.host, found.host_length)
    hostname = HOSTNAMES.get(head.host)
    head.hostname = read_hostname(head.host) if hostname is None else hostname
    head.raw = PyBytes_FromStringAndSize(<const char*>start, end - start)
    head.fields = PyBytes_FromStringAndSize(PyBytes_AS_STRING(block), found.kept)
    head.known = found.known
    head.framing = CHUNKED if found.chunked else NONE if found.length < 0 else LENGTH
    head.content_length = 0 if found.length < 0 else found.length
    head.expects_continue = False
    head.size = end - start + 2
    return head


def parse_response(bytes data not None, limits, bytes method not None):
    """Read the response head at the start of `data`, as `http1_response.parse_response` does."""
    cdef const unsigned char* start = <const unsigned char*>PyBytes_AS_STRING(data)
    cdef const unsigned char* end = find_end(start, start + PyBytes_GET_SIZE(data))
    cdef const unsigned char* at
    cdef ResponseHead head
    cdef Found found
    cdef int version, status
    response_limits.read(limits)
    if end == NULL or end - start < 15 or memcmp(start, b"HTTP/1.", 7) != 0 or start[8] != 32:
        return plain_response(data, limits, method)
    version = start[7] - 48
    found_status = STATUSES.get(PyBytes_FromStringAndSize(<const char*>start + 9, 3))
    if (version != 1 and version != 0) or found_status is None or start[12] != 32:
        return plain_response(data, limits, method)
    status = found_status
    at = start + 13
    while IN_VALUE[at[0]]:
        at += 1
    if at[0] != 13 or at[1] != 10 or end - start - 2 > response_limits.size:
        return plain_response(data, limits, method)
    reason = PyBytes_FromStringAndSize(<const char*>start + 13, at - start - 13)
    at += 2
    block = PyBytes_FromStringAndSize(NULL, end - at)
    if not sort_fields(at, end, response_names, PyBytes_AS_STRING(block), response_limits.count, &found):
        return plain_response(data, limits, method)
    if found.chunked and (found.length >= 0 or version == 0):
        return plain_response(data, limits, method)
    head = ResponseHead.__new__(ResponseHead)
    head.keep_alive = version == 1
    head.upgrade = b""
    if found.connection != NULL:
        options = options_of(PyBytes_FromStringAndSize(<const char*>found.connection, found.connection_length))
        if options.named:
            return plain_response(data, limits, method)
        if options.upgrade:
            head.upgrade = upgrade_of(&found)
        head.keep_alive = not options.close and (version == 1 or options.keep_alive)
    head.status = status
    head.reason = reason
    head.fields = PyBytes_FromStringAndSize(PyBytes_AS_STRING(block), found.kept)
    head.known = found.known
    head.content_length = None if found.length < 0 else found.length
    if status < 200 or status == 204 or status == 304 or method == b"HEAD":
        head.framing = NONE
    elif found.chunked:
        head.framing = CHUNKED
    elif found.length < 0:
        head.framing = CLOSE
        head.keep_alive = False
    else:
        head.framing = LENGTH
    head.size = end - start + 2
    return head
