-- A job that was taken and not finished goes back to the front of the line; the attempt is not counted.
-- The answer: for how many ms the queue is held, 0 when it is not. ARGV: 3 id, 4 token, 5 ms for which nobody is to take a job, or ''
local id = ARGV[3]
if not field(id, 'name') then return -1 end
local code = unlock(id, ARGV[4])
if code < 0 then return code end
if call('LREM', base .. 'active', -1, id) < 1 then return -3 end
local priority = tonumber(field(id, 'priority')) or 0
local list, closed = gate()
if priority > 0 then
  call('ZADD', base .. 'prioritized', priority * 4294967296, id)
else
  call('RPUSH', list, id)
end
if ARGV[5] ~= '' then call('SET', base .. 'limiter', '9007199254740991', 'PX', ARGV[5]) end
if not closed then wake() end
emit('waiting', 'jobId', id, 'prev', 'active')
return math.max(call('PTTL', base .. 'limiter'), 0)
