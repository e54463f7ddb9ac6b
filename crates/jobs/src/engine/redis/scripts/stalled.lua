-- Active jobs whose lease ended. KEYS: base. ARGV: most to answer. Changes nothing but orphans, which go.
-- Answers the orphans, and 7 values a job.

local q = queue(KEYS[1])
local orphans, jobs = {}, {}
-- Those taken first stand last, and come first.
local active = call('LRANGE', q.active, 0, -1)
for at = #active, 1, -1 do
  local id = active[at]
  if #jobs >= 7 * tonumber(ARGV[1]) then break end
  local key = q.base .. id
  if call('EXISTS', key .. ':lock') == 0 then
    local job = call('HMGET', key, 'name', 'ats', 'atm', 'attemptsMade', 'stc', 'priority', 'opts', 'rjk')
    if job[1] then
      local scheduled = job[8] and call('EXISTS', q.base .. 'repeat:' .. job[8]) == 1
      for _, value in ipairs({
        id, job[2] or '', job[3] or job[4] or '', job[5] or '', job[6] or '', job[7] or '', scheduled and 1 or 0,
      }) do
        jobs[#jobs + 1] = value
      end
    else
      call('LREM', q.active, 0, id)
      call('SREM', q.base .. 'stalled', id)
      call('DEL', key)
      orphans[#orphans + 1] = id
    end
  end
end
return {orphans, jobs}
