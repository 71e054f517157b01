-- Delayed jobs may run now. The answer is how many moved. ARGV: 3 most jobs, or '' for the ids that follow
local ids = {}
if ARGV[3] ~= '' then
  ids = call('ZRANGE', base .. 'delayed', 0, tonumber(ARGV[3]) - 1)
else
  for at = 4, #ARGV do ids[#ids + 1] = ARGV[at] end
end
local list, closed = gate()
local moved = 0
for _, id in ipairs(ids) do
  if call('ZREM', base .. 'delayed', id) == 1 then
    -- A job whose hash was evicted only leaves the set.
    if field(id, 'name') then
      push_to(list, id, tonumber(field(id, 'priority')) or 0)
      call('HSET', base .. id, 'delay', 0)
      emit('waiting', 'jobId', id, 'prev', 'delayed')
    end
    moved = moved + 1
  end
end
if moved > 0 and not closed then wake() end
return moved
