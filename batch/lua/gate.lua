-- gate: what a gate answered on a worker. It stands until the worker says otherwise, or leaves.
--
-- ARGV     2 worker id, 3 batch number, 4 hash of the gate, 5 'qualify' or 'refuse', 6 why (for people)
-- returns  the answer of prelude.lua
-- leaves   the hash in the worker's passed or refused; the batch as it is: settle hands back what was refused
-- errors   UNKNOWN

local id, number, gate, kind = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local worker = worker_of(id)
if not worker then return not_joined(id) end
local passed, refused = from_lines(worker.passed), from_lines(worker.refused)
local said = kind == 'qualify' and passed or refused
if worker.batch ~= number or worker.gate ~= gate or said[gate] then return answer(worker) end

passed[gate], refused[gate] = nil, nil
said[gate] = true
worker.passed, worker.refused = to_lines(passed), to_lines(refused)
save_worker(id, worker)
journal(kind, 'worker', id, 'batch', number, 'gate', label_of(gate), 'text', ARGV[6])
return answer(worker)
