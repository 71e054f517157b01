-- Sets one field of a job that exists. ARGV: 3 id, 4 'data' or 'progress', 5 JSON
if not field(ARGV[3], 'name') then return -1 end
call('HSET', base .. ARGV[3], ARGV[4], ARGV[5])
if ARGV[4] == 'progress' then emit('progress', 'jobId', ARGV[3], 'data', ARGV[5]) end
return 0
