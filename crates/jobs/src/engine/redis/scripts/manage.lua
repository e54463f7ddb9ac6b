-- Retries, promotes or removes one job by hand. KEYS: base. ARGV: now, 'retry', 'promote' or 'remove', id.
-- Answers 'done', 'missing', or the state in which this cannot be done.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local what, id = ARGV[2], ARGV[3]
local key = q.base .. id
if call('EXISTS', key) == 0 then return 'missing' end
local state = state_of(q, id)

local function back_to_line(from)
  local job = call('HMGET', key, 'priority', 'parentKey', 'opts')
  line_up(q, id, tonumber(job[1] or 0) or 0, is_lifo(job[3]))
  if job[2] and from == 'failed' then child_reopened(key, job[2]) end
  emit(q, 'waiting', 'jobId', id, 'prev', from)
  wake(q)
end

if what == 'retry' then
  if state ~= 'failed' then return state end
  call('ZREM', q.failed, id)
  call('ZREM', q.expiry, id)
  call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason', 'returnvalue', 'defa')
  call('HSET', key, 'atm', 0, 'stc', 0)
  back_to_line('failed')
elseif what == 'promote' then
  if state ~= 'delayed' then return state end
  call('ZREM', q.delayed, id)
  call('HSET', key, 'delay', 0)
  back_to_line('delayed')
else
  if state == 'active' or call('EXISTS', key .. ':lock') == 1 then return 'active' end
  local scheduler = scheduled_by(q, id)
  if scheduler then return 'scheduler:' .. scheduler end
  call('ZREM', q.completed, id)
  call('ZREM', q.failed, id)
  call('ZREM', q.delayed, id)
  call('ZREM', q.prioritized, id)
  call('ZREM', q.children, id)
  call('ZREM', q.expiry, id)
  if state == 'waiting' then
    -- From the end that is served first, which is where a move takes jobs from.
    call('LREM', q.wait, -1, id)
    call('LREM', q.base .. 'paused', 0, id)
  end
  remove_by_hand(q, {id}, now)
  -- BullMQ names the list here, not the state.
  emit(q, 'removed', 'jobId', id, 'prev', state == 'waiting' and 'wait' or state)
end
return 'done'
