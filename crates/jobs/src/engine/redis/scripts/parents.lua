-- Parents and children: what the end of a child means to its parent.

-- Parents that are to fail because a child did: the engine ends them right after this script. Until then they
-- stand as BullMQ leaves them: ready, and marked so that whoever takes them fails them.
local doomed = {}

-- Lets a parent go on: into the line its delay and priority say. `note` tells our own readers more.
local function release(p, id, now, from, note)
  local job = call('HMGET', p.base .. id, 'delay', 'priority', 'timestamp')
  local delay, priority = tonumber(job[1] or 0) or 0, tonumber(job[2] or 0) or 0
  -- Its own delay counts from its add on, also while it waited for its children.
  local due = (tonumber(job[3] or 0) or 0) + delay
  if delay > 0 and due > now then
    call('ZADD', p.delayed, due * DUE_STEP, id)
    emit(p, 'delayed', 'jobId', id, 'delay', string.format('%.0f', due))
    wake_when_due(p)
  else
    line_up(p, id, priority, priority == 0)
    if note then
      emit(p, 'waiting', 'jobId', id, 'prev', from, 'pl', note)
    else
      emit(p, 'waiting', 'jobId', id, 'prev', from)
    end
    wake(p)
  end
end

-- Lets a parent go on once no child is pending.
local function release_if_done(p, id, now)
  if call('SCARD', p.base .. id .. ':dependencies') == 0 and call('ZREM', p.children, id) == 1 then
    release(p, id, now, 'waiting-children')
  end
end

-- A child completed.
local function child_completed(child, parent_key, result, now)
  if call('SREM', parent_key .. ':dependencies', child) == 0 then return end
  call('HSET', parent_key .. ':processed', child, result)
  local base, id = split(parent_key)
  release_if_done(queue(base), id, now)
end

-- A job has to fail because its child did: at once, or when its attempt ends.
local function doom(p, key, id, child, reason, now)
  if call('EXISTS', key) == 0 then return end
  local state = state_of(p, id)
  if state == 'completed' or state == 'failed' then return end
  local queue_name, child_id = string.match(child, '([^:]*):([^:]*)$')
  call('HSET', key, 'defa', 'the child ' .. queue_name .. '/' .. child_id .. ' failed: ' .. reason)
  if state == 'active' then return end
  local from = { ['waiting-children'] = p.children, delayed = p.delayed }
  if from[state] then
    call('ZREM', from[state], id)
    call('HSET', key, 'delay', 0)
    release(p, id, now, state, 'doomed')
  end
  doomed[#doomed + 1] = p.base
  doomed[#doomed + 1] = id
end

-- A child failed for good; its options say what that means to the parent.
local function child_failed(child, parent_key, parent_json, reason, now)
  local readable, options = pcall(cjson.decode, parent_json or '')
  if not readable or type(options) ~= 'table' then return end
  if not (options.fpof or options.cpof or options.idof or options.rdof) then return end
  if call('SREM', parent_key .. ':dependencies', child) == 0 then return end
  local base, id = split(parent_key)
  local p = queue(base)
  if options.fpof then
    call('ZADD', parent_key .. ':unsuccessful', now, child)
    doom(p, parent_key, id, child, reason, now)
    return
  end
  if not options.rdof then call('HSET', parent_key .. ':failed', child, reason) end
  if options.cpof then
    if call('ZREM', p.children, id) == 1 then release(p, id, now, 'waiting-children') end
  else
    release_if_done(p, id, now)
  end
end

-- A child that failed is tried again; a parent that went on meanwhile is not held up.
local function child_reopened(child, parent_key)
  if call('EXISTS', parent_key) == 0 then return end
  call('SADD', parent_key .. ':dependencies', child)
  call('ZREM', parent_key .. ':unsuccessful', child)
  call('HDEL', parent_key .. ':failed', child)
end

-- A child goes away; its parent no longer waits for it.
local function child_removed(child, parent_key, now)
  if call('SREM', parent_key .. ':dependencies', child) == 0 then return end
  local base, id = split(parent_key)
  release_if_done(queue(base), id, now)
end

-- Deletes jobs that stand in no line any more, and tells their parents. `by_hand` frees a deduplication id
-- that is held for a time.
local function discard(q, ids, now, by_hand)
  for _, id in ipairs(ids) do
    local job = call('HMGET', q.base .. id, 'parentKey', 'deid')
    if job[1] then child_removed(q.base .. id, job[1], now) end
    local held = job[2] and q.base .. 'de:' .. job[2]
    if held and (by_hand or call('PTTL', held) == -1) and call('GET', held) == id then call('DEL', held) end
  end
  erase(q, ids)
end
