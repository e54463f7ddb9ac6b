-- { when everything has come back: milliseconds, and parts of one in `max`ths; units given back so far }
-- Spans are in parts of a millisecond, `max` to one: a unit takes `window` of them to come back.
local gcra = { form = 'ddd' }
algorithms['gcra'] = gcra
local WRAP = 4294967296

-- Whole parts and the rest.
local function divide(number, by)
  local rest = math.fmod(number, by)
  return (number - rest) / by, rest
end

local function divide_up(number, by)
  local whole, rest = divide(number, by)
  if rest > 0 then return whole + 1 end
  return whole
end

local function until_moment(milliseconds, parts, quota)
  if milliseconds < now then return 0 end
  return (milliseconds - now) * quota.max + parts
end

local function lead(state, quota)
  return math.min(until_moment(state[1], state[2], quota), quota.burst * quota.window)
end

local function set_lead(state, quota, span)
  local whole, rest = divide(span, quota.max)
  state[1], state[2] = now + whole, rest
end

function gcra.current(state, quota)
  state = state or { now, 0, 0 }
  local stepped_back = until_moment(state[1], state[2], quota) > quota.burst * quota.window
  set_lead(state, quota, lead(state, quota))
  return state, stepped_back
end

function gcra.take(state, quota, cost)
  local span = lead(state, quota) + cost * quota.window
  if span > quota.burst * quota.window then return false end
  set_lead(state, quota, span)
  return true
end

function gcra.look(state, quota, cost)
  local span = lead(state, quota)
  local units = divide_up(span, quota.window)
  local remaining = divide(quota.burst * quota.window - span, quota.window)
  local more = divide_up(span - math.max(units - 1, 0) * quota.window, quota.max)
  local missing = math.max(span + cost * quota.window - quota.burst * quota.window, 0)
  return remaining, more, divide_up(missing, quota.max)
end

function gcra.receipt(state) return state[1], state[2], state[3] end

-- What goes back is what the client would have now, had the request never been.
function gcra.give_back(state, quota, receipt, units)
  local all = units * quota.window
  local moved = math.fmod(state[3] - receipt[3] + WRAP, WRAP) * quota.window
  local lent = math.max(until_moment(receipt[1], receipt[2], quota) - moved, 0)
  local passed = math.max(now - receipt[4], 0) * quota.max
  local back = math.min(math.max(lent, all - passed), all)
  if back <= 0 then return false end
  state[3] = math.fmod(state[3] + units, WRAP)
  set_lead(state, quota, math.max(lead(state, quota) - back, 0))
  return true
end

function gcra.charge(state, quota, units)
  local most = quota.burst * quota.window
  set_lead(state, quota, math.min(lead(state, quota) + units * quota.window, most))
end

function gcra.lasts(state) return state[1] + 1 - now end
