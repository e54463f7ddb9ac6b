-- Changes one job. KEYS: base. ARGV: now, what, id, value.
-- Answers 'done', 'missing', or the state in which this cannot be done.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local what, id, value = ARGV[2], ARGV[3], ARGV[4]
local key = q.base .. id
if call('EXISTS', key) == 0 then return 'missing' end
local state = state_of(q, id)
local ended = state == 'completed' or state == 'failed'

if what == 'priority' then
  if ended or state == 'active' then return state end
  call('HSET', key, 'priority', value)
  if state == 'prioritized' then
    call('ZREM', q.prioritized, id)
  elseif state ~= 'waiting' or call('LREM', q.wait, 1, id) == 0 then
    return 'done'
  end
  line_up(q, id, tonumber(value), false)
elseif what == 'delay' then
  if state ~= 'delayed' then return state end
  local due = now + tonumber(value)
  call('ZREM', q.delayed, id)
  call('HSET', key, 'delay', value)
  postpone(q, id, due)
  emit(q, 'delayed', 'jobId', id, 'delay', string.format('%.0f', due))
  wake_when_due(q)
elseif what == 'data' then
  if ended then return state end
  call('HSET', key, 'data', value)
else
  if state ~= 'active' then return state end
  call('HSET', key, 'plcancel', 1)
end
return 'done'
