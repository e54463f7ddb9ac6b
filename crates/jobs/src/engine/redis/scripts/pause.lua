-- Pauses or resumes a queue. KEYS: base. ARGV: '1' or '0', library.

local q = queue(KEYS[1])
found(q, ARGV[2])
local pause = ARGV[1] == '1'
if pause == q.paused then return 0 end
if pause then
  call('HSET', q.base .. 'meta', 'paused', 1)
  call('DEL', q.marker)
  emit(q, 'paused')
  return 1
end
call('HDEL', q.base .. 'meta', 'paused')
q.paused = false
-- BullMQ up to 5 kept the waiting jobs of a paused queue in a list of their own.
local left = 7000
while left > 0 do
  if not call('RPOPLPUSH', q.base .. 'paused', q.wait) then break end
  left = left - 1
end
emit(q, 'resumed')
if call('LLEN', q.wait) > 0 or call('ZCARD', q.prioritized) > 0 then wake(q) else wake_when_due(q) end
return 1
