-- Finished jobs go back in line. The answer is {moved, passed over}, or -1 / -3 for one id that is not there or not in that state.
-- ARGV: 3 'failed' or 'completed', 4 most jobs or '' for the id that follows, 5 id or the latest end in ms
local state = ARGV[3]
local ids
if ARGV[4] == '' then
  ids = { ARGV[5] }
  if not field(ARGV[5], 'name') then return { -1, 0 } end
  if not call('ZSCORE', base .. state, ARGV[5]) then return { -3, 0 } end
else
  -- What ends again meanwhile has a later end and is not taken a second time.
  ids = call('ZRANGEBYSCORE', base .. state, '-inf', ARGV[5], 'LIMIT', 0, tonumber(ARGV[4]))
end

-- The parent waits for it once more.
local function wait_again(id)
  local queue, parent = parent_of(id)
  if not queue then return end
  local key, child = queue .. ':' .. parent, base .. id
  if call('EXISTS', key) == 0 then return end
  local freed
  if state == 'failed' then
    freed = call('ZREM', key .. ':unsuccessful', child) + call('HDEL', key .. ':failed', child)
  else
    freed = call('HDEL', key .. ':processed', child)
  end
  if freed > 0 then call('SADD', key .. ':dependencies', child) end
end

local list, closed = gate()
local moved, gone = 0, 0
for _, id in ipairs(ids) do
  call('ZREM', base .. state, id)
  if field(id, 'name') then
    call('HDEL', base .. id, 'finishedOn', 'processedOn', state == 'failed' and 'failedReason' or 'returnvalue')
    local readable, opts = pcall(cjson.decode, field(id, 'opts') or '{}')
    local at_front = ARGV[4] == '' and readable and type(opts) == 'table' and opts['lifo'] == true
    push_to(list, id, tonumber(field(id, 'priority')) or 0, at_front)
    wait_again(id)
    emit('waiting', 'jobId', id, 'prev', state)
    moved = moved + 1
  else
    gone = gone + 1
  end
end
if moved > 0 and not closed then wake() end
return { moved, gone }
