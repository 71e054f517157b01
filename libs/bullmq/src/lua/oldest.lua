-- Since when the job at the head of the line could have been taken, in ms; '' when nothing waits.
local heads = { call('LINDEX', base .. 'wait', -1), call('ZRANGE', base .. 'prioritized', 0, 0)[1] }
local due = call('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')
local oldest
local function consider(at)
  if at and at <= now and (not oldest or at < oldest) then oldest = at end
end
if due[2] then consider(math.floor(tonumber(due[2]) / PER_MS)) end
for _, id in pairs(heads) do
  if id then
    local added, tried = tonumber(field(id, 'timestamp')), tonumber(field(id, 'processedOn')) or 0
    local readable, opts = pcall(cjson.decode, field(id, 'opts') or '{}')
    local delay = readable and type(opts) == 'table' and tonumber(opts['delay']) or 0
    if added then consider(math.min(math.max(added + delay, tried), now)) end
  end
end
return oldest and string.format('%.0f', oldest) or ''
