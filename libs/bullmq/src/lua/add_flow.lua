-- Adds the jobs of a flow, parents before their children, all or none. From ARGV[3] on: a key base and nine arguments a job, as
-- adding.lua says. The answer: their ids, or one code when the root's parent is gone or a job belongs to another parent.
local problem = 0
for at = 3, #ARGV, PER_JOB + 1 do
  local raw = ARGV[at + PER_JOB]
  within(ARGV[at], function()
    local code = raw ~= '' and obstacle(at + 1, cjson.decode(raw)) or 0
    -- Only the root's parent must exist before; the others are added here.
    if code == -7 or (code == -5 and at == 3) then problem = code end
  end)
end
if problem < 0 then return { problem .. '' } end

local ids = {}
for at = 3, #ARGV, PER_JOB + 1 do
  within(ARGV[at], function() ids[#ids + 1] = add_one(at + 1) end)
end
-- Children that were duplicates of others may leave a parent with nobody to wait for.
for at = 3, #ARGV, PER_JOB + 1 do
  local id = ids[(at - 3) / (PER_JOB + 1) + 1]
  if string.find(ARGV[at + 8], 'c', 1, true) and call('SCARD', ARGV[at] .. id .. ':dependencies') == 0 then
    wake_parent(string.sub(ARGV[at], 1, -2), id)
  end
end
return ids
