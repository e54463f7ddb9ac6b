  if task ~= 3 then refused = not changed end
  if changed or (stepped_back and tries and task ~= 3) then
    -- Never without a time to live: as long as the state means something, and a second for clocks that differ.
    call('SET', key, state, 'PX', string.format('%d', lasts + 1000))
  end
  local mark = changed and '1' or '0'
  if not answers then return answer .. mark .. state end
  answers[2 * index], answers[2 * index + 1] = mark, state
end
return table.concat(answers)
