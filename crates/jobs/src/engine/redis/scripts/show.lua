-- Appends what a snapshot wants to know of a job: state, due score, lock time left in ms, id and fields.
local function show(q, found, id, state)
  local fields = call('HGETALL', q.base .. id)
  if #fields == 0 then return end
  state = state or state_of(q, id)
  for i = 1, #fields, 2 do
    -- A parent that is gone is none.
    if fields[i] == 'parentKey' and call('EXISTS', fields[i + 1]) == 0 then fields[i + 1] = '' end
  end
  found[#found + 1] = state
  found[#found + 1] = state == 'delayed' and call('ZSCORE', q.delayed, id) or ''
  found[#found + 1] = state == 'active' and call('PTTL', q.base .. id .. ':lock') or -2
  found[#found + 1] = id
  found[#found + 1] = fields
end
