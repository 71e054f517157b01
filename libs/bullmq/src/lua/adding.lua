-- Joined after relations.lua by the scripts that add jobs. A job is nine arguments from `at` on: id or '', name, timestamp, data,
-- opts, delay, priority, flags ('f' front of the line, 'd' deduplicated, 'c' waits for its children), parent JSON or ''.
local PER_JOB = 9

local function announce_duplicate(tag, id, other)
  emit('debounced', 'jobId', id, 'debounceId', tag)
  emit('deduplicated', 'jobId', id, 'deduplicationId', tag, 'deduplicatedJobId', other)
end

-- Takes a deduplication id for a job. Kept past its time to live while a last job may follow the one that runs.
local function hold_tag(rule, id, ...)
  if tonumber(rule['ttl']) and rule['ttl'] > 0 and not rule['keepLastIfActive'] then
    return call('SET', base .. 'de:' .. rule['id'], id, 'PX', rule['ttl'], ...)
  end
  return call('SET', base .. 'de:' .. rule['id'], id, ...)
end

-- Keeps a job for the moment the running one of its deduplication id ends. Tells whether there is a running one.
local function let_follow(rule, holder, id, at)
  if not rule['keepLastIfActive'] or not call('LPOS', base .. 'active', holder) then return false end
  local following = base .. 'dn:' .. rule['id']
  call('DEL', following)
  call('HSET', following, 'name', ARGV[at + 1], 'data', ARGV[at + 3], 'opts', ARGV[at + 4], 'jid', id)
  if ARGV[at + 8] ~= '' then
    local parent = cjson.decode(ARGV[at + 8])
    local key = parent['queueKey'] .. ':' .. parent['id']
    call('HSET', following, 'pk', key, 'pd', ARGV[at + 8], 'pdk', key .. ':dependencies')
  end
  call('PERSIST', base .. 'de:' .. rule['id'])
  return true
end

-- The job that stands in for a new one, nil when the new one is to be added.
local function deduplicate(rule, id, at, has_children)
  local tag = rule['id']
  local key = base .. 'de:' .. tag
  local holder = call('GET', key)
  if not holder then
    hold_tag(rule, id)
    return nil
  end
  if rule['replace'] and not has_children and call('ZREM', base .. 'delayed', holder) == 1 then
    forget(holder)
    emit('removed', 'jobId', holder, 'prev', 'delayed')
    announce_duplicate(tag, id, holder)
    if tonumber(rule['ttl']) and not rule['extend'] and not rule['keepLastIfActive'] then
      call('SET', key, id, 'KEEPTTL')
    else
      hold_tag(rule, id)
    end
    return nil
  end
  if not let_follow(rule, holder, id, at) and rule['extend'] and not rule['replace'] and tonumber(rule['ttl']) then
    hold_tag(rule, holder)
  end
  announce_duplicate(tag, holder, id)
  return holder
end

-- A job that exists already becomes the child of a parent that was just added, unless it has another.
local function adopt(id, raw, parent)
  local parent_key, child = parent['queueKey'] .. ':' .. parent['id'], base .. id
  local old = field(id, 'parentKey')
  if old and old ~= parent_key and call('EXISTS', old) == 1 then return end
  call('HSET', child, 'parentKey', parent_key, 'parent', raw)
  if call('ZSCORE', base .. 'completed', id) then
    call('HSET', parent_key .. ':processed', child, field(id, 'returnvalue') or 'null')
    if call('SCARD', parent_key .. ':dependencies') == 0 then wake_parent(parent['queueKey'], parent['id']) end
  else
    call('SADD', parent_key .. ':dependencies', child)
  end
end

-- Why a job cannot be added: its parent is gone, or the job exists and belongs to another. 0 when it can.
local function obstacle(at, parent)
  local parent_key = parent['queueKey'] .. ':' .. parent['id']
  local old = ARGV[at] ~= '' and field(ARGV[at], 'parentKey')
  if old and old ~= parent_key and call('EXISTS', old) == 1 then return -7 end
  return call('EXISTS', parent_key) == 1 and 0 or -5
end

-- Adds one job and returns its id, or the id of the job that stands in for it.
local function add_one(at)
  local id, timestamp, delay, priority = ARGV[at], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  local flags, raw = ARGV[at + 7], ARGV[at + 8]
  local parent = raw ~= '' and cjson.decode(raw)
  local count = call('INCR', base .. 'id')
  if id == '' then id = count .. '' end
  if call('EXISTS', base .. id) == 1 then
    if parent then adopt(id, raw, parent) end
    emit('duplicated', 'jobId', id)
    return id
  end
  local has_children, more = string.find(flags, 'c', 1, true), {}
  if string.find(flags, 'd', 1, true) then
    local rule = cjson.decode(ARGV[at + 4])['de']
    local holder = deduplicate(rule, id, at, has_children)
    if holder then return holder end
    more = { 'deid', rule['id'] }
  end
  if parent then
    local parent_key = parent['queueKey'] .. ':' .. parent['id']
    for _, value in ipairs({ 'parentKey', parent_key, 'parent', raw }) do more[#more + 1] = value end
    call('SADD', parent_key .. ':dependencies', base .. id)
  end
  store(id, ARGV[at + 1], ARGV[at + 3], ARGV[at + 4], timestamp, delay, priority, unpack(more))
  if has_children then
    call('ZADD', base .. 'waiting-children', timestamp, id)
    emit('waiting-children', 'jobId', id)
  else
    enqueue(id, timestamp, delay, priority, string.find(flags, 'f', 1, true))
  end
  return id
end
