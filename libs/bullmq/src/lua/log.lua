-- Appends one line to a job's log. ARGV: 3 id, 4 line, 5 most lines kept or ''
if not field(ARGV[3], 'name') then return -1 end
local key = base .. ARGV[3] .. ':logs'
local length = call('RPUSH', key, ARGV[4])
if tonumber(ARGV[5]) then call('LTRIM', key, -tonumber(ARGV[5]), -1) end
return length
