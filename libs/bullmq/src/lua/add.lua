-- Adds any number of jobs in one step. From ARGV[3] on as adding.lua says. The answer: their ids, a code for one with a parent that
-- does not work out.
local ids = {}
for at = 3, #ARGV, PER_JOB do
  local code = ARGV[at + 8] ~= '' and obstacle(at, cjson.decode(ARGV[at + 8])) or 0
  ids[#ids + 1] = code < 0 and code .. '' or add_one(at)
end
return ids
