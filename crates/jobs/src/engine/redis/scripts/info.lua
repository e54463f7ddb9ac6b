-- One queue as a whole. KEYS: base. Answers whether it is known, paused, and its counts and bounds.

local q = queue(KEYS[1])
local known = call('EXISTS', q.base .. 'meta', q.base .. 'id', q.events)
return {
  known > 0 and 1 or 0, q.paused and 1 or 0,
  call('LLEN', q.wait) + call('LLEN', q.base .. 'paused'), call('ZCARD', q.prioritized), call('ZCARD', q.delayed),
  call('ZCARD', q.children), call('LLEN', q.active), call('ZCARD', q.completed), call('ZCARD', q.failed),
  q.concurrency or 0, q.max or 0, q.duration or 0,
}
