-- The key of the set or list a job is in, '' when in none. ARGV: 3 id
for _, set in ipairs({ 'completed', 'failed', 'delayed', 'prioritized', 'waiting-children' }) do
  if call('ZSCORE', base .. set, ARGV[3]) then return set end
end
for _, list in ipairs({ 'active', 'wait', 'paused' }) do
  if call('LPOS', base .. list, ARGV[3]) then return list end
end
return ''
