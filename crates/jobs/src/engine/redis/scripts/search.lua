-- Finds jobs, newest first. KEYS: base. ARGV: offset, limit, most to look at, name or '', text or '', states.
-- Answers how many fit, and the jobs as `read` does.

local q = queue(KEYS[1])
local offset, limit, left = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local name, words = ARGV[4], ARGV[5]
local fitting = {}

local function newest(state)
  if left <= 0 then return {} end
  if state == 'waiting' then return call('LRANGE', q.wait, 0, left - 1) end
  if state == 'active' then return call('LRANGE', q.active, 0, left - 1) end
  local sets = {
    prioritized = q.prioritized, delayed = q.delayed, ['waiting-children'] = q.children,
    completed = q.completed, failed = q.failed,
  }
  return call('ZREVRANGE', sets[state], 0, left - 1)
end

local function fits(id, job)
  if not job[1] then return false end
  if name ~= '' and job[1] ~= name then return false end
  if words == '' then return true end
  for _, place in ipairs({id, job[2] or '', job[3] or ''}) do
    if string.find(place, words, 1, true) then return true end
  end
  return false
end

for i = 6, #ARGV do
  local ids = newest(ARGV[i])
  left = left - #ids
  for _, id in ipairs(ids) do
    local job = call('HMGET', q.base .. id, 'name', 'data', 'failedReason', 'timestamp')
    if fits(id, job) then
      fitting[#fitting + 1] = { id = id, state = ARGV[i], added = tonumber(job[4] or 0) or 0 }
    end
  end
end
table.sort(fitting, function(a, b)
  if a.added ~= b.added then return a.added > b.added end
  return a.id < b.id
end)
local found = {}
for i = offset + 1, math.min(#fitting, offset + limit) do show(q, found, fitting[i].id, fitting[i].state) end
return {#fitting, found}
