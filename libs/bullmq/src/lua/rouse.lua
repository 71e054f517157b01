-- Wakes another worker if there is work: called by a worker that leaves and may have swallowed a marker.
if has_work() then
  local _, closed = gate()
  if not closed then wake() end
end
mark_delayed()
return 0
