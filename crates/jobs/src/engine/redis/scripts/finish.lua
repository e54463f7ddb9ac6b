-- Ends attempts, each by itself.
-- KEYS: base. ARGV: now, attempts recorded with a job, number of endings, library; then 18 an ending.
-- Answers for each the state the job has now, or '' when the lease does not hold; and the parents that are to
-- fail, by base and id. An ending whose lock is 'doomed' is that of such a parent.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local FIRST, EACH = 5, 18
local MOST_TRIMMED = 1000
local trimming

local function ending_at(i)
  local a = FIRST + (i - 1) * EACH
  return {
    id = ARGV[a], lock = ARGV[a + 1], to = ARGV[a + 2], front = ARGV[a + 3] == '1', value = ARGV[a + 4],
    made = tonumber(ARGV[a + 5]), delay = tonumber(ARGV[a + 6]), count = tonumber(ARGV[a + 7]),
    age = tonumber(ARGV[a + 8]), outcome = ARGV[a + 9], max = tonumber(ARGV[a + 10]), stalls = ARGV[a + 11],
    own = ARGV[a + 12] == '1', traces = tonumber(ARGV[a + 13]), wrong = ARGV[a + 14] == '1',
    failed = { count = tonumber(ARGV[a + 15]), age = tonumber(ARGV[a + 16]), own = ARGV[a + 17] == '1' },
  }
end

