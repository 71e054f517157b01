-- What other jobs wait for the end of one: its deduplication id, and its parent in a flow (npm producers make both).
local function release_duplicates(id)
  local tag = field(id, 'deid')
  if not tag then return end
  local key = base .. 'de:' .. tag
  -- With a time to live the id stays taken until it runs out; without one it is freed by its own job only.
  if call('PTTL', key) == -1 and call('GET', key) == id then call('DEL', key) end
  local following = base .. 'dn:' .. tag
  local kept = call('HMGET', following, 'name', 'data', 'opts', 'jid', 'rjk', 'pk', 'pd', 'pdk')
  if not kept[1] then return end
  local count = call('INCR', base .. 'id') .. ''
  local new = kept[4] or count
  local readable, opts = pcall(cjson.decode, kept[3])
  if not readable or type(opts) ~= 'table' then opts = {} end
  local rule = type(opts['de']) == 'table' and opts['de'] or {}
  local delay, priority, ttl = tonumber(opts['delay']) or 0, tonumber(opts['priority']) or 0, tonumber(rule['ttl']) or 0
  if ttl > 0 and not rule['keepLastIfActive'] then
    call('SET', key, new, 'PX', ttl)
  else
    call('SET', key, new)
  end
  local more = { 'deid', tag }
  for name, value in pairs({ rjk = kept[5], parentKey = kept[6], parent = kept[7] }) do
    if value then
      more[#more + 1] = name
      more[#more + 1] = value
    end
  end
  store(new, kept[1], kept[2], kept[3], now, delay, priority, unpack(more))
  enqueue(new, now, delay, priority, opts['lifo'])
  if kept[8] then call('SADD', kept[8], base .. new) end
  call('DEL', following)
end

-- Runs a function as if it were called for another queue.
local function within(other, action)
  local mine, mine_cap = base, cap
  base, cap = other, nil
  action()
  base, cap = mine, mine_cap
end

local function wake_parent(queue, id)
  within(queue .. ':', function()
    if call('ZREM', base .. 'waiting-children', id) == 0 then return end
    local delay, priority = tonumber(field(id, 'delay')) or 0, tonumber(field(id, 'priority')) or 0
    if delay > 0 then
      postpone(id, now + delay)
      mark_delayed()
    else
      push(id, priority, true)
      emit('waiting', 'jobId', id, 'prev', 'waiting-children')
    end
  end)
end

local function fail_parent(queue, id, child)
  if call('ZSCORE', queue .. ':failed', id) then return end
  local reason = 'child ' .. child .. ' failed'
  call('HSET', queue .. ':' .. id, 'defa', reason)
  if call('ZREM', queue .. ':delayed', id) == 1 then
    call('HSET', queue .. ':' .. id, 'delay', 0)
    call('ZADD', queue .. ':waiting-children', now, id)
  end
  wake_parent(queue, id)
end

-- The key base (without its colon) and the id of a job's parent.
local function parent_of(id)
  local raw = field(id, 'parent')
  if not raw then return end
  local readable, parent = pcall(cjson.decode, raw)
  if not readable or type(parent) ~= 'table' or not parent['queueKey'] or not parent['id'] then return end
  return parent['queueKey'], parent['id'] .. '', parent
end

local function release_parent(id, target, value)
  local queue, parent_id, parent = parent_of(id)
  if not queue then return end
  local child = base .. id
  local parent_key = queue .. ':' .. parent_id
  local lenient = parent['cpof'] or parent['idof'] or parent['rdof']
  if target == 'failed' and not parent['fpof'] and not lenient then return end
  if call('SREM', parent_key .. ':dependencies', child) ~= 1 then return end
  if call('EXISTS', parent_key) == 0 then return end
  if target == 'completed' then
    call('HSET', parent_key .. ':processed', child, value)
  elseif parent['fpof'] then
    call('ZADD', parent_key .. ':unsuccessful', now, child)
    return fail_parent(queue, parent_id, child)
  elseif parent['cpof'] or parent['idof'] then
    call('HSET', parent_key .. ':failed', child, value)
    if parent['cpof'] then return wake_parent(queue, parent_id) end
  end
  if call('SCARD', parent_key .. ':dependencies') == 0 then wake_parent(queue, parent_id) end
end
