-- Accepted and not yet settled. A row left here by a crash is settled at the next start, so that
-- every accepted execution has its end on record.
CREATE TABLE open_executions (
	id TEXT PRIMARY KEY,
	tenant TEXT NOT NULL,
	principal TEXT NOT NULL,
	runtime TEXT NOT NULL,
	request_id TEXT NOT NULL,
	created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Answers that can be fetched again until they expire. Not part of the audit: what is recorded of
-- them for ever are their hashes. `members` comes last, so that looking at the other columns
-- never reads its pages.
CREATE TABLE executions (
	id TEXT PRIMARY KEY,
	tenant TEXT NOT NULL,
	expires_ms INTEGER NOT NULL,
	bytes INTEGER NOT NULL, -- what this row counts against the configured total
	runtime TEXT NOT NULL,
	request_id TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	status TEXT NOT NULL,
	limit_hit INTEGER NOT NULL,
	exit_code INTEGER NOT NULL, -- -1: none
	signal INTEGER NOT NULL, -- 0: none
	wall_us INTEGER NOT NULL,
	cpu_us INTEGER NOT NULL,
	memory_peak_bytes INTEGER NOT NULL,
	processes_peak INTEGER NOT NULL,
	receive_us INTEGER NOT NULL,
	validate_us INTEGER NOT NULL,
	queue_us INTEGER NOT NULL,
	start_us INTEGER NOT NULL,
	run_us INTEGER NOT NULL,
	collect_us INTEGER NOT NULL,
	canonicalize_us INTEGER NOT NULL,
	total_us INTEGER NOT NULL,
	layers INTEGER NOT NULL,
	landlock_abi INTEGER NOT NULL,
	cgroup_version INTEGER NOT NULL,
	record_index INTEGER NOT NULL,
	record_hash BLOB NOT NULL,
	members BLOB -- NULL: larger than what is kept
) STRICT;

CREATE INDEX executions_by_expiry ON executions (expires_ms, bytes);
