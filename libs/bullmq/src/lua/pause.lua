-- Pauses or resumes the queue for every worker. The answer is 1 when there is more of the line to carry over.
-- ARGV: 3 '1' pause
local pausing = ARGV[3] == '1'
local from = base .. (pausing and 'wait' or 'paused')
local to = base .. (pausing and 'paused' or 'wait')
local was = call('HEXISTS', base .. 'meta', 'paused') == 1
if pausing then
  call('HSET', base .. 'meta', 'paused', 1)
  call('DEL', base .. 'marker')
else
  call('HDEL', base .. 'meta', 'paused')
end
if call('EXISTS', to) == 0 then
  if call('EXISTS', from) == 1 then call('RENAME', from, to) end
else
  -- Both lines exist only after a client that knows nothing of the pause. One must not overwrite the other.
  for _ = 1, 5000 do
    if not call('RPOPLPUSH', from, to) then break end
  end
end
if was ~= pausing then emit(pausing and 'paused' or 'resumed') end
if not pausing then
  if has_work() then
    local _, closed = gate()
    if not closed then wake() end
  end
  mark_delayed()
end
return call('EXISTS', from)
