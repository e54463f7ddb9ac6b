-- Removes finished jobs that outlived their age. KEYS: base. ARGV: now, age of completed jobs, of failed
-- ones (-1: no bound), most to remove of each. Answers how many went.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local removed = 0

local function remove(set, ids)
  if #ids == 0 then return end
  call('ZREM', set, unpack(ids))
  call('ZREM', q.expiry, unpack(ids))
  discard(q, ids, now)
  removed = removed + #ids
end

-- Jobs that say themselves how long they are kept.
local due = call('ZRANGEBYSCORE', q.expiry, '-inf', now, 'LIMIT', 0, ARGV[4])
local ended = { [q.completed] = {}, [q.failed] = {} }
for _, id in ipairs(due) do
  for set, ids in pairs(ended) do
    if call('ZSCORE', set, id) then ids[#ids + 1] = id end
  end
end
if #due > 0 then call('ZREM', q.expiry, unpack(due)) end
for set, ids in pairs(ended) do remove(set, ids) end

-- The others are kept as the engine says.
for set, rule in pairs({ [q.completed] = {ARGV[2], 'removeOnComplete'}, [q.failed] = {ARGV[3], 'removeOnFail'} }) do
  if tonumber(rule[1]) >= 0 then
    local old = {}
    for _, id in ipairs(call('ZRANGEBYSCORE', set, '-inf', now - tonumber(rule[1]), 'LIMIT', 0, ARGV[4])) do
      local opts = call('HGET', q.base .. id, 'opts')
      if not opts or not string.find(opts, rule[2], 1, true) then old[#old + 1] = id end
    end
    remove(set, old)
  end
end
return removed
