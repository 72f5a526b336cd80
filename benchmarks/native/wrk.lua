-- wrk -s wrk.lua URL -- FILE LENGTH: sends the requests in FILE, LENGTH bytes each, in turn; ends with one line of JSON.

local requests, turn = {}, 0

function init(args)
    local file, length = assert(io.open(args[1], "rb")), tonumber(args[2])
    for text in function() return file:read(length) end do
        requests[#requests + 1] = text
    end
    file:close()
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format(
        '{"completed": %d, "bytes": %d, "errors": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d}',
        summary.requests, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        summary.duration / 1e6, latency:percentile(50), latency:percentile(99)))
end
