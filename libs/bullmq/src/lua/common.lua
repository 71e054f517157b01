-- Joined in front of every script. ARGV[1] is the queue's key base ("bull:email:"), ARGV[2] the caller's clock in ms.
-- Every other key is derived from the base, so that all of a queue's keys share one place in a cluster with a hash-tagged prefix.
local call = redis.call
local base = ARGV[1]
local now = tonumber(ARGV[2])
local PER_MS = 4096 -- a delayed score is ms * 4096 + place within that ms, which keeps delayed jobs first in, first out

local cap
local function emit(name, ...)
  if not cap then
    cap = call('HGET', base .. 'meta', 'opts.maxLenEvents')
    if not tonumber(cap) then
      cap = '10000'
      call('HSET', base .. 'meta', 'opts.maxLenEvents', cap)
    end
  end
  call('XADD', base .. 'events', 'MAXLEN', '~', cap, '*', 'event', name, ...)
end

-- One field of a job, nil when the key is gone or is no hash.
local function field(id, name)
  local value = redis.pcall('HGET', base .. id, name)
  if type(value) == 'string' then return value end
end

-- Counts in a job's field; rubbish in it counts as nothing.
local function bump(id, name)
  local value = redis.pcall('HINCRBY', base .. id, name, 1)
  if type(value) == 'number' then return value end
  call('HSET', base .. id, name, 1)
  return 1
end

local function wake() call('ZADD', base .. 'marker', 0, '0') end

-- The list that new work goes to, whether workers must stay asleep (paused, or at the global concurrency), and the global rate limit.
local function gate()
  local meta = call('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration')
  if meta[1] then return base .. 'paused', true, tonumber(meta[3]), tonumber(meta[4]) end
  local most = tonumber(meta[2])
  local closed = most ~= nil and call('LLEN', base .. 'active') >= most
  return base .. 'wait', closed, tonumber(meta[3]), tonumber(meta[4])
end

local function push_to(list, id, priority, at_front)
  if priority > 0 then
    local turn = call('INCR', base .. 'pc') % 4294967296
    call('ZADD', base .. 'prioritized', priority * 4294967296 + turn, id)
  else
    call(at_front and 'RPUSH' or 'LPUSH', list, id)
  end
end

local function push(id, priority, at_front)
  local list, closed = gate()
  push_to(list, id, priority, at_front)
  if not closed then wake() end
end

local function has_work()
  return call('LLEN', base .. 'wait') > 0 or call('ZCARD', base .. 'prioritized') > 0
end

local function next_delayed()
  local head = call('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')
  if head[2] then return math.floor(tonumber(head[2]) / PER_MS) end
end

local function postpone(id, at)
  local low = at * PER_MS
  local high = low + PER_MS - 1
  local last = call('ZREVRANGEBYSCORE', base .. 'delayed', high, low, 'WITHSCORES', 'LIMIT', 0, 1)
  local score = low
  if last[2] then score = math.min(tonumber(last[2]) + 1, high) end
  call('ZADD', base .. 'delayed', score, id)
  emit('delayed', 'jobId', id, 'delay', at)
end

-- Tells sleeping workers when the next delayed job is due.
local function mark_delayed()
  local at = next_delayed()
  if at then call('ZADD', base .. 'marker', at, '1') end
end

local function store(id, name, data, opts, timestamp, delay, priority, ...)
  call('HSET', base .. id, 'name', name, 'data', data, 'opts', opts, 'timestamp', timestamp, 'delay', delay,
    'priority', priority, ...)
  emit('added', 'jobId', id, 'name', name)
end

-- A stored job starts its way: into the delayed set, or to where workers look.
local function enqueue(id, timestamp, delay, priority, at_front)
  if delay > 0 then
    postpone(id, timestamp + delay)
    mark_delayed()
  else
    push(id, priority, at_front)
    emit('waiting', 'jobId', id)
  end
end

local function forget(id)
  local key = base .. id
  call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
end

-- 0, or why this token may not touch the job: -2 nobody holds the lock, -6 somebody else does.
local function unlock(id, token)
  local holder = call('GET', base .. id .. ':lock')
  if not holder then return -2 end
  if holder ~= token then return -6 end
  call('DEL', base .. id .. ':lock')
  call('SREM', base .. 'stalled', id)
  return 0
end
