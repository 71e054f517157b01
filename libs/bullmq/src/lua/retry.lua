-- A failed attempt goes back: to the delayed set, or at once to the line. The answer is take_next's, 0, or an error code.
-- Without a stack it did not fail: its handler put it off, and the attempt is not counted.
-- ARGV: 3 id, 4 token, 5 delay ms, 6 failedReason, 7 stack JSON or '', 8 '1' front, 9 '1' take the next, 10.. as in take.lua from its 3rd
local id, delay = ARGV[3], tonumber(ARGV[5])
if not field(id, 'name') then return -1 end
local code = unlock(id, ARGV[4])
if code < 0 then return code end
if call('LREM', base .. 'active', -1, id) < 1 then return -3 end
if ARGV[7] ~= '' then
  call('HSET', base .. id, 'failedReason', ARGV[6], 'stacktrace', ARGV[7])
  bump(id, 'atm')
end
if delay > 0 then
  call('HSET', base .. id, 'delay', delay)
  postpone(id, now + delay)
else
  push(id, tonumber(field(id, 'priority')) or 0, ARGV[8] == '1')
  emit('waiting', 'jobId', id, 'prev', 'active')
end
local answer = 0
if ARGV[9] == '1' then
  answer = take_next(ARGV[10], ARGV[11], tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14])
end
if delay > 0 then mark_delayed() end
if ARGV[9] ~= '1' and has_work() then
  local _, closed = gate()
  if not closed then wake() end
end
return answer
