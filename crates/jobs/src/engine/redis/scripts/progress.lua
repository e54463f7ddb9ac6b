-- Stores what a handler reports. KEYS: base. ARGV: id, lock, value. Answers whether the lease holds.

local q = queue(KEYS[1])
local key = q.base .. ARGV[1]
if call('GET', key .. ':lock') ~= ARGV[2] or call('EXISTS', key) == 0 then return 0 end
call('HSET', key, 'progress', ARGV[3])
emit(q, 'progress', 'jobId', ARGV[1], 'data', ARGV[3])
return 1
