-- Adds jobs to one queue, all or none.
-- KEYS: base. ARGV: now, bound of unstarted jobs or '', library, number of jobs, whether any key or bound
-- must be checked first; then 12 a job.
-- Answers 'added' and for each job its id and whether it was there; or 'full'; or 'conflict' and a job.

local now = tonumber(ARGV[1])
local q = queue(KEYS[1])
local count = tonumber(ARGV[4])
local FIRST, EACH = 6, 12

local function job_at(i)
  return job_from(q, FIRST + (i - 1) * EACH)
end

-- What must hold before anything is written.
local function refusal()
  local fresh, seen = 0, {}
  for i = 1, count do
    local job = job_at(i)
    local known = job.custom and (seen[job.id] or call('EXISTS', q.base .. job.id) == 1)
    if job.key then
      local id, print = remembered(job.key, now)
      if not id and seen[job.key.name] then id, print = seen[job.key.name][1], seen[job.key.name][2] end
      if id and print ~= job.key.print then return {'conflict', id} end
      if id then known = true else seen[job.key.name] = {job.id, job.key.print} end
    end
    if job.deduplication and holder_of(q, job.deduplication) then known = true end
    seen[job.id] = true
    if not known then fresh = fresh + 1 end
  end
  if ARGV[2] ~= '' and fresh > 0 then
    local unstarted = call('LLEN', q.wait) + call('ZCARD', q.prioritized) + call('ZCARD', q.delayed)
      + call('ZCARD', q.children)
    if unstarted + fresh > tonumber(ARGV[2]) then return {'full'} end
  end
end

local function add(job)
  if job.key then
    local id = remembered(job.key, now)
    if id then return id, 1 end
  end
  local id, existing = job.id, 0
  if job.custom and call('EXISTS', q.base .. job.id) == 1 then
    emit(q, 'duplicated', 'jobId', job.id)
    existing = 1
  else
    local holder = job.deduplication and deduplicate(q, job, job.deduplication, now)
    if holder then
      id, existing = holder, 1
    else
      insert(q, job)
    end
  end
  if job.key then remember(job.key, id, now) end
  return id, existing
end

if ARGV[5] == '1' then
  local refused = refusal()
  if refused then return refused end
end
found(q, ARGV[3])
call('INCRBY', q.base .. 'id', count)
local answer = {'added'}
for i = 1, count do
  local id, existing = add(job_at(i))
  answer[#answer + 1] = id
  answer[#answer + 1] = existing
end
wake_for_inserts(q)
return answer
