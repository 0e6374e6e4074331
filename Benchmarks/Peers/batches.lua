-- SPDX-License-Identifier: Apache-2.0
-- For wrk: POST /v1/events with NDJSON of clicks at random. Arguments: how many events a request, and of how many banners.

local prepared = {}

local function body(events, banners)
    local lines = {}
    for i = 1, events do lines[i] = '{"banner":' .. math.random(1, banners) .. ',"kind":"click"}' end
    return table.concat(lines, "\n") .. "\n"
end

function init(arguments)
    local events, banners = tonumber(arguments[1]), tonumber(arguments[2])
    math.randomseed(os.time())
    -- What is sent is made before, or wrk would be slower than what it measures.
    for i = 1, 256 do
        local headers = { ["Content-Type"] = "application/x-ndjson" }
        prepared[i] = wrk.format("POST", "/v1/events", headers, body(events, banners))
    end
end

local next = 0

function request()
    next = next % #prepared + 1
    return prepared[next]
end
