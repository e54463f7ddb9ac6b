-- Makes what was taken cost what it costs after all.
-- ARGV, after the time, for each key: algorithm, max, window in milliseconds, burst, what was taken, what it
-- costs, the receipt.
-- Answers for each key: remaining and milliseconds until more, or -1 and 0 when nothing changed.
local answer = {}
for index, key in ipairs(KEYS) do
  local argument = {}
  for offset = 1, 10 do argument[offset] = ARGV[1 + (index - 1) * 10 + offset] end
  local algorithm = algorithms[argument[1]]
  for offset = 2, 10 do argument[offset] = tonumber(argument[offset]) end
  local quota = { max = argument[2], window = argument[3], burst = argument[4] }
  local reserved, cost = argument[5], argument[6]
  local receipt = { argument[7], argument[8], argument[9], argument[10] }
  local state = algorithm.current(read(key, algorithm.form), quota)
  local changed = cost ~= reserved
  if cost < reserved then
    changed = algorithm.give_back(state, quota, receipt, reserved - cost)
  elseif changed then
    algorithm.charge(state, quota, cost - reserved)
  end
  local remaining, more = -1, 0
  if changed then
    write(key, algorithm.form, state, algorithm.lasts(state, quota))
    remaining, more = algorithm.look(state, quota, 0)
  end
  answer[#answer + 1] = remaining
  answer[#answer + 1] = more
end
return answer
