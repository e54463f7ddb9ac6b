-- Adds trees of jobs over any queues, all or none. A job comes before its children.
-- KEYS: base of the first queue. ARGV: now, library, number of jobs, the active job that adds them or '', its
-- lock; then 11 a job: base, the number of its parent (0: the active job), whether it has children, what its
-- parent has to know, and the first seven values of an add.
-- Answers 'added' and for each job its id and whether it was there; 'lost'; or 'taken', a base and an id.

local now = tonumber(ARGV[1])
local count = tonumber(ARGV[3])
local FIRST, EACH = 6, 11
local holder_key = ARGV[4] ~= '' and KEYS[1] .. ARGV[4] or nil
local nodes = {}

for i = 1, count do
  local a = FIRST + (i - 1) * EACH
  local flags = ARGV[a + 5]
  local node = {
    q = queue(ARGV[a]), over = tonumber(ARGV[a + 1]), waits = ARGV[a + 2] == '1',
    job = {
      id = ARGV[a + 4], lifo = string.find(flags, 'l') ~= nil, name = ARGV[a + 6], data = ARGV[a + 7],
      opts = ARGV[a + 8], timestamp = ARGV[1], delay = ARGV[a + 9], priority = ARGV[a + 10],
    },
  }
  node.key = node.q.base .. node.job.id
  local parent = nodes[node.over]
  local parent_key = parent and parent.key or (node.over == 0 and holder_key) or nil
  if parent_key then
    node.job.parent_key, node.job.parent = parent_key, ARGV[a + 3]
  end
  node.existing = string.find(flags, 'c') ~= nil and call('EXISTS', node.key) == 1
  nodes[i] = node
end

if holder_key and call('GET', holder_key .. ':lock') ~= ARGV[5] then return {'lost'} end
for _, node in ipairs(nodes) do
  if node.existing and node.job.parent_key then
    local other = call('HGET', node.key, 'parentKey')
    if other and other ~= node.job.parent_key and call('EXISTS', other) == 1 then
      return {'taken', node.q.base, node.job.id}
    end
  end
end

-- Makes a job that was there a child.
local function adopt(node)
  local parent_key = node.job.parent_key
  emit(node.q, 'duplicated', 'jobId', node.job.id)
  if not parent_key then return end
  if call('ZSCORE', node.q.completed, node.job.id) then
    call('HSET', parent_key .. ':processed', node.key, call('HGET', node.key, 'returnvalue') or 'null')
  else
    call('SADD', parent_key .. ':dependencies', node.key)
  end
  call('HSET', node.key, 'parentKey', parent_key, 'parent', node.job.parent)
end

local answer = {'added'}
for _, node in ipairs(nodes) do
  found(node.q, ARGV[2])
  call('INCR', node.q.base .. 'id')
  if node.existing then adopt(node) else insert(node.q, node.job, node.waits) end
  answer[#answer + 1] = node.job.id
  answer[#answer + 1] = node.existing and 1 or 0
end
for _, node in ipairs(nodes) do
  if node.waits then release_if_done(node.q, node.job.id, now) end
end
for _, q in pairs(opened) do wake_for_inserts(q) end
return answer
