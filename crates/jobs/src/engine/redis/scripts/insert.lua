-- New jobs, and the deduplication that may keep them out.

-- The job whose twelve values begin at ARGV[a].
local function job_from(q, a)
  local flags = ARGV[a + 1]
  local function has(flag) return string.find(flags, flag, 1, true) ~= nil end
  local job = {
    id = ARGV[a], custom = has('c'), lifo = has('l'), name = ARGV[a + 2], data = ARGV[a + 3], opts = ARGV[a + 4],
    timestamp = ARGV[1], delay = ARGV[a + 5], priority = ARGV[a + 6],
  }
  if ARGV[a + 7] ~= '' then
    job.key = { name = q.base .. 'pl:key:' .. ARGV[a + 7], print = ARGV[a + 8], hold = ARGV[a + 9] }
  end
  if ARGV[a + 10] ~= '' then
    job.deduplication = {
      id = ARGV[a + 10], ttl = ARGV[a + 11] ~= '' and ARGV[a + 11] or nil,
      extend = has('e'), replace = has('r'), keep_last = has('k'),
    }
  end
  return job
end

-- The job an idempotency key stands for, and its request's print; nothing once its time is over.
local function remembered(key, now)
  local held = call('HMGET', key.name, 'print', 'until', 'job')
  if held[1] and tonumber(held[2]) > now then return held[3], held[1] end
end

local function remember(key, id, now)
  call('HSET', key.name, 'print', key.print, 'until', string.format('%.0f', now + key.hold), 'job', id)
  call('PEXPIRE', key.name, math.max(1, tonumber(key.hold)))
end

-- Stores a job and puts it where its options say; `waits` for one whose children come with it.
local function insert(q, job, waits)
  local key = q.base .. job.id
  local fields = {
    'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.timestamp,
    'delay', job.delay, 'priority', job.priority,
  }
  local function set(name, value)
    if not value then return end
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  set('deid', job.deid)
  set('parentKey', job.parent_key)
  set('parent', job.parent)
  set('rjk', job.rjk)
  call('HSET', key, unpack(fields))
  emit(q, 'added', 'jobId', job.id, 'name', job.name)
  local delay, priority = tonumber(job.delay), tonumber(job.priority)
  if waits then
    call('ZADD', q.children, job.timestamp, job.id)
    emit(q, 'waiting-children', 'jobId', job.id)
  elseif delay > 0 then
    local due = tonumber(job.timestamp) + delay
    postpone(q, job.id, due)
    emit(q, 'delayed', 'jobId', job.id, 'delay', string.format('%.0f', due))
    q.put_off = true
  else
    line_up(q, job.id, priority, job.lifo)
    emit(q, 'waiting', 'jobId', job.id)
    q.lined_up = true
  end
  if job.parent_key then call('SADD', job.parent_key .. ':dependencies', key) end
end

-- Wakes whom the inserts of this script concern.
local function wake_for_inserts(q)
  if q.lined_up then wake(q) end
  if q.put_off then wake_when_due(q) end
end

local function hold(q, d, id)
  local key = q.base .. 'de:' .. d.id
  if d.ttl and not d.keep_last then
    call('SET', key, id, 'PX', d.ttl)
  else
    call('SET', key, id)
  end
end

-- Keeps the newest add for the end of the active job that holds the id.
local function keep_for_later(q, job, d)
  local key = q.base .. 'dn:' .. d.id
  call('DEL', key)
  call('HSET', key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'jid', job.id)
  if job.parent_key then
    call('HSET', key, 'pk', job.parent_key, 'pd', job.parent, 'pdk', job.parent_key .. ':dependencies')
  end
  call('PERSIST', q.base .. 'de:' .. d.id)
end

-- The job that holds a deduplication id; one that is gone without a trace holds nothing.
local function holder_of(q, d)
  local key = q.base .. 'de:' .. d.id
  local holder = call('GET', key)
  if holder and call('PTTL', key) == -1 and call('EXISTS', q.base .. holder) == 0 then return nil end
  return holder or nil
end

-- A job that holds a deduplication id has ended: the id is free, or goes to the add kept for this moment.
local function deduplication_ended(q, id, deid, now)
  local key = q.base .. 'de:' .. deid
  local ttl = call('PTTL', key)
  local holds = call('GET', key) == id
  if ttl == 0 or (ttl == -1 and holds) then call('DEL', key) end
  local next_key = q.base .. 'dn:' .. deid
  local kept = holds and call('HMGET', next_key, 'name', 'data', 'opts', 'jid', 'pk', 'pd', 'rjk')
  if not kept or not kept[1] then return end
  local readable, options = pcall(cjson.decode, kept[3])
  if not readable or type(options) ~= 'table' then options = {} end
  local job = {
    id = kept[4] or tostring(call('INCR', q.base .. 'id')),
    name = kept[1], data = kept[2], opts = kept[3] or '{}', timestamp = string.format('%.0f', now),
    delay = tostring(tonumber(options.delay) or 0), priority = tostring(tonumber(options.priority) or 0),
    lifo = options.lifo == true, deid = deid,
    parent_key = kept[5] or nil, parent = kept[6] or nil, rjk = kept[7] or nil,
  }
  call('DEL', next_key)
  call('SET', key, job.id)
  insert(q, job)
  wake_for_inserts(q)
end

-- Deletes jobs taken out of their lines by hand. An add kept for the end of one of them has its turn now.
local function remove_by_hand(q, ids, now)
  for _, id in ipairs(ids) do
    local deid = call('HGET', q.base .. id, 'deid')
    if deid and call('EXISTS', q.base .. 'dn:' .. deid) == 1 then deduplication_ended(q, id, deid, now) end
  end
  discard(q, ids, now, true)
end

-- The job that keeps this one out, or nothing: then this one holds the id.
local function deduplicate(q, job, d, now)
  local key = q.base .. 'de:' .. d.id
  job.deid = d.id
  local holder = holder_of(q, d)
  if not holder then
    call('DEL', q.base .. 'dn:' .. d.id)
    hold(q, d, job.id)
    return nil
  end
  if d.keep_last and call('LPOS', q.active, holder) then
    keep_for_later(q, job, d)
  elseif d.replace and call('ZREM', q.delayed, holder) == 1 then
    call('DEL', q.base .. holder .. ':lock')
    -- An add kept for the holder's end has its turn now.
    if call('EXISTS', q.base .. 'dn:' .. d.id) == 1 then deduplication_ended(q, holder, d.id, now) end
    -- The time goes on as it began, unless each add extends it. Set first: what holds an id takes it along.
    local goes_on = d.ttl and not d.extend and call('SET', key, job.id, 'XX', 'KEEPTTL')
    discard(q, {holder}, now)
    if not goes_on then hold(q, d, job.id) end
    emit(q, 'removed', 'jobId', holder, 'prev', 'delayed')
    emit(q, 'deduplicated', 'jobId', job.id, 'deduplicationId', d.id, 'deduplicatedJobId', holder)
    return nil
  elseif d.extend and d.ttl and call('EXISTS', q.base .. 'dn:' .. d.id) == 0 then
    -- An add kept for the holder's end would be lost if the id got a time again.
    call('PEXPIRE', key, d.ttl)
  end
  emit(q, 'deduplicated', 'jobId', holder, 'deduplicationId', d.id, 'deduplicatedJobId', job.id)
  return holder
end
