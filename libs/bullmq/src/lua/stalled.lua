-- One round of the search for jobs whose worker died: what was active in the last round and has no lock now goes back to the line.
-- ARGV: 3 stalls allowed, 4 least ms between two rounds by any worker. The answer lists the ids that went back.
if not call('SET', base .. 'stalled-check', now, 'PX', ARGV[4], 'NX') then return {} end
local back = {}
for _, id in ipairs(call('SMEMBERS', base .. 'stalled')) do
  call('SREM', base .. 'stalled', id)
  if call('EXISTS', base .. id .. ':lock') == 0 and call('LREM', base .. 'active', 1, id) > 0 and field(id, 'name') then
    local times = bump(id, 'stc')
    local scheduler = field(id, 'rjk')
    local repeats = scheduler and call('ZSCORE', base .. 'repeat', scheduler)
    if times > tonumber(ARGV[3]) and not repeats then
      call('HSET', base .. id, 'defa', 'job stalled more than allowable limit')
    end
    push(id, 0, true)
    emit('waiting', 'jobId', id, 'prev', 'active')
    emit('stalled', 'jobId', id)
    back[#back + 1] = id
  end
end
for _, id in ipairs(call('LRANGE', base .. 'active', 0, -1)) do call('SADD', base .. 'stalled', id) end
return back
