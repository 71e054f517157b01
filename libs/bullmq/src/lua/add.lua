-- Adds any number of jobs in one step. From ARGV[3] on, eight a job:
-- id or '', name, timestamp, data, opts, delay, priority, '1' for the front of the line.
local ids = {}
for at = 3, #ARGV, 8 do
  local id = ARGV[at]
  local count = call('INCR', base .. 'id')
  if id == '' then id = count .. '' end
  if call('EXISTS', base .. id) == 1 then
    emit('duplicated', 'jobId', id)
  else
    local timestamp, delay, priority = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
    store(id, ARGV[at + 1], ARGV[at + 3], ARGV[at + 4], timestamp, delay, priority)
    enqueue(id, timestamp, delay, priority, ARGV[at + 7] == '1')
  end
  ids[#ids + 1] = id
end
return ids
