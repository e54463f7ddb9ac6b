-- Adds trees of jobs over any queues, all or none. A job comes before its children. One that is there already
-- is taken as it stands: it may become a child, but nothing below it is added.
-- KEYS: base of the first queue. ARGV: now, library, number of jobs, the active job that adds them or '', its
-- lock; then 16 a job: base, the number of its parent (0: the active job), whether it has children, what it
-- stores of its parent, and the twelve values of an add.
-- Answers 'added', the parents that are to fail, and for each job its id and 1 when it was there, 2 when it was
-- left out; 'lost'; 'cycle';
-- 'conflict' and an id; or 'taken', a base and an id.

local now = tonumber(ARGV[1])
local FIRST, EACH = 6, 16
local MOST_LEVELS = 1000
local holder_key = ARGV[4] ~= '' and KEYS[1] .. ARGV[4] or nil
local nodes, seen = {}, {}

-- Whether the job at `key` is `below`, or waits for it through others.
local function waits_for(key, below)
  for _ = 1, MOST_LEVELS do
    if key == below then return true end
    key = call('HGET', key, 'parentKey')
    if not key then return false end
  end
  return false
end

local function above(node, key)
  while node do
    if node.key == key then return true end
    node = node.over
  end
  return holder_key ~= nil and waits_for(holder_key, key)
end

-- Whether a job is there already, and under which id.
local function find(node)
  local job = node.job
  if job.key then
    local id, print = remembered(job.key, now)
    if id and print ~= job.key.print then return {'conflict', id} end
    if id then node.existing, job.id = true, id end
  end
  local key = node.q.base .. job.id
  if job.custom and (seen[key] or call('EXISTS', key) == 1) then node.existing = true end
  if job.custom and job.parent_key and call('HEXISTS', job.parent_key .. ':processed', key) == 1 then
    node.existing, node.done = true, true
  end
  if not node.existing and job.deduplication then
    local holder = holder_of(node.q, job.deduplication)
    if holder then node.existing, job.id = true, holder end
  end
  node.key = node.q.base .. job.id
  node.twin = seen[node.key]
  seen[node.key] = node
end

-- Why an existing job cannot become a child.
local function hindrance(node)
  if not node.existing or node.done or not node.job.parent_key then return nil end
  if above(node.over, node.key) then return {'cycle'} end
  if node.twin and node.twin.job.parent_key ~= node.job.parent_key then return {'taken', node.q.base, node.job.id} end
  if call('ZSCORE', node.q.completed, node.job.id) then return nil end
  local other = call('HGET', node.key, 'parentKey')
  if not other or other == node.job.parent_key or call('EXISTS', other) == 0 then return nil end
  local base, id = split(other)
  local state = state_of(queue(base), id)
  if state == 'completed' or state == 'failed' then
    node.former = other
    return nil
  end
  return {'taken', node.q.base, node.job.id}
end

for i = 1, tonumber(ARGV[3]) do
  local a = FIRST + (i - 1) * EACH
  local node = { q = queue(ARGV[a]), over = nodes[tonumber(ARGV[a + 1])], waits = ARGV[a + 2] == '1' }
  node.job = job_from(node.q, a + 4)
  local over = node.over
  node.left_out = over ~= nil and (over.existing or over.left_out)
  local parent_key = over and over.key or (ARGV[a + 1] == '0' and holder_key) or nil
  if parent_key then node.job.parent_key, node.job.parent = parent_key, ARGV[a + 3] end
  if not node.left_out then
    local refused = find(node) or hindrance(node)
    if refused then return refused end
  end
  nodes[i] = node
end
if holder_key and call('GET', holder_key .. ':lock') ~= ARGV[5] then return {'lost'} end

-- Makes a job that was there a child.
local function adopt(node)
  local job, q = node.job, node.q
  emit(q, 'duplicated', 'jobId', job.id)
  if node.done or not job.parent_key or call('EXISTS', node.key) == 0 then return end
  if call('ZSCORE', q.completed, job.id) then
    call('HSET', job.parent_key .. ':processed', node.key, call('HGET', node.key, 'returnvalue') or 'null')
    return
  end
  if node.former then child_removed(node.key, node.former, now) end
  call('HSET', node.key, 'parentKey', job.parent_key, 'parent', job.parent)
  call('SADD', job.parent_key .. ':dependencies', node.key)
  node.failed = call('ZSCORE', q.failed, job.id) ~= false
end

local ids = {}
for _, node in ipairs(nodes) do
  local job = node.job
  if not node.left_out then
    found(node.q, ARGV[2])
    call('INCR', node.q.base .. 'id')
    if node.existing then
      adopt(node)
    else
      if job.deduplication then deduplicate(node.q, job, job.deduplication, now) end
      insert(node.q, job, node.waits)
    end
    if job.key then remember(job.key, job.id, now) end
  end
  ids[#ids + 1] = job.id
  ids[#ids + 1] = node.left_out and 2 or node.existing and 1 or 0
end
-- The tree stands: now failed children count, and jobs whose children are all done go on.
for i = #nodes, 1, -1 do
  local node = nodes[i]
  if node.failed then
    local reason = call('HGET', node.key, 'failedReason') or ''
    child_failed(node.key, node.job.parent_key, node.job.parent, reason, now)
  end
  if node.waits and not node.existing and not node.left_out then release_if_done(node.q, node.job.id, now) end
end
for _, q in pairs(opened) do wake_for_inserts(q) end
return {'added', doomed, ids}
