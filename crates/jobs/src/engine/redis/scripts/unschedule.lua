-- Removes a scheduler and its job that has not started. KEYS: base. ARGV: now, scheduler.
-- Answers whether there was one.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local slot = call('ZSCORE', q.base .. 'repeat', ARGV[2])
if not slot then return 0 end
local id = slot_id(ARGV[2], slot)
call('ZREM', q.base .. 'repeat', ARGV[2])
call('DEL', q.base .. 'repeat:' .. ARGV[2])
local line = take_ahead(q, id)
if line then
  discard(q, {id}, now, true)
  emit(q, 'removed', 'jobId', id, 'prev', line)
end
return 1
