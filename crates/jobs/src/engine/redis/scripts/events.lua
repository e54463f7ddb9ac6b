-- Entries of a queue's stream of events. KEYS: base. ARGV: the start as XRANGE wants it, how many.
-- Answers the first entry's id, the last id given, how many entries there are, how many there ever were
-- (each empty when it is not known), and the entries.

local key = KEYS[1] .. 'events'
local about = redis.pcall('XINFO', 'STREAM', key)
if about.err then return {'', '', '', '', {}} end
local facts = {}
for i = 1, #about, 2 do facts[about[i]] = about[i + 1] end
local first = facts['first-entry']
return {
  first and first[1] or '', facts['last-generated-id'], facts['length'], facts['entries-added'] or '',
  redis.call('XRANGE', key, ARGV[1], '+', 'COUNT', ARGV[2]),
}
