-- The schedulers of a queue. KEYS: base. ARGV: one id, or '' for all; most to answer.
-- Answers for each its id, its slot, whether the job of the slot has not started, and its fields.

local q = queue(KEYS[1])
local found = {}

local function tell(id, slot)
  local fields = call('HGETALL', q.base .. 'repeat:' .. id)
  if #fields == 0 then return end
  found[#found + 1] = id
  found[#found + 1] = slot
  found[#found + 1] = is_ahead(q, slot_id(id, slot)) and 1 or 0
  found[#found + 1] = fields
end

if ARGV[1] ~= '' then
  local slot = call('ZSCORE', q.base .. 'repeat', ARGV[1])
  if slot then tell(ARGV[1], slot) end
else
  local all = call('ZRANGE', q.base .. 'repeat', 0, tonumber(ARGV[2]) - 1, 'WITHSCORES')
  for i = 1, #all, 2 do tell(all[i], all[i + 1]) end
end
return {call('ZCARD', q.base .. 'repeat'), found}
