/**
 * What retention and `status` have to know beyond the events. `flow.first` is 1 for the first event of a refusal, which
 * is kept apart from the mass; `first` knows them by a digest of what was refused; `share` counts the others by whom
 * they speak of; `tally` counts the lines of the kernel that were recorded, by the counter that counted them all.
 */
export const SHARES_0003 = `
ALTER TABLE flow ADD COLUMN first INTEGER;
CREATE INDEX flow_by_place ON flow (direction, place) WHERE first IS NULL;

CREATE TABLE first (
  key BLOB PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  place INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX first_by_time ON first (time_ms);

CREATE TABLE share (
  direction INTEGER NOT NULL,
  place INTEGER NOT NULL,
  flows INTEGER NOT NULL,
  PRIMARY KEY (direction, place)
) STRICT, WITHOUT ROWID;
INSERT INTO share (direction, place, flows) SELECT direction, place, count(*) FROM flow GROUP BY direction, place;

CREATE TABLE tally (
  counter TEXT NOT NULL,
  epoch TEXT NOT NULL,
  recorded INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (counter, epoch)
) STRICT, WITHOUT ROWID;
`;
