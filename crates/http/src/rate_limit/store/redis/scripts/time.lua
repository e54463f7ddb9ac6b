-- ARGV[1]: the time in milliseconds, or nothing for the server's own.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The numbers kept under a key, or nil when there are not as many as there should be.
local function read(key, size)
  local numbers = {}
  for number in string.gmatch(redis.call('GET', key) or '', '%d+') do
    numbers[#numbers + 1] = tonumber(number)
  end
  if #numbers == size then return numbers end
end

-- Never without a time to live: as long as the state means something, and a second for clocks that differ.
local function write(key, state, lasts)
  local parts = {}
  for index, number in ipairs(state) do parts[index] = string.format('%.0f', number) end
  redis.call('SET', key, table.concat(parts, ' '), 'PX', string.format('%.0f', lasts + 1000))
end

-- Whole parts and the rest. Exact, as all numbers here are whole and below 2^53.
local function divide(number, by)
  local rest = math.fmod(number, by)
  return (number - rest) / by, rest
end

local function divide_up(number, by)
  local whole, rest = divide(number, by)
  if rest > 0 then return whole + 1 end
  return whole
end

local algorithms = {}
