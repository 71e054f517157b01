-- A job ends: completed or failed for good. The answer is take_next's, 0, or an error code.
-- ARGV: 3 id, 4 token, 5 'completed' or 'failed', 6 return value JSON or reason, 7 stack JSON or '', 8 attempts allowed,
--       9 keep count (-1 all, '' no limit by count), 10 keep age s or '', 11 most removed at once, 12 most points of the metrics or '',
--       13 '1' take the next, 14.. as in take.lua from its 3rd
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
local count, age, most = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])

local function drop(gone)
  for _, old in ipairs(gone) do
    unlink(old, false)
    forget(old)
    call('ZREM', base .. target, old)
  end
end

if count == 0 then
  unlink(id, false)
  forget(id)
else
  call('ZADD', base .. target, now, id)
  call('HSET', key, property, ARGV[6], 'finishedOn', now)
  call('HDEL', key, 'defa')
  if age then
    drop(call('ZRANGEBYSCORE', base .. target, '-inf', now - age * 1000, 'LIMIT', 0, most))
  end
  if count and count > 0 then
    local over = math.min(call('ZCARD', base .. target) - count, most)
    if over > 0 then drop(call('ZRANGE', base .. target, 0, over - 1)) end
  end
end
emit(target, 'jobId', id, property, ARGV[6], 'prev', 'active')
if target == 'failed' and made >= (tonumber(ARGV[8]) or 0) then
  emit('retries-exhausted', 'jobId', id, 'attemptsMade', made)
end

if ARGV[12] ~= '' then count_ended(target, tonumber(ARGV[12])) end

if ARGV[13] == '1' then
  local answer = take_next(ARGV[14], ARGV[15], tonumber(ARGV[16]), tonumber(ARGV[17]), ARGV[18])
  if type(answer[1]) == 'table' or answer[3] > 0 or answer[4] > 0 then return answer end
end
if has_work() then
  local _, closed = gate()
  if not closed then wake() end
elseif call('LLEN', base .. 'active') == 0 then
  emit('drained')
end
return 0
