-- SPDX-License-Identifier: Apache-2.0
-- For wrk: GET /counter/{id} of banners at random. Arguments: how many banners, how many requests are sent at once, and the
-- user agent, if there is one.

local prepared = {}
local banners, depth
local fields = ""

local function one()
    return "GET /counter/" .. math.random(1, banners) .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n" .. fields .. "\r\n"
end

local function several()
    local all = {}
    for i = 1, depth do all[i] = one() end
    return table.concat(all)
end

function init(arguments)
    banners = tonumber(arguments[1])
    depth = tonumber(arguments[2])
    if arguments[3] and arguments[3] ~= "" then fields = "User-Agent: " .. arguments[3] .. "\r\n" end
    math.randomseed(os.time())
    -- What is sent is made before, or wrk would be slower than what it measures.
    for i = 1, 20000 do prepared[i] = several() end
end

local next = 0

function request()
    next = next % #prepared + 1
    -- Of very many banners each has to come up: a few of the requests are always new.
    if banners > 1000 then prepared[math.random(1, #prepared)] = several() end
    return prepared[next]
end
