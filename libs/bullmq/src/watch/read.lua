-- What stands in some queues, read and never touched. Of each key a bounded number of entries is read, whatever its size.
-- ARGV: 1 most finished jobs of a set, 2 bounds of the due buckets in ms ("1000,2000"), then six for each queue:
-- key base, place in the events ('' not known yet), '1' to read it even if nothing happened since, finished jobs after this ms
-- ('' none), number of schedulers known (-1 none), ids of jobs that were at the head of a line ("\0id\0id\0").
local ENDS, PRIORITIES, SCHEDULERS, SINGLE, ACTIVE, OPTS = 4, 2, 100, 64, 1000, 4096
local PER_MS, PER_PRIORITY = 4096, 4294967296
local pcall = redis.pcall
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local bounds = {}
for bound in string.gmatch(ARGV[2], '%d+') do bounds[#bounds + 1] = tonumber(bound) end

-- A key of the wrong type counts as one that is not there: one odd key must not hide a thousand queues.
local function get(...)
  local answer = pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer
end

local function size(command, key) return get(command, key) or 0 end
local function exact(number) return string.format('%.0f', number) end

-- Of a job that is known already the id is all that is told.
local function add_jobs(jobs, base, ids, known)
  for _, id in ipairs(ids or {}) do
    local is_known = known and string.find(known, '\0' .. id .. '\0', 1, true)
    if is_known then jobs[#jobs + 1] = id end
    local job = not is_known and get('HMGET', base .. id, 'timestamp', 'processedOn', 'finishedOn', 'atm', 'opts')
    if job and job[1] then
      local opts = job[5]
      if not opts or #opts > OPTS or not string.find(opts, '"delay"', 1, true) then opts = '' end
      jobs[#jobs + 1] = { id, job[1], job[2] or '', job[3] or '', job[4] or '', opts }
    end
  end
end

local function head_between(key, low, high)
  return get('ZRANGEBYSCORE', key, low, high, 'WITHSCORES', 'LIMIT', 0, 1) or {}
end

-- The line of a priority is first in, first out, so its head is its oldest. The most and the least urgent lines are looked at:
-- the former because they are short, the latter because they starve.
local function add_heads(jobs, base, known)
  local key, low, top = base .. 'prioritized', '-inf', -1
  for _ = 1, PRIORITIES do
    local head = head_between(key, low, '+inf')
    if not head[1] then return end
    add_jobs(jobs, base, { head[1] }, known)
    top = math.floor(tonumber(head[2]) / PER_PRIORITY)
    low = exact((top + 1) * PER_PRIORITY)
  end
  local high = '+inf'
  for _ = 1, PRIORITIES do
    local tail = get('ZREVRANGEBYSCORE', key, high, '-inf', 'WITHSCORES', 'LIMIT', 0, 1) or {}
    local priority = tail[2] and math.floor(tonumber(tail[2]) / PER_PRIORITY)
    if not priority or priority <= top then return end
    low = exact(priority * PER_PRIORITY)
    add_jobs(jobs, base, { head_between(key, low, '+inf')[1] }, known)
    high = '(' .. low
  end
end

-- How many are due, since when the first is, and when the others will be: one by one when they are few, else by bucket.
local function delayed_of(key)
  local limit = (now + 1) * PER_MS - 1
  local due, since = size('ZCARD', key) > 0 and get('ZCOUNT', key, '-inf', exact(limit)) or 0, ''
  if due > 0 then since = exact(math.floor(tonumber(get('ZRANGE', key, 0, 0, 'WITHSCORES')[2]) / PER_MS)) end
  local last = exact((now + bounds[#bounds] + 1) * PER_MS - 1)
  local soon = get('ZCOUNT', key, '(' .. exact(limit), last) or 0
  local single, counts = {}, {}
  if soon > SINGLE then
    local low = limit
    for place, bound in ipairs(bounds) do
      local high = (now + bound + 1) * PER_MS - 1
      counts[place] = get('ZCOUNT', key, '(' .. exact(low), exact(high)) or 0
      low = high
    end
  elseif soon > 0 then
    local found = get('ZRANGEBYSCORE', key, '(' .. exact(limit), last, 'WITHSCORES') or {}
    for place = 2, #found, 2 do single[#single + 1] = math.floor(tonumber(found[place]) / PER_MS) end
  end
  return due, since, single, counts
end

-- Whether nothing was trimmed since the place (1), something was (0), or this is no stream (-1).
local function events_since(key, place, newest, cap)
  if not newest then return -1 end
  if place == '' or place == newest[1] then return 1 end
  if place == '0-0' then return get('XLEN', key) < cap and 1 or 0 end
  local there = get('XRANGE', key, place, place)
  return there and there[1] and 1 or 0
end

local function read(base, place, newest, after, known_schedulers, known_heads)
  local meta = get('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration', 'opts.maxLenEvents', 'version')
  local there = meta and (meta[5] or meta[6] or get('EXISTS', base .. 'meta') == 1) and 1 or 0
  meta = meta or {}
  local wait, paused, active = size('LLEN', base .. 'wait'), size('LLEN', base .. 'paused'), size('LLEN', base .. 'active')
  local prioritized, delayed = size('ZCARD', base .. 'prioritized'), size('ZCARD', base .. 'delayed')
  local completed, failed = size('ZCARD', base .. 'completed'), size('ZCARD', base .. 'failed')
  local intact = events_since(base .. 'events', place, newest, tonumber(meta[5]) or 10000)

  local heads = {}
  if wait > 0 then add_jobs(heads, base, get('LRANGE', base .. 'wait', -ENDS, -1), known_heads) end
  if paused > 0 then add_jobs(heads, base, get('LRANGE', base .. 'paused', -ENDS, -1), known_heads) end
  if prioritized > 0 then add_heads(heads, base, known_heads) end
  local due, due_since, single, counts = 0, '', {}, {}
  if delayed > 0 then due, due_since, single, counts = delayed_of(base .. 'delayed') end

  local schedulers, names = size('ZCARD', base .. 'repeat'), false
  if schedulers ~= known_schedulers then names = get('ZRANGE', base .. 'repeat', 0, SCHEDULERS - 1) or {} end
  local finished = {}
  if after ~= '' then
    local sets = { completed > 0 and 'completed', failed > 0 and 'failed' }
    for place = 1, 2 do
      if sets[place] then
        add_jobs(finished, base, get('ZREVRANGEBYSCORE', base .. sets[place], '+inf', '(' .. after, 'LIMIT', 0, ARGV[1]))
      end
    end
  end
  -- Who runs already, for a reader that did not see them begin.
  local running = {}
  if active > 0 and (place == '' or intact < 1) then running = get('LRANGE', base .. 'active', 0, ACTIVE - 1) or {} end

  return {
    { there, wait + paused, prioritized, active, delayed, due, size('ZCARD', base .. 'waiting-children'), completed, failed },
    { meta[1] or '', meta[2] or '', meta[3] or '', meta[4] or '' },
    intact, newest and newest[1] or '0-0', heads, due_since, single, counts, schedulers, names, finished, running,
  }
end

local answers = { now }
for at = 3, #ARGV, 6 do
  local base, place = ARGV[at], ARGV[at + 1]
  local newest = get('XREVRANGE', base .. 'events', '+', '-', 'COUNT', 1)
  newest = newest and (newest[1] or { '0-0' })
  -- What changes a queue is told as an event, but for a few things that are done by hand.
  if newest and newest[1] == place and ARGV[at + 2] ~= '1' then
    answers[#answers + 1] = 0
  else
    answers[#answers + 1] = read(base, place, newest, ARGV[at + 3], tonumber(ARGV[at + 4]), ARGV[at + 5])
  end
end
return answers
