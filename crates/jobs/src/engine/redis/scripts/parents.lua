-- Parents and children: what the end of a child means to its parent.

-- Lets a parent go on: into the line its delay and priority say.
local function release(p, id, now, from)
  local job = call('HMGET', p.base .. id, 'delay', 'priority')
  local delay, priority = tonumber(job[1] or 0) or 0, tonumber(job[2] or 0) or 0
  if delay > 0 then
    call('ZADD', p.delayed, (now + delay) * DUE_STEP, id)
    emit(p, 'delayed', 'jobId', id, 'delay', string.format('%.0f', now + delay))
    wake_when_due(p)
  else
    line_up(p, id, priority, priority == 0)
    emit(p, 'waiting', 'jobId', id, 'prev', from)
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
    local waited = call('ZREM', p.children, id) == 1
    local delayed = not waited and call('ZREM', p.delayed, id) == 1
    if call('EXISTS', parent_key) == 1 and not call('ZSCORE', p.failed, id) then
      call('HSET', parent_key, 'defa', 'child ' .. child .. ' failed')
    end
    if waited or delayed then
      call('HSET', parent_key, 'delay', 0)
      release(p, id, now, waited and 'waiting-children' or 'delayed')
    end
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
  local changed = call('SREM', parent_key .. ':dependencies', child)
  call('ZREM', parent_key .. ':unsuccessful', child)
  call('HDEL', parent_key .. ':failed', child)
  if changed == 1 then
    local base, id = split(parent_key)
    release_if_done(queue(base), id, now)
  end
end

-- Deletes jobs that stand in no line any more, and tells their parents.
local function discard(q, ids, now)
  for _, id in ipairs(ids) do
    local job = call('HMGET', q.base .. id, 'parentKey', 'deid')
    if job[1] then child_removed(q.base .. id, job[1], now) end
    if job[2] and call('GET', q.base .. 'de:' .. job[2]) == id then call('DEL', q.base .. 'de:' .. job[2]) end
  end
  erase(q, ids)
end
