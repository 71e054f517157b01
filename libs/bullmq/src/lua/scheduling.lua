-- Joined after common.lua by the scripts that make a scheduler's jobs.
-- The job of one iteration is named after its time, so that two workers cannot make it twice.
local function iteration(scheduler, at) return 'repeat:' .. scheduler .. ':' .. string.format('%.0f', at) end

-- When the next iteration is due, and the offset within `every` that keeps the rhythm.
local function next_slot(previous, every, offset, start)
  local at
  local aligned = math.floor(now / every) * every + offset
  if aligned <= now then aligned = aligned + every end
  if previous then
    at = previous + every
    if at < now then at = aligned end
  elseif start then
    at = math.max(start, now)
  elseif offset > 0 then
    at = aligned
  else
    at = now
  end
  at = math.floor(at)
  if offset == 0 then offset = at % every end
  return at, offset
end

-- `opts` is a JSON object with at least one key; what only this step knows is put in front of its closing brace.
local function create_iteration(scheduler, at, name, data, opts, priority, at_front)
  local id = iteration(scheduler, at)
  local delay = math.max(at - now, 0)
  local known = string.format(',"delay":%.0f,"prevMillis":%.0f,"jobId":%s}', delay, at, cjson.encode(id))
  call('INCR', base .. 'id')
  store(id, name, data, string.sub(opts, 1, -2) .. known, now, delay, priority, 'rjk', scheduler)
  enqueue(id, now, delay, priority, at_front)
  return id
end
