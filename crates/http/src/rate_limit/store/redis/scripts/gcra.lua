  else
    -- Kept: when everything has come back, as milliseconds and parts of one in `max`ths; units given back so far.
    -- Spans are in parts of a millisecond, `max` to one: a unit takes `window` of them to come back.
    local span, given_back, most = 0, 0, burst * window
    if #kept == 24 then
      local at, parts
      at, parts, given_back = read('<ddd', kept)
      if at >= now then span = (at - now) * max + parts end
      stepped_back = span > most
      span = min_of(span, most)
    end
    if task ~= 3 then
      changed = tries and span + cost * window <= most
      if changed then span = span + cost * window end
    elseif cost > reserved then
      changed, span = true, min_of(span + (cost - reserved) * window, most)
    elseif cost < reserved then
      -- What goes back is what the client would have now, had the request never been.
      local units = reserved - cost
      local all = units * window
      local moved = rest_of(given_back - receipt_given_back + 4294967296, 4294967296) * window
      local lent = 0
      if receipt_at >= now then lent = max_of((receipt_at - now) * max + receipt_count - moved, 0) end
      local passed = max_of(now - since, 0) * max
      local back = min_of(max_of(lent, all - passed), all)
      if back > 0 then
        changed, span = true, max_of(span - back, 0)
        given_back = rest_of(given_back + units, 4294967296)
      end
    end
    local parts = rest_of(span, max)
    local whole = (span - parts) / max
    state, lasts = pack('<ddd', now + whole, parts, given_back), whole + 1
  end
