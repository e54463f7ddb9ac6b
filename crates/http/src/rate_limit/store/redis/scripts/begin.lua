-- Several requests, each of several keys that follow one another. ARGV[1]: the time in milliseconds, or nothing for
-- the server's own. ARGV, from the second, says for each key in one packed text: what is done (1: a request's first
-- key, 2: another of the same request, 3: settle), the algorithm, max, window in milliseconds, burst, cost; to settle
-- also what was taken and the receipt.
-- Of each request one key after the other is taken from until one has not enough; those after it are looked at.
-- Answers one text: the time, then for each key whether it was taken from or changed, and the state from now on. A
-- state's numbers take 8 bytes each and are exact: all are whole and below 2^53.
-- No functions and as few tables as possible: they would be made anew with each call.
local call, pack, read, max_of, min_of, rest_of = redis.call, struct.pack, struct.unpack, math.max, math.min, math.fmod
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local answer, refused = pack('<d', now), false
local answers = #KEYS > 1 and { answer }
for index = 1, #KEYS do
  local key, argument = KEYS[index], ARGV[index + 1]
  local task, algorithm, max, window, burst, cost, position = read('<BBdddd', argument)
  -- Whether to take from it, or only to look.
  local tries = task == 1 or not refused
  local reserved, receipt_at, receipt_count, receipt_given_back, since = cost
  if task == 3 then
    reserved, receipt_at, receipt_count, receipt_given_back, since = read('<ddddd', argument, position)
  end
  -- What is no text is not ours.
  local kept = redis.pcall('GET', key)
  if type(kept) ~= 'string' then kept = '' end
  local changed, stepped_back, state, lasts = false, false
