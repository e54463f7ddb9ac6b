-- Jobs as they stand. KEYS: base. ARGV: state, offset, limit; or 'job' and an id.
-- Answers how many there are, and for each job its state, due score, lock time left in ms, id and fields.

local q = queue(KEYS[1])
local found = {}

if ARGV[1] == 'job' then
  show(q, found, ARGV[2])
  return {#found / 5, found}
end

local state, offset, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local ids, total
if state == 'waiting' or state == 'active' then
  -- Lists are served from their end.
  local list = state == 'waiting' and q.wait or q.active
  total = call('LLEN', list)
  local backwards = limit > 0 and call('LRANGE', list, -(offset + limit), -(offset + 1)) or {}
  ids = {}
  for i = #backwards, 1, -1 do ids[#ids + 1] = backwards[i] end
else
  local sets = {
    prioritized = q.prioritized, delayed = q.delayed, ['waiting-children'] = q.children,
    completed = q.completed, failed = q.failed,
  }
  local newest_first = state == 'completed' or state == 'failed'
  total = call('ZCARD', sets[state])
  ids = limit > 0 and call(newest_first and 'ZREVRANGE' or 'ZRANGE', sets[state], offset, offset + limit - 1) or {}
end
for _, id in ipairs(ids) do show(q, found, id, state) end
return {total, found}
