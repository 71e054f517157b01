-- One page of the jobs of a state: {how many there are in all, {id, field, field …} a job}. Long texts are cut off.
-- ARGV: 3 key of the state, 4 'list' or 'set', 5 first, 6 last, 7 '1' newest first, 8 longest text, 9.. fields
local key, first, last = base .. ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
local total, ids
if ARGV[4] == 'list' then
  total = call('LLEN', key)
  if ARGV[7] == '1' then
    ids = call('LRANGE', key, first, last)
  else
    ids = {}
    local line = first < total and call('LRANGE', key, math.max(total - 1 - last, 0), total - 1 - first) or {}
    for at = #line, 1, -1 do ids[#ids + 1] = line[at] end
  end
else
  total = call('ZCARD', key)
  ids = call(ARGV[7] == '1' and 'ZREVRANGE' or 'ZRANGE', key, first, last)
end
local fields, rows = {}, {}
for at = 9, #ARGV do fields[#fields + 1] = ARGV[at] end
for _, id in ipairs(ids) do
  local values = redis.pcall('HMGET', base .. id, unpack(fields))
  local row = { id }
  for at = 1, #fields do
    local value = not values.err and values[at]
    row[#row + 1] = value and string.sub(value, 1, tonumber(ARGV[8])) or ''
  end
  rows[#rows + 1] = row
end
return { total, rows }
