-- Joined by the script that ends jobs. Counts ended jobs a minute: a list of the newest minutes first, and where it stands.
local function count_ended(target, most)
  local key = base .. 'metrics:' .. target
  local before = call('HINCRBY', key, 'count', 1) - 1
  local known = call('HMGET', key, 'prevTS', 'prevCount')
  if not known[1] then
    call('HSET', key, 'prevTS', now, 'prevCount', 0)
    return
  end
  local minutes = math.min(math.floor(now / 60000) - math.floor(tonumber(known[1]) / 60000), most)
  if minutes <= 0 then return end
  call('LPUSH', key .. ':data', before - (tonumber(known[2]) or 0))
  -- Minutes in which nothing ended.
  for _ = 2, minutes do call('LPUSH', key .. ':data', 0) end
  call('LTRIM', key .. ':data', 0, most - 1)
  call('HSET', key, 'prevTS', now, 'prevCount', before)
end
