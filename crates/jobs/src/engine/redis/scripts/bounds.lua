-- Sets a queue's bounds. KEYS: base. ARGV: library, jobs active at the same time, jobs started in a window,
-- the window in ms; empty for no bound.

local q = queue(KEYS[1])
found(q, ARGV[1])
for i, field in ipairs({'concurrency', 'max', 'duration'}) do
  if ARGV[i + 1] == '' then
    call('HDEL', q.base .. 'meta', field)
  else
    call('HSET', q.base .. 'meta', field, ARGV[i + 1])
  end
end
q.concurrency = tonumber(ARGV[2])
if call('LLEN', q.wait) > 0 or call('ZCARD', q.prioritized) > 0 then wake(q) end
return 1
