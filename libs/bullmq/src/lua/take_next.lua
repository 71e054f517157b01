-- Joined after common.lua by the scripts that hand out work.
local function promote_due(list, closed)
  local due = call('ZRANGEBYSCORE', base .. 'delayed', 0, (now + 1) * PER_MS - 1, 'LIMIT', 0, 1000)
  for _, id in ipairs(due) do
    call('ZREM', base .. 'delayed', id)
    -- A job whose hash was evicted must not come back as an empty one.
    if field(id, 'name') then
      push_to(list, id, tonumber(field(id, 'priority')) or 0)
      call('HSET', base .. id, 'delay', 0)
      emit('waiting', 'jobId', id, 'prev', 'delayed')
    end
  end
  if #due > 0 and not closed then wake() end
end

local function pop()
  local id = call('RPOPLPUSH', base .. 'wait', base .. 'active')
  if id then return id end
  local first = call('ZPOPMIN', base .. 'prioritized')
  if first[1] then
    call('LPUSH', base .. 'active', first[1])
    return first[1]
  end
  call('DEL', base .. 'pc')
end

local function limited_for(max)
  if max and max <= (tonumber(call('GET', base .. 'limiter')) or 0) then
    return math.max(call('PTTL', base .. 'limiter'), 0)
  end
  return 0
end

-- {fields, id, 0, 0} with a job; {0, 0, ms, 0} when rate limited; {0, 0, 0, at} with the time of the next delayed job, or 0.
local function take_next(token, lock_ms, max, duration, worker)
  local list, closed, global_max, global_duration = gate()
  promote_due(list, closed)
  max = global_max or max
  duration = duration or global_duration
  local ttl = limited_for(max)
  if ttl > 0 then return { 0, 0, ttl, 0 } end
  if closed then return { 0, 0, 0, 0 } end
  for _ = 1, 1000 do
    local id = pop()
    if not id then break end
    local key = base .. id
    if field(id, 'name') then
      if max and call('INCR', base .. 'limiter') == 1 then call('PEXPIRE', base .. 'limiter', duration or 1000) end
      call('SET', key .. ':lock', token, 'PX', lock_ms)
      call('HSET', key, 'processedOn', now)
      if worker ~= '' then call('HSET', key, 'pb', worker) end
      bump(id, 'ats')
      emit('active', 'jobId', id, 'prev', 'waiting')
      if has_work() then wake() end
      return { call('HGETALL', key), id, 0, 0 }
    end
    -- The hash is gone (evicted, removed by hand) or is no job: nobody could ever run it, and it must not block the others.
    call('LREM', base .. 'active', 1, id)
    emit('removed', 'jobId', id, 'prev', 'waiting')
  end
  return { 0, 0, 0, next_delayed() or 0 }
end
