-- What every script knows of a queue: its keys, its settings, its lines. A queue is named by its base,
-- the text every key of it begins with ("bull:emails:").

local call = redis.call
local opened = {}

-- A priority's share of the score, and the due time's share of a delayed job's score.
local PRIORITY_STEP = 4294967296
local DUE_STEP = 4096

-- Keys and settings of the queue at `base`, read once a script.
local function queue(base)
  local q = opened[base]
  if q then return q end
  local meta = call('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration', 'opts.maxLenEvents')
  q = {
    base = base,
    wait = base .. 'wait',
    active = base .. 'active',
    delayed = base .. 'delayed',
    prioritized = base .. 'prioritized',
    completed = base .. 'completed',
    failed = base .. 'failed',
    children = base .. 'waiting-children',
    marker = base .. 'marker',
    events = base .. 'events',
    limiter = base .. 'limiter',
    expiry = base .. 'pl:expiry',
    window = base .. 'pl:window',
    paused = meta[1] ~= false,
    concurrency = tonumber(meta[2]),
    max = tonumber(meta[3]),
    duration = tonumber(meta[4]),
    cap = meta[5] or '10000',
  }
  opened[base] = q
  return q
end

-- Writes the settings a queue needs before its first job.
local function found(q, version)
  if call('HSETNX', q.base .. 'meta', 'opts.maxLenEvents', q.cap) == 1 then
    call('HSETNX', q.base .. 'meta', 'version', version)
  end
end

-- A key of a job is its queue's base and its id: the id begins after the last colon.
local function split(key)
  local base, id = string.match(key, '^(.*:)([^:]*)$')
  return base, id
end

local function emit(q, ...)
  call('XADD', q.events, 'MAXLEN', '~', q.cap, '*', 'event', ...)
end

-- Whether workers may take nothing now.
local function held_up(q)
  return q.paused or (q.concurrency ~= nil and call('LLEN', q.active) >= q.concurrency)
end

-- Wakes an idle worker.
local function wake(q)
  if not held_up(q) then call('ZADD', q.marker, 0, '0') end
end

-- Tells idle workers when the next delayed job is due.
local function wake_when_due(q)
  local first = call('ZRANGE', q.delayed, 0, 0, 'WITHSCORES')
  if first[2] then call('ZADD', q.marker, math.floor(tonumber(first[2]) / DUE_STEP), '1') end
end

-- Whether options as stored send a job to the front of its line.
local function is_lifo(opts)
  return opts ~= nil and opts ~= false and string.find(opts, '"lifo":true', 1, true) ~= nil
end

-- The score in front of all jobs of a priority: its exact step, or just below the one that is there first.
local function front_score(q, priority)
  local step = priority * PRIORITY_STEP
  local first = call('ZRANGEBYSCORE', q.prioritized, step - PRIORITY_STEP / 2, step, 'WITHSCORES', 'LIMIT', 0, 1)
  if first[2] then return tonumber(first[2]) - 1 end
  return step
end

-- Puts a job into its line; `front` is in front of its equals.
local function line_up(q, id, priority, front)
  if priority > 0 then
    local score
    if front then
      score = front_score(q, priority)
    else
      score = priority * PRIORITY_STEP + call('INCR', q.base .. 'pc') % PRIORITY_STEP
    end
    call('ZADD', q.prioritized, score, id)
  elseif front then
    call('RPUSH', q.wait, id)
  else
    call('LPUSH', q.wait, id)
  end
end

-- Puts a job among the delayed ones, behind those of the same millisecond.
local function postpone(q, id, due)
  local low, high = due * DUE_STEP, (due + 1) * DUE_STEP - 1
  local last = call('ZREVRANGEBYSCORE', q.delayed, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
  local score = low
  if last[2] then score = math.min(tonumber(last[2]) + 1, high) end
  call('ZADD', q.delayed, score, id)
end

-- Where a job stands; a job in no set stands in `wait`.
local function state_of(q, id)
  if call('ZSCORE', q.completed, id) then return 'completed' end
  if call('ZSCORE', q.failed, id) then return 'failed' end
  if call('ZSCORE', q.delayed, id) then return 'delayed' end
  if call('ZSCORE', q.prioritized, id) then return 'prioritized' end
  if call('ZSCORE', q.children, id) then return 'waiting-children' end
  if call('LPOS', q.active, id) then return 'active' end
  return 'waiting'
end

-- The scheduler whose next job this is: only the scheduler may remove it.
local function scheduled_by(q, id)
  if string.sub(id, 1, 7) ~= 'repeat:' then return nil end
  local scheduler, slot = string.match(id, '^repeat:(.*):(%d+)$')
  local now_scheduled = scheduler and call('ZSCORE', q.base .. 'repeat', scheduler)
  if now_scheduled and tonumber(now_scheduled) == tonumber(slot) then return scheduler end
end

-- Deletes the keys of jobs that stand in no line any more.
local function erase(q, ids)
  local keys, n = {}, 0
  for _, id in ipairs(ids) do
    local key = q.base .. id
    keys[n + 1], keys[n + 2], keys[n + 3] = key, key .. ':logs', key .. ':dependencies'
    keys[n + 4], keys[n + 5], keys[n + 6] = key .. ':processed', key .. ':failed', key .. ':unsuccessful'
    n = n + 6
    if n == 3000 then
      call('UNLINK', unpack(keys, 1, n))
      n = 0
    end
  end
  if n > 0 then call('UNLINK', unpack(keys, 1, n)) end
end