-- Removes finished jobs that are too old or too many, oldest first.
local function trim(t)
  if not t then return end
  local old = {}
  if t.age >= 0 then
    old = call('ZRANGEBYSCORE', t.set, '-inf', now - t.age, 'LIMIT', 0, MOST_TRIMMED)
    if #old > 0 then call('ZREM', t.set, unpack(old)) end
  end
  if t.count >= 0 then
    local surplus = call('ZCARD', t.set) - t.count
    if surplus > 0 then
      local ids = call('ZRANGE', t.set, 0, math.min(surplus, MOST_TRIMMED) - 1)
      call('ZREMRANGEBYRANK', t.set, 0, #ids - 1)
      for _, id in ipairs(ids) do old[#old + 1] = id end
    end
  end
  if #old > 0 then discard(q, old, now) end
end

-- Notes an attempt that ended otherwise than completed.
local function record(job, e)
  local line = string.format('{"start":%d,"started_at":%s,"ended_at":%s,"outcome":"%s"', tonumber(job.ats or 0),
    job.processedOn or ARGV[1], ARGV[1], e.outcome)
  if e.wrong then line = line .. ',"error":' .. cjson.encode(e.value) end
  line = line .. '}'
  local lines = job.plah and (job.plah .. '\n' .. line) or line
  local _, breaks = string.gsub(lines, '\n', '')
  while breaks >= tonumber(ARGV[2]) do
    lines = string.sub(lines, string.find(lines, '\n', 1, true) + 1)
    breaks = breaks - 1
  end
  return lines
end

local function traced(job, e)
  local readable, traces = pcall(cjson.decode, job.stacktrace or '[]')
  if not readable or type(traces) ~= 'table' then traces = {} end
  traces[#traces + 1] = e.value
  while #traces > e.traces do table.remove(traces, 1) end
  return #traces > 0 and cjson.encode(traces) or '[]'
end

local function ended(e, key, job, fields)
  q.any_ended = true
  local set = e.to == 'completed' and q.completed or q.failed
  if job.deid then deduplication_ended(q, e.id, job.deid, now) end
  if job.parentKey then
    if e.to == 'completed' then
      child_completed(key, job.parentKey, e.value, now)
    else
      child_failed(key, job.parentKey, job.parent, e.value, now)
    end
  end
  if e.count == 0 or e.age == 0 then
    discard(q, {e.id}, now)
  else
    fields[#fields + 1] = 'finishedOn'
    fields[#fields + 1] = ARGV[1]
    if e.to == 'completed' then
      fields[#fields + 1] = 'returnvalue'
      fields[#fields + 1] = e.value
    end
    call('HSET', key, unpack(fields))
    if e.to == 'failed' and job.defa then call('HDEL', key, 'defa') end
    if e.to == 'completed' and job.failedReason then call('HDEL', key, 'failedReason') end
    -- Neighbours that are kept alike are trimmed together: the same jobs go.
    if trimming and (trimming.set ~= set or trimming.count ~= e.count or trimming.age ~= e.age) then trim(trimming) end
    call('ZADD', set, now, e.id)
    if e.own and e.age > 0 then call('ZADD', q.expiry, now + e.age, e.id) end
    trimming = { set = set, count = e.count, age = e.age }
  end
  if e.to == 'completed' then
    emit(q, 'completed', 'jobId', e.id, 'returnvalue', e.value, 'prev', 'active')
  else
    emit(q, 'failed', 'jobId', e.id, 'failedReason', e.value, 'prev', 'active')
    if e.outcome == 'failed' and e.made >= e.max then
      emit(q, 'retries-exhausted', 'jobId', e.id, 'attemptsMade', e.made)
    end
  end
end

local function goes_on(e, key, job, fields)
  if e.to == 'delayed' then
    fields[#fields + 1] = 'delay'
    fields[#fields + 1] = e.delay
    call('HSET', key, unpack(fields))
    postpone(q, e.id, now + e.delay)
    emit(q, 'delayed', 'jobId', e.id, 'delay', string.format('%.0f', now + e.delay), 'pl', e.outcome)
    q.put_off = true
    return 'delayed'
  end
  if #fields > 0 then call('HSET', key, unpack(fields)) end
  if e.to == 'waiting-children' and call('SCARD', key .. ':dependencies') > 0 then
    call('ZADD', q.children, now, e.id)
    emit(q, 'waiting-children', 'jobId', e.id, 'prev', 'active')
    return e.to
  end
  local priority = tonumber(job.priority or 0) or 0
  line_up(q, e.id, priority, e.front)
  emit(q, 'waiting', 'jobId', e.id, 'prev', 'active', 'pl', e.outcome)
  if e.outcome == 'stalled' then emit(q, 'stalled', 'jobId', e.id) end
  q.lined_up = true
  return priority > 0 and 'prioritized' or 'waiting'
end

-- What is read of a job, and what more unless it completes.
local NAMES = {'name', 'parentKey', 'parent', 'deid', 'defa', 'failedReason', 'plcancel'}
local MORE_NAMES = {'ats', 'processedOn', 'priority', 'stacktrace', 'plah'}

local function read(job, key, names)
  local values = call('HMGET', key, unpack(names))
  for i = 1, #names do job[names[i]] = values[i] or nil end
end

-- Takes a parent that is to fail out of the line it stands in.
local function take_doomed(id, job)
  if not job.defa then return false end
  return call('LREM', q.wait, 1, id) + call('ZREM', q.prioritized, id) + call('ZREM', q.delayed, id) > 0
end

-- A child failed meanwhile, and the job with it: its attempt has failed, however it ends.
local function fail_with_child(e, key, job)
  if e.to ~= 'failed' or e.outcome ~= 'failed' then e.value = job.defa end
  e.to, e.wrong = 'failed', true
  e.count, e.age, e.own = e.failed.count, e.failed.age, e.failed.own
  if e.outcome == 'failed' then return end
  local made = call('HMGET', key, 'atm', 'attemptsMade')
  e.outcome, e.stalls = 'failed', ''
  e.made = (tonumber(made[1] or made[2] or 0) or 0) + 1
end

-- Jobs whose lease ended here: what is left of it goes in two calls.
local released, locks = {}, {}

local function release_all()
  if #released == 0 then return end
  call('DEL', unpack(locks))
  call('SREM', q.base .. 'stalled', unpack(released))
end

local function finish(e, lock)
  local key = q.base .. e.id
  local expected = e.lock ~= 'doomed' and e.lock or ''
  if (lock or '') ~= expected then return '' end
  local job = {}
  read(job, key, NAMES)
  if not job.name then return '' end
  if e.lock == 'doomed' then
    if not take_doomed(e.id, job) then return '' end
  elseif call('LREM', q.active, -1, e.id) == 0 then
    return ''
  else
    released[#released + 1], locks[#locks + 1] = e.id, key .. ':lock'
  end
  if job.defa and e.lock ~= 'doomed' then fail_with_child(e, key, job) end
  if e.to ~= 'completed' then read(job, key, MORE_NAMES) end
  if job.plcancel then call('HDEL', key, 'plcancel') end
  local fields = {}
  local function set(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if e.made then set('atm', e.made) end
  if e.stalls ~= '' then set('stc', e.stalls) end
  if e.wrong then set('failedReason', e.value) end
  if e.outcome ~= 'completed' and e.lock ~= 'doomed' then set('plah', record(job, e)) end
  if e.outcome == 'failed' then set('stacktrace', traced(job, e)) end
  if e.to == 'completed' or e.to == 'failed' then
    ended(e, key, job, fields)
    return e.to
  end
  return goes_on(e, key, job, fields)
end

local endings, lock_keys, states = {}, {}, {}
for i = 1, tonumber(ARGV[3]) do
  endings[i] = ending_at(i)
  lock_keys[i] = q.base .. endings[i].id .. ':lock'
end
local held = call('MGET', unpack(lock_keys))
for i, e in ipairs(endings) do states[i] = finish(e, held[i]) end
release_all()
trim(trimming)
-- Jobs that ended make room under a bound of active jobs.
if q.concurrency then q.lined_up = true end
wake_for_inserts(q)
if q.any_ended and call('LLEN', q.wait) == 0 and call('LLEN', q.active) == 0 and call('ZCARD', q.prioritized) == 0 then
  emit(q, 'drained')
end
return {states, doomed}
