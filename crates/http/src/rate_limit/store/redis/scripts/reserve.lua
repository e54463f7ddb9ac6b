-- Takes from each key in turn until one has not enough; the keys after it are only looked at.
-- ARGV, after the time, for each key: algorithm, max, window in milliseconds, burst, cost.
-- Answers for each key: taken, remaining, milliseconds until more and until the next fits, the receipt (of which
-- the last is the time).
local answer = {}
local refused = false
for index, key in ipairs(KEYS) do
  local first = 2 + (index - 1) * 5
  local algorithm = algorithms[ARGV[first]]
  local quota = {
    max = tonumber(ARGV[first + 1]),
    window = tonumber(ARGV[first + 2]),
    burst = tonumber(ARGV[first + 3]),
  }
  local cost = tonumber(ARGV[first + 4])
  local state, stepped_back = algorithm.current(read(key, algorithm.form), quota)
  local only_looked_at = refused
  local taken = not only_looked_at and algorithm.take(state, quota, cost)
  refused = not taken
  if taken or (stepped_back and not only_looked_at) then
    write(key, algorithm.form, state, algorithm.lasts(state, quota))
  end
  local n = #answer
  answer[n + 1], answer[n + 8] = taken and 1 or 0, now
  answer[n + 2], answer[n + 3], answer[n + 4] = algorithm.look(state, quota, cost)
  answer[n + 5], answer[n + 6], answer[n + 7] = algorithm.receipt(state)
end
return answer
