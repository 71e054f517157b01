-- A running job waits for its children, or goes back to the front of the line when none is pending. The answer is take_next's, 0,
-- or an error code. ARGV: 3 id, 4 token, 5 '1' take the next, 6.. as in take.lua from its 3rd
local id = ARGV[3]
local key = base .. id
if not field(id, 'name') then return -1 end
if call('ZCARD', key .. ':unsuccessful') ~= 0 then return -9 end
local code = unlock(id, ARGV[4])
if code < 0 then return code end
if call('LREM', base .. 'active', -1, id) < 1 then return -3 end
if call('SCARD', key .. ':dependencies') == 0 then
  push(id, tonumber(field(id, 'priority')) or 0, true)
  emit('waiting', 'jobId', id, 'prev', 'active')
else
  call('ZADD', base .. 'waiting-children', now, id)
  emit('waiting-children', 'jobId', id, 'prev', 'active')
end
if ARGV[5] == '1' then return take_next(ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]) end
if has_work() then
  local _, closed = gate()
  if not closed then wake() end
end
return 0
