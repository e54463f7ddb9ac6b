-- Makes due jobs ready and takes up to `max` ready ones under a lease.
-- KEYS: base. ARGV: now, worker token, lease in ms, max, due jobs made ready at most.
-- Answers whether paused, when asking again may give more or '', the ids that had no job, and 12 values a job.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local token, lease = ARGV[2], ARGV[3]
local orphans, jobs = {}, {}

local function promote_due()
  local ids = call('ZRANGEBYSCORE', q.delayed, '-inf', (now + 1) * DUE_STEP - 1, 'LIMIT', 0, ARGV[5])
  if #ids == 0 then return end
  call('ZREM', q.delayed, unpack(ids))
  for _, id in ipairs(ids) do
    local job = call('HMGET', q.base .. id, 'name', 'priority', 'opts')
    if job[1] then
      line_up(q, id, tonumber(job[2] or 0) or 0, is_lifo(job[3]))
      call('HSET', q.base .. id, 'delay', 0)
      emit(q, 'waiting', 'jobId', id, 'prev', 'delayed')
    else
      orphans[#orphans + 1] = id
    end
  end
  wake(q)
end

-- How many jobs may be started now.
local function allowance()
  local most = tonumber(ARGV[4])
  if q.concurrency then most = math.min(most, q.concurrency - call('LLEN', q.active)) end
  if q.max then
    local started, ttl = tonumber(call('GET', q.limiter) or 0), call('PTTL', q.limiter)
    if ttl == 0 then
      call('DEL', q.limiter)
      started = 0
    end
    if ttl > 0 then
      most = math.min(most, q.max - started)
    else
      most = math.min(most, q.max)
    end
  end
  return most
end

local function pop(most)
  local ids = {}
  while #ids < most do
    local got = call('RPOP', q.wait, most - #ids)
    if not got or #got == 0 then break end
    for _, id in ipairs(got) do
      -- Markers of old BullMQ versions are no jobs.
      if string.sub(id, 1, 2) ~= '0:' and id ~= '0' then ids[#ids + 1] = id end
    end
  end
  if #ids < most then
    local got = call('ZPOPMIN', q.prioritized, most - #ids)
    for i = 1, #got, 2 do ids[#ids + 1] = got[i] end
    if #got == 0 then call('DEL', q.base .. 'pc') end
  end
  return ids
end

local function start(id)
  local key = q.base .. id
  local job = call('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'atm', 'attemptsMade', 'ats', 'priority',
    'stc', 'defa', 'rjk', 'parentKey')
  if not job[1] or not job[2] then
    call('DEL', key)
    orphans[#orphans + 1] = id
    return false
  end
  local number = (tonumber(job[7] or 0) or 0) + 1
  call('SET', key .. ':lock', token .. ':' .. number, 'PX', lease)
  call('HSET', key, 'processedOn', ARGV[1], 'ats', number)
  emit(q, 'active', 'jobId', id, 'prev', 'waiting')
  local parent = job[12] and call('EXISTS', job[12]) == 1 and job[12]
  local n = #jobs
  jobs[n + 1], jobs[n + 2], jobs[n + 3], jobs[n + 4] = id, job[1], job[2], job[3] or ''
  jobs[n + 5], jobs[n + 6], jobs[n + 7], jobs[n + 8] = job[4] or '', job[5] or job[6] or '', number, job[8] or ''
  jobs[n + 9], jobs[n + 10], jobs[n + 11], jobs[n + 12] = job[9] or '', job[10] or '', job[11] or '', parent or ''
  return not job[10]
end

-- Counts starts; the first one begins the window. Its end is noted by the engine's clock.
local function count_starts(counted)
  if not q.max or not q.duration or counted == 0 then return end
  if call('INCRBY', q.limiter, counted) == counted then
    call('PEXPIRE', q.limiter, q.duration)
    call('SET', q.window, string.format('%.0f', now + q.duration), 'PX', q.duration)
  end
end

-- When the rate limit lets the next job start; nothing when it does now.
local function limited_until()
  if not q.max or tonumber(call('GET', q.limiter) or 0) < q.max then return nil end
  local ttl = call('PTTL', q.limiter)
  if ttl <= 0 then return nil end
  return tonumber(call('GET', q.window)) or now + ttl
end

promote_due()
local most = allowance()
if most > 0 and not q.paused then
  local started, counted = {}, 0
  for _, id in ipairs(pop(most)) do
    local before = #jobs
    if start(id) then counted = counted + 1 end
    if #jobs > before then started[#started + 1] = id end
  end
  if #started > 0 then
    call('LPUSH', q.active, unpack(started))
    count_starts(counted)
    -- The next idle worker may go on.
    if call('LLEN', q.wait) > 0 or call('ZCARD', q.prioritized) > 0 then wake(q) end
  end
end
local first = call('ZRANGE', q.delayed, 0, 0, 'WITHSCORES')
local due = first[2] and math.floor(tonumber(first[2]) / DUE_STEP)
local open = limited_until()
if open and (not due or open < due) then due = open end
return {q.paused and 1 or 0, due and string.format('%.0f', due) or '', orphans, jobs}
