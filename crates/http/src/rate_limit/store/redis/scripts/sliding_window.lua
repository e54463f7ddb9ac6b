-- { the start of the cell under way, what it holds, what the eight before it hold, the latest first }
local CELLS = 8
local sliding = { form = string.rep('d', CELLS + 2) }
algorithms['sliding-window'] = sliding

function sliding.current(state, quota)
  local cell = quota.window / CELLS
  local start = now - math.fmod(now, cell)
  local current = { start }
  local passed = state and math.max((start - state[1]) / cell, 0) or 0
  for index = 2, CELLS + 2 do
    local from = index - passed
    current[index] = state and from >= 2 and state[from] or 0
  end
  return current, state and state[1] > start
end

local function used(state)
  local sum = 0
  for index = 2, CELLS + 2 do sum = sum + state[index] end
  return sum
end

-- How long until that many have stopped counting.
local function freed_in(state, quota, units)
  if units <= 0 then return 0 end
  local cell, freed, index = quota.window / CELLS, 0, CELLS + 2
  while index > 2 do
    freed = freed + state[index]
    if freed >= units then break end
    index = index - 1
  end
  return state[1] + (CELLS + 1) * cell - (index - 2) * cell - now
end

function sliding.take(state, quota, cost)
  if cost > quota.max - used(state) then return false end
  state[2] = state[2] + cost
  return true
end

function sliding.look(state, quota, cost)
  local sum = used(state)
  local remaining = math.max(quota.max - sum, 0)
  return remaining, freed_in(state, quota, math.min(sum, 1)), freed_in(state, quota, cost - remaining)
end

function sliding.receipt(state) return state[1], 0, 0 end

function sliding.give_back(state, quota, receipt, units)
  local age = (state[1] - receipt[1]) / (quota.window / CELLS)
  if age < 0 or age > CELLS then return false end
  state[age + 2] = math.max(state[age + 2] - units, 0)
  return true
end

function sliding.charge(state, quota, units)
  state[2] = state[2] + math.min(units, math.max(quota.max - used(state), 0))
end

function sliding.lasts(state, quota)
  return state[1] + (CELLS + 1) * quota.window / CELLS - now
end
