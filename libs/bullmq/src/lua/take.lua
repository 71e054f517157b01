-- ARGV: 3 token, 4 lock ms, 5 limit max or '', 6 limit ms or '', 7 worker's name or ''
return take_next(ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7])
