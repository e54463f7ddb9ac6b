-- { the end, what is used }
local fixed = { form = 'dd' }
algorithms['fixed-window'] = fixed

function fixed.current(state, quota)
  local latest = now + quota.window
  if state and now < state[1] then
    return { math.min(state[1], latest), state[2] }, state[1] > latest
  end
  return { latest, 0 }, false
end

function fixed.take(state, quota, cost)
  if cost > quota.max - state[2] then return false end
  state[2] = state[2] + cost
  return true
end

function fixed.look(state, quota, cost)
  local remaining = math.max(quota.max - state[2], 0)
  local more = state[1] - now
  return remaining, more, cost <= remaining and 0 or more
end

function fixed.receipt(state) return state[1], 0, 0 end

function fixed.give_back(state, quota, receipt, units)
  if state[1] ~= receipt[1] then return false end
  state[2] = math.max(state[2] - units, 0)
  return true
end

function fixed.charge(state, quota, units)
  state[2] = math.min(state[2] + units, quota.max)
end

function fixed.lasts(state) return state[1] - now end
