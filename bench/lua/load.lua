-- One load for wrk. Arguments after `--`: METHOD PATH [NAME:VALUE ...]. In PATH, {n} is a number that is new
-- for each request; a POST carries one mail as JSON. The last line printed is for the driver.
local counter = 0
local method, path, distinct

function init(args)
  method = args[1]
  path = args[2]
  distinct = path:find("{n}", 1, true) ~= nil
  for i = 3, #args do
    local name, value = args[i]:match("^([^:]+):(.*)$")
    wrk.headers[name] = value
  end
  if method == "POST" then
    wrk.headers["content-type"] = "application/json"
    wrk.body = '{"to":"someone@example.com","subject":"A measurement","body":"Sent to see how fast it is."}'
  end
  math.randomseed(os.time())
  counter = math.random(0, 99989)
  wrk.method = method
  wrk.path = path
  if not distinct then prepared = wrk.format(method, path) end
end

function request()
  if not distinct then return prepared end
  -- 99,989 is prime: a full walk over the range without a repeat.
  counter = (counter + 7919) % 99989
  local number = path:find("filter=", 1, true) and string.format("%015d", counter) or tostring(counter)
  return wrk.format(method, (path:gsub("{n}", number)))
end

function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  print(string.format("RESULT %d %d %d %d %d %d", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), failed))
end
