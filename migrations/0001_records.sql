-- The audit chain. Append-only: the hash of each record covers all its columns and the hash of the
-- record before it (server/ledger/record.h says how).
CREATE TABLE records (
	idx INTEGER PRIMARY KEY, -- from 0 without a gap
	time_ms INTEGER NOT NULL, -- wall clock, Unix milliseconds
	kind TEXT NOT NULL,
	execution_id TEXT NOT NULL, -- '' where it does not apply, as below
	tenant TEXT NOT NULL,
	principal TEXT NOT NULL,
	body BLOB NOT NULL, -- JSON, hashed as it is stored
	prev_hash BLOB NOT NULL,
	hash BLOB NOT NULL
) STRICT;

CREATE INDEX records_by_execution ON records (execution_id) WHERE execution_id <> '';

CREATE TRIGGER records_refuse_update BEFORE UPDATE ON records
BEGIN
	SELECT RAISE(ABORT, 'records are append-only');
END;

CREATE TRIGGER records_refuse_delete BEFORE DELETE ON records
BEGIN
	SELECT RAISE(ABORT, 'records are append-only');
END;
