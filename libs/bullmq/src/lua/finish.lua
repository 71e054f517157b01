-- A job ends: completed or failed for good. The answer is take_next's, 0, or an error code.
-- ARGV: 3 id, 4 token, 5 'completed' or 'failed', 6 return value JSON or reason, 7 stack JSON or '', 8 attempts allowed,
--       9 keep count (-1 all, '' no limit by count), 10 keep age s or '', 11 most removed at once, 12 '1' take the next, 13.. as in take.lua from its 3rd
local id, target = ARGV[3], ARGV[5]
local key = base .. id
if not field(id, 'name') then return -1 end
if target == 'completed' then
  if call('SCARD', key .. ':dependencies') ~= 0 then return -4 end
  if call('ZCARD', key .. ':unsuccessful') ~= 0 then return -9 end
end
local code = unlock(id, ARGV[4])
if code < 0 then return code end
if call('LREM', base .. 'active', -1, id) < 1 then return -3 end
if ARGV[7] ~= '' then call('HSET', key, 'stacktrace', ARGV[7]) end
release_duplicates(id)
release_parent(id, target, ARGV[6])
local made = bump(id, 'atm')

local property = target == 'completed' and 'returnvalue' or 'failedReason'
local count, age = tonumber(ARGV[9]), tonumber(ARGV[10])
if count == 0 then
  forget(id)
else
  call('ZADD', base .. target, now, id)
  call('HSET', key, property, ARGV[6], 'finishedOn', now)
  call('HDEL', key, 'defa')
  if age then
    local old = call('ZRANGEBYSCORE', base .. target, '-inf', now - age * 1000, 'LIMIT', 0, tonumber(ARGV[11]))
    for _, gone in ipairs(old) do
      forget(gone)
      call('ZREM', base .. target, gone)
    end
  end
  if count and count > 0 then
    local over = call('ZRANGE', base .. target, 0, -(count + 1))
    for _, gone in ipairs(over) do
      forget(gone)
      call('ZREM', base .. target, gone)
    end
  end
end
emit(target, 'jobId', id, property, ARGV[6], 'prev', 'active')
if target == 'failed' and made >= (tonumber(ARGV[8]) or 0) then
  emit('retries-exhausted', 'jobId', id, 'attemptsMade', made)
end

if ARGV[12] == '1' then
  local answer = take_next(ARGV[13], ARGV[14], tonumber(ARGV[15]), tonumber(ARGV[16]), ARGV[17])
  if type(answer[1]) == 'table' or answer[3] > 0 or answer[4] > 0 then return answer end
end
if has_work() then
  local _, closed = gate()
  if not closed then wake() end
elseif call('LLEN', base .. 'active') == 0 then
  emit('drained')
end
return 0
