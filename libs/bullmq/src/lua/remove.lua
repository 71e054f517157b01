-- Removes one job, and its children with it, wherever they stand. The answer: 1 done, 0 nothing there, -2 somebody works on it or
-- on a child, -8 a scheduler's next job, -20 more children than one step may remove. ARGV: 3 id, 4 most jobs
local most = tonumber(ARGV[4])
local jobs, seen = {}, {}

local function children_of(key)
  local keys = call('SMEMBERS', key .. ':dependencies')
  for _, set in ipairs({ ':processed', ':failed' }) do
    for _, child in ipairs(call('HKEYS', key .. set)) do keys[#keys + 1] = child end
  end
  for _, child in ipairs(call('ZRANGE', key .. ':unsuccessful', 0, -1)) do keys[#keys + 1] = child end
  return keys
end

local function size_of(key)
  return call('SCARD', key .. ':dependencies') + call('HLEN', key .. ':processed') + call('HLEN', key .. ':failed')
    + call('ZCARD', key .. ':unsuccessful')
end

-- Everything is looked at before anything is removed: it is all or nothing.
local function collect(key)
  if seen[key] then return 0 end
  seen[key] = true
  if #jobs + size_of(key) >= most then return -20 end
  if call('EXISTS', key .. ':lock') == 1 then return -2 end
  jobs[#jobs + 1] = key
  for _, child in ipairs(children_of(key)) do
    local code = collect(child)
    if code < 0 then return code end
  end
  return 0
end

local function leave_state(id)
  for _, set in ipairs({ 'completed', 'waiting-children', 'delayed', 'failed', 'prioritized' }) do
    if call('ZREM', base .. set, id) == 1 then return set end
  end
  for _, list in ipairs({ 'wait', 'paused', 'active' }) do
    if call('LREM', base .. list, 1, id) == 1 then return list end
  end
  return 'unknown'
end

if call('EXISTS', base .. ARGV[3]) == 0 then return 0 end
if is_next_iteration(ARGV[3]) then return -8 end
local code = collect(base .. ARGV[3])
if code < 0 then return code end
for _, key in ipairs(jobs) do
  local queue, id = split(key)
  if key == base .. ARGV[3] then queue, id = string.sub(base, 1, -2), ARGV[3] end
  within(queue .. ':', function()
    unlink(id, false)
    -- What is gone already stands in no line, and lines may be long.
    if call('EXISTS', key) == 1 then
      local was = leave_state(id)
      free_tag(id)
      emit('removed', 'jobId', id, 'prev', was)
    end
    forget(id)
  end)
end
return 1
