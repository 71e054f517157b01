-- Creates or changes a scheduler and its next job. The answer is that job's id, or -10 / -11 when its place is taken.
-- ARGV: 3 scheduler, 4 job name, 5 next time of a pattern or '', 6 every or '', 7 data JSON, 8 template opts JSON, 9 job opts JSON,
--       10 offset or '', 11 start or '', 12 priority, 13 '1' front, 14.. field and value of the scheduler's hash, in pairs
local scheduler, every = ARGV[3], tonumber(ARGV[6])
local index, key = base .. 'repeat', base .. 'repeat:' .. ARGV[3]
local offset, start = tonumber(ARGV[10]) or 0, tonumber(ARGV[11])
local previous = tonumber(call('ZSCORE', index, scheduler) or nil)
local same_rhythm = every and tonumber(call('HGET', key, 'every') or nil) == every

local function withdraw(id)
  if call('EXISTS', base .. id) == 0 then return false end
  local found = call('ZREM', base .. 'delayed', id) + call('ZREM', base .. 'prioritized', id)
  if found == 0 then found = call('LREM', base .. 'wait', 1, id) + call('LREM', base .. 'paused', 1, id) end
  if found > 0 then forget(id) end
  return found > 0
end

local replaced = previous and withdraw(iteration(scheduler, previous))
local at = tonumber(ARGV[5])
if every then
  at, offset = next_slot(same_rhythm and previous or nil, every, offset, start)
  if replaced and same_rhythm then at = previous end
  local steps = 0
  while call('EXISTS', base .. iteration(scheduler, at)) == 1 do
    if steps == 32 then return -11 end
    at, steps = at + every, steps + 1
  end
elseif call('EXISTS', base .. iteration(scheduler, at)) == 1 then
  return -10
end

local kept = call('HMGET', key, 'ic', 'offset')
call('DEL', key)
call('HSET', key, 'name', ARGV[4], 'ic', kept[1] or 1)
if ARGV[7] ~= '{}' then call('HSET', key, 'data', ARGV[7]) end
if ARGV[8] ~= '{}' then call('HSET', key, 'opts', ARGV[8]) end
if every then call('HSET', key, 'every', ARGV[6], 'offset', replaced and same_rhythm and kept[2] or offset) end
if start then call('HSET', key, 'startDate', ARGV[11]) end
for i = 14, #ARGV, 2 do call('HSET', key, ARGV[i], ARGV[i + 1]) end
call('ZADD', index, at, scheduler)
return create_iteration(scheduler, at, ARGV[4], ARGV[7], ARGV[9], tonumber(ARGV[12]), ARGV[13] == '1')
