-- The job that a worker took and never heard of, because the answer was lost with the connection. ARGV: 3 token
for _, id in ipairs(call('LRANGE', base .. 'active', 0, -1)) do
  if call('GET', base .. id .. ':lock') == ARGV[3] and field(id, 'name') then return { call('HGETALL', base .. id), id, 0, 0 } end
end
return { 0, 0, 0, 0 }
