-- One bounded step of a change to many jobs. KEYS: base. ARGV: now, most jobs, what, and its details.
-- Answers 'done', how many, and whether another step may find more; 'not paused'; or 'active' and how many.

local now = tonumber(ARGV[1])
local step = tonumber(ARGV[2])
local q = queue(KEYS[1])
local GONE = '\0gone'
-- Jobs looked at by one step that removes only some.
local LOOKED_AT = 10000

local function reopen(id, from)
  local key = q.base .. id
  local job = call('HMGET', key, 'name', 'priority', 'parentKey', 'opts')
  if not job[1] then return end
  if from == 'failed' then
    call('ZREM', q.expiry, id)
    call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason', 'returnvalue', 'defa')
    call('HSET', key, 'atm', 0, 'stc', 0)
    if job[3] then child_reopened(key, job[3]) end
  else
    call('HSET', key, 'delay', 0)
  end
  line_up(q, id, tonumber(job[2] or 0) or 0, is_lifo(job[4]))
  emit(q, 'waiting', 'jobId', id, 'prev', from)
end

local function reopen_all(set, from)
  local ids = call('ZRANGE', set, 0, step - 1)
  if #ids > 0 then call('ZREM', set, unpack(ids)) end
  for _, id in ipairs(ids) do reopen(id, from) end
  if #ids > 0 then wake(q) end
  return #ids, #ids == step
end

-- Takes up to `most` jobs out of a list or set, oldest first, for which `fits` holds.
local function take_from_list(list, most, fits)
  local ids = call('LRANGE', list, -LOOKED_AT, -1)
  local taken = {}
  for i = #ids, 1, -1 do
    if #taken >= most then break end
    if fits(ids[i]) then
      taken[#taken + 1] = ids[i]
      call('LSET', list, i - #ids - 1, GONE)
    end
  end
  if #taken > 0 then call('LREM', list, 0, GONE) end
  return taken
end

local function take_from_set(set, most, fits)
  local taken = {}
  for _, id in ipairs(call('ZRANGE', set, 0, LOOKED_AT - 1)) do
    if #taken >= most then break end
    if fits(id) then taken[#taken + 1] = id end
  end
  if #taken > 0 then call('ZREM', set, unpack(taken)) end
  return taken
end

local function any() return true end

local function free(id)
  return call('EXISTS', q.base .. id .. ':lock') == 0 and not scheduled_by(q, id)
end

local function drain(delayed)
  local done = 0
  local function remove(ids)
    remove_by_hand(q, ids, now)
    done = done + #ids
  end
  remove(take_from_list(q.wait, step, any))
  if done < step then remove(take_from_list(q.base .. 'paused', step - done, any)) end
  if done < step then remove(take_from_set(q.prioritized, step - done, any)) end
  if delayed and done < step then remove(take_from_set(q.delayed, step - done, free)) end
  return done, done == step
end

local function clean(state, until_when)
  local function old(id)
    local added = tonumber(call('HGET', q.base .. id, 'timestamp') or 0) or 0
    return added <= until_when and free(id)
  end
  local ids
  if state == 'completed' or state == 'failed' then
    local set = state == 'completed' and q.completed or q.failed
    ids = call('ZRANGEBYSCORE', set, '-inf', until_when, 'LIMIT', 0, step)
    if #ids > 0 then
      call('ZREM', set, unpack(ids))
      call('ZREM', q.expiry, unpack(ids))
    end
  elseif state == 'waiting' then
    ids = take_from_list(q.wait, step, old)
  else
    local sets = { prioritized = q.prioritized, delayed = q.delayed, ['waiting-children'] = q.children }
    ids = take_from_set(sets[state], step, old)
  end
  remove_by_hand(q, ids, now)
  if #ids > 0 then emit(q, 'cleaned', 'count', #ids) end
  return #ids, #ids == step
end

local function obliterate()
  local done = 0
  local function remove(ids)
    for _, id in ipairs(ids) do call('DEL', q.base .. id .. ':lock') end
    discard(q, ids, now, true)
    done = done + #ids
  end
  for _, list in ipairs({q.wait, q.base .. 'paused', q.active}) do
    if done < step then remove(take_from_list(list, step - done, any)) end
  end
  for _, set in ipairs({q.prioritized, q.delayed, q.children, q.completed, q.failed}) do
    if done < step then remove(take_from_set(set, step - done, any)) end
  end
  if done == step then return done, true end
  for _, scheduler in ipairs(call('ZRANGE', q.base .. 'repeat', 0, -1)) do
    call('DEL', q.base .. 'repeat:' .. scheduler)
  end
  for _, suffix in ipairs({
    'meta', 'id', 'pc', 'marker', 'limiter', 'events', 'stalled', 'stalled-check', 'repeat', 'pl:expiry', 'pl:sweep', 'pl:window',
    'metrics:completed', 'metrics:failed', 'metrics:completed:data', 'metrics:failed:data', 'delay', 'priority',
  }) do
    call('UNLINK', q.base .. suffix)
  end
  return done, false
end

local what = ARGV[3]
local done, more
if what == 'retry' then
  done, more = reopen_all(q.failed, 'failed')
elseif what == 'promote' then
  done, more = reopen_all(q.delayed, 'delayed')
elseif what == 'drain' then
  done, more = drain(ARGV[4] == '1')
elseif what == 'clean' then
  done, more = clean(ARGV[4], now - tonumber(ARGV[5]))
else
  if not q.paused then return {'not paused'} end
  local active = call('LLEN', q.active)
  if active > 0 and ARGV[4] ~= '1' then return {'active', active} end
  done, more = obliterate()
end
return {'done', done, more and 1 or 0}
