-- Joined after relations.lua by the scripts that remove jobs.
local function split(key)
  local id = string.match(key, '.*:(.*)')
  return string.sub(key, 1, #key - #id - 1), id
end

-- Frees the deduplication id that a job holds, and drops what was to follow it.
local function free_tag(id)
  local tag = field(id, 'deid')
  if tag and call('GET', base .. 'de:' .. tag) == id then call('DEL', base .. 'de:' .. tag, base .. 'dn:' .. tag) end
end

-- Takes a job that will not run out of what its parent waits for. A parent of the same queue that was left with nothing to
-- wait for goes too if `hard`; otherwise it is woken.
local unlink
unlink = function(id, hard)
  local queue, parent = parent_of(id)
  if not queue then return end
  local waits_for = queue .. ':' .. parent .. ':dependencies'
  if call('SREM', waits_for, base .. id) == 0 or call('SCARD', waits_for) > 0 then return end
  if not hard or queue .. ':' ~= base then return wake_parent(queue, parent) end
  if call('ZREM', base .. 'waiting-children', parent) == 1 then
    unlink(parent, true)
    free_tag(parent)
    forget(parent)
  end
end

-- Whether a job is the next one of a scheduler, which would stop for good without it.
local function is_next_iteration(id)
  local scheduler = field(id, 'rjk')
  local at = scheduler and call('ZSCORE', base .. 'repeat', scheduler)
  return at and id == 'repeat:' .. scheduler .. ':' .. at
end

local function discard(id)
  unlink(id, true)
  free_tag(id)
  forget(id)
end
