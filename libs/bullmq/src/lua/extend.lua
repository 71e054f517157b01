-- Renews locks. ARGV: 3 lock ms, then id and token a job. The answer lists the ids whose lock was lost.
local lost = {}
for at = 4, #ARGV, 2 do
  local key = base .. ARGV[at] .. ':lock'
  if call('GET', key) == ARGV[at + 1] then
    call('PEXPIRE', key, ARGV[3])
    call('SREM', base .. 'stalled', ARGV[at])
  else
    lost[#lost + 1] = ARGV[at]
  end
end
return lost
