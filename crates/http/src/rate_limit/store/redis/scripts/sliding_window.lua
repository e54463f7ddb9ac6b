  elseif algorithm == 2 then
    -- Kept: the start of the cell under way, what it holds, what the eight before it hold, the latest first.
    local cell = window / 8
    local start = now - rest_of(now, cell)
    local cells
    if #kept == 80 then
      cells = { read('<dddddddddd', kept) }
      stepped_back = cells[1] > start
      local passed = max_of((start - cells[1]) / cell, 0)
      if passed > 0 then
        for to = 10, 2, -1 do
          local from = to - passed
          cells[to] = from >= 2 and cells[from] or 0
        end
      end
      cells[1] = start
    else
      cells = { start, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
    end
    local used = cells[2] + cells[3] + cells[4] + cells[5] + cells[6] + cells[7] + cells[8] + cells[9] + cells[10]
    if task ~= 3 then
      changed = tries and cost <= max - used
      if changed then cells[2] = cells[2] + cost end
    elseif cost > reserved then
      changed, cells[2] = true, cells[2] + min_of(cost - reserved, max_of(max - used, 0))
    elseif cost < reserved then
      local age = (start - receipt_at) / cell
      changed = age >= 0 and age <= 8
      if changed then cells[age + 2] = max_of(cells[age + 2] - (reserved - cost), 0) end
    end
    state, lasts = pack('<dddddddddd', unpack(cells, 1, 10)), start + 9 * cell - now
