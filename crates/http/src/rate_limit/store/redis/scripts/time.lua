-- ARGV[1]: the time in milliseconds, or nothing for the server's own.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The numbers kept under a key, or nil when there are not as many as there should be. Each takes 8 bytes and
-- is exact: all are whole and below 2^53.
local function read(key, form)
  local kept = redis.call('GET', key)
  if not kept or #kept ~= 8 * #form then return nil end
  local state = { struct.unpack(form, kept) }
  state[#form + 1] = nil
  return state
end

-- Never without a time to live: as long as the state means something, and a second for clocks that differ.
local function write(key, form, state, lasts)
  redis.call('SET', key, struct.pack(form, unpack(state)), 'PX', string.format('%.0f', lasts + 1000))
end

local algorithms = {}
