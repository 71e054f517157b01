-- Removes jobs of one state, a stretch at a time. The answer is {removed, kept}; the next stretch begins after what was kept.
-- ARGV: 3 key of the state, 4 'list' or 'set', 5 how many to pass over, 6 most jobs looked at, 7 least ms since it last moved or '',
--       8 '1' only without a lock, 9 '1' finished jobs, which nobody waits for
local key, from, most = base .. ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
local before = ARGV[7] ~= '' and now - tonumber(ARGV[7]) or nil
local finished = ARGV[9] == '1'

local function is_young(id)
  if not before then return false end
  local at = call('HMGET', base .. id, 'finishedOn', 'processedOn', 'timestamp')
  at = tonumber(at[1] or at[2] or at[3] or nil)
  return at ~= nil and at > before
end

local function must_stay(id)
  if ARGV[8] == '1' and call('EXISTS', base .. id .. ':lock') == 1 then return true end
  if redis.pcall('TYPE', base .. id).ok ~= 'hash' then return false end
  return is_young(id) or (not finished and is_next_iteration(id))
end

local removed, kept = 0, 0
if ARGV[4] == 'list' then
  local length = call('LLEN', key)
  local first, last = math.max(length - from - most, 0), length - from - 1
  local ids = last >= first and call('LRANGE', key, first, last) or {}
  for at = #ids, 1, -1 do
    if must_stay(ids[at]) then
      kept = kept + 1
    else
      call('LSET', key, first + at - 1, '')
      discard(ids[at])
      removed = removed + 1
    end
  end
  -- From the tail, where they are: the rest of a long line is not looked at.
  if removed > 0 then call('LREM', key, -removed, '') end
else
  for _, id in ipairs(call('ZRANGE', key, from, from + most - 1)) do
    if must_stay(id) then
      kept = kept + 1
    else
      call('ZREM', key, id)
      discard(id)
      removed = removed + 1
    end
  end
end
if before and removed > 0 then emit('cleaned', 'count', removed) end
return { removed, kept }
