/**
 * Flow events and losses. Numbers stand for the words of code.ts; `word` holds the names that a policy or the
 * host gives (rules, zones and scopes, interfaces). Addresses are 4 or 16 bytes.
 */
export const EVENTS_0001 = `
CREATE TABLE word (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE flow (
  id INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  verdict INTEGER NOT NULL,
  observed INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  place INTEGER NOT NULL,
  rule INTEGER,
  protocol INTEGER NOT NULL,
  source BLOB NOT NULL,
  destination BLOB NOT NULL,
  source_port INTEGER,
  destination_port INTEGER,
  icmp_type INTEGER,
  tcp_flags INTEGER,
  bytes INTEGER NOT NULL,
  interface_in INTEGER,
  interface_out INTEGER,
  uid INTEGER,
  gid INTEGER
) STRICT;
CREATE INDEX flow_by_time ON flow (time_ms);
-- Accepted events are most of them and need no second index. A query must repeat the condition to use it.
CREATE INDEX flow_by_denial ON flow (verdict, time_ms) WHERE verdict > 0;

CREATE TABLE loss (
  id INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  cause INTEGER NOT NULL,
  count INTEGER
) STRICT;
CREATE INDEX loss_by_time ON loss (time_ms);
`;
