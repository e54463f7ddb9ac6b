-- Takes jobs of another store as they stand there, in order. KEYS: base. ARGV: now, library, number of jobs; then
-- 15 a job. Answers for each 'added', 'existing' (the same job is there) or 'taken' (another has its id).

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local FIRST, EACH = 4, 15

local function job_at(i)
  local a = FIRST + (i - 1) * EACH
  local function some(at) return ARGV[at] ~= '' and ARGV[at] or nil end
  return {
    id = ARGV[a], name = ARGV[a + 1], data = ARGV[a + 2], opts = ARGV[a + 3], timestamp = ARGV[a + 4],
    delay = ARGV[a + 5], priority = ARGV[a + 6], made = ARGV[a + 7], stalls = ARGV[a + 8],
    starts = ARGV[a + 9], reason = some(a + 10), failed_at = some(a + 11), deid = some(a + 12),
    held_until = some(a + 13), rjk = some(a + 14),
  }
end

-- A failed job: kept, and in no line.
local function keep_failed(key, job)
  local fields = {
    'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.timestamp, 'delay', 0,
    'priority', job.priority, 'finishedOn', job.failed_at,
  }
  if job.rjk then
    fields[#fields + 1] = 'rjk'
    fields[#fields + 1] = job.rjk
  end
  call('HSET', key, unpack(fields))
  call('ZADD', q.failed, job.failed_at, job.id)
end

-- The id goes on being held, unless a job that was added here meanwhile holds it.
local function hold_on(job)
  local key = q.base .. 'de:' .. job.deid
  if not job.held_until then
    call('SET', key, job.id, 'NX')
  elseif tonumber(job.held_until) > now then
    call('SET', key, job.id, 'NX', 'PX', string.format('%.0f', tonumber(job.held_until) - now))
  end
end

-- BullMQ numbers the jobs it adds: the next number must be free.
local function keep_counting(id)
  local number = string.match(id, '^%d+$') and tonumber(id)
  local counter = q.base .. 'id'
  if number and number > tonumber(call('GET', counter) or 0) then call('SET', counter, id) end
end

local function import(job)
  local key = q.base .. job.id
  if call('EXISTS', key) == 1 then
    local there = call('HMGET', key, 'name', 'timestamp')
    local added = there[2] and math.floor(tonumber(there[2]) or -1)
    return there[1] == job.name and added == tonumber(job.timestamp) and 'existing' or 'taken'
  end
  if job.deid and not job.failed_at then hold_on(job) end
  if job.failed_at then keep_failed(key, job) else insert(q, job) end
  call('HSET', key, 'atm', job.made, 'ats', job.starts)
  if job.stalls ~= '0' then call('HSET', key, 'stc', job.stalls) end
  if job.reason then call('HSET', key, 'failedReason', job.reason) end
  keep_counting(job.id)
  return 'added'
end

found(q, ARGV[2])
local answer = {}
for i = 1, tonumber(ARGV[3]) do answer[i] = import(job_at(i)) end
wake_for_inserts(q)
return answer
