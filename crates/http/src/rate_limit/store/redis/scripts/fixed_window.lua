  if algorithm == 1 then
    -- Kept: the end, what is used.
    local ends, used = now + window, 0
    if #kept == 16 then
      local kept_ends, kept_used = read('<dd', kept)
      if now < kept_ends then
        stepped_back, ends, used = kept_ends > ends, min_of(kept_ends, ends), kept_used
      end
    end
    if task ~= 3 then
      changed = tries and cost <= max - used
      if changed then used = used + cost end
    elseif cost > reserved then
      changed, used = true, min_of(used + cost - reserved, max)
    elseif cost < reserved and ends == receipt_at then
      changed, used = true, max_of(used - (reserved - cost), 0)
    end
    state, lasts = pack('<dd', ends, used), ends - now
