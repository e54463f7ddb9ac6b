-- Stores a scheduler, or makes the job of its next slot.
-- KEYS: base. ARGV: now, library, scheduler, the slot it is known to stand at or '', the next slot or '', number
-- of fields to store (0: as they are), then the fields and values, then the twelve values of the job.
-- Answers 'done'; 'moved' when somebody else was faster; 'taken' when the slot has its job already.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local id, expected, slot = ARGV[3], ARGV[4], ARGV[5]
local key = q.base .. 'repeat:' .. id
local fields = tonumber(ARGV[6])
local current = call('ZSCORE', q.base .. 'repeat', id)

local function same(a, b)
  return (a or '') == (b or '') or (a and b and tonumber(a) == tonumber(b))
end

if not same(current or '', expected) then return 'moved' end
if fields == 0 and call('EXISTS', key) == 0 then return 'moved' end
local replaced = current and fields > 0 and is_ahead(q, slot_id(id, current))
local keeps_slot = replaced and slot ~= '' and tonumber(slot) == tonumber(current)
if slot ~= '' and not keeps_slot and call('EXISTS', q.base .. slot_id(id, slot)) == 1 then return 'taken' end

found(q, ARGV[2])
if fields > 0 then
  if replaced then
    local old = slot_id(id, current)
    take_ahead(q, old)
    discard(q, {old}, now, true)
  end
  local made = call('HGET', key, 'ic') or '0'
  call('DEL', key)
  for i = 1, fields do call('HSET', key, ARGV[5 + 2 * i], ARGV[6 + 2 * i]) end
  call('HSET', key, 'ic', made)
end
if slot == '' then
  call('ZADD', q.base .. 'repeat', current or now, id)
  return 'done'
end
call('ZADD', q.base .. 'repeat', slot, id)
if not replaced then call('HINCRBY', key, 'ic', 1) end
call('INCR', q.base .. 'id')
local job = job_from(q, 7 + 2 * fields)
job.id, job.rjk = slot_id(id, slot), id
insert(q, job)
wake_for_inserts(q)
return 'done'
