-- Appends lines to a job's log. KEYS: base. ARGV: id, lock or '' for any, lines kept, lines.
-- Answers the number of lines, or -1 when the lease does not hold or there is no such job.

local call = redis.call
local key = KEYS[1] .. ARGV[1]
if ARGV[2] ~= '' and call('GET', key .. ':lock') ~= ARGV[2] then return -1 end
if call('EXISTS', key) == 0 then return -1 end
for i = 4, #ARGV do call('RPUSH', key .. ':logs', ARGV[i]) end
call('LTRIM', key .. ':logs', -tonumber(ARGV[3]), -1)
return call('LLEN', key .. ':logs')
