-- Jobs of schedulers. The job of a slot is named by its scheduler and the slot's time.

local function slot_id(scheduler, millis)
  return string.format('repeat:%s:%.0f', scheduler, tonumber(millis))
end

-- Whether a job has not started yet.
local function is_ahead(q, id)
  return call('ZSCORE', q.delayed, id) or call('ZSCORE', q.prioritized, id) or call('LPOS', q.wait, id)
    or call('LPOS', q.base .. 'paused', id)
end

-- Takes a job that has not started out of its line; says which, in the words of BullMQ's events, if it was in one.
local function take_ahead(q, id)
  if call('ZREM', q.delayed, id) == 1 then return 'delayed' end
  if call('ZREM', q.prioritized, id) == 1 then return 'prioritized' end
  if call('LREM', q.wait, 1, id) + call('LREM', q.base .. 'paused', 1, id) > 0 then return 'wait' end
end
