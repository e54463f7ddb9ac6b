-- Makes leases run from now on. KEYS: base. ARGV: lease in ms; then id and lock of each.
-- Answers for each 1 when it still holds, 2 when it does and the job is to be given up, 0 when it ended.

local call = redis.call
local answer = {}
for i = 2, #ARGV, 2 do
  local lock = KEYS[1] .. ARGV[i] .. ':lock'
  if call('GET', lock) == ARGV[i + 1] then
    call('PEXPIRE', lock, ARGV[1])
    call('SREM', KEYS[1] .. 'stalled', ARGV[i])
    answer[#answer + 1] = call('HEXISTS', KEYS[1] .. ARGV[i], 'plcancel') + 1
  else
    answer[#answer + 1] = 0
  end
end
return answer
