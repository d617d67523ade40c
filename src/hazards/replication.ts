import type { Hazard } from './hazard.ts';

export const replicationHazards: readonly Hazard[] = [
  {
    id: 'standbys',
    title: 'Attached standbys and WAL receivers',
    expected: 'No standby or WAL receiver is attached',
    why: 'The new cluster has another system identifier: a standby of 12 can not follow it, and has to be built anew.',
    severity: 'warning',
    shows: 'never',
    advice: 'Plan to build the standbys anew from 14, and stop them before the upgrade.',
    server: `
SELECT coalesce(nullif(application_name, ''), 'unnamed'), format('streams from here to %s', coalesce(host(client_addr), 'the same machine')), '' FROM pg_stat_replication`,
  },
  {
    id: 'subscriptions',
    title: 'Subscriptions of logical replication',
    expected: 'There is no subscription',
    why: 'A subscription is disabled after the upgrade, and does not know any more how far it was.',
    severity: 'warning',
    shows: 'never',
    advice:
      'Keep it, and after the upgrade: ALTER SUBSCRIPTION ... ENABLE, then REFRESH PUBLICATION WITH (copy_data = false), once you know what was missed. Or drop it with the commands; its slot stays at the publisher, and holds up WAL there until it is dropped.',
    server: `
SELECT format('subscription %I', subname), format('in database %I', datname), format(E'\\\\connect %I\\nALTER SUBSCRIPTION %I DISABLE;\\nALTER SUBSCRIPTION %I SET (slot_name = NONE);\\nDROP SUBSCRIPTION %I;', datname, subname, subname, subname) FROM pg_subscription JOIN pg_database d ON d.oid = subdbid`,
  },
  {
    id: 'publications',
    title: 'Publications of logical replication',
    expected: 'There is no publication',
    why: 'Publications are kept, but the slots of their subscribers are not, so that the subscribers stop.',
    severity: 'warning',
    shows: 'never',
    advice:
      'Plan to make the slots again, and to copy the data again, at the subscribers; drop it with the command if it has none.',
    database: `SELECT format('publication %I', pubname), 'is kept, the slots of its subscribers are not', format('DROP PUBLICATION %I;', pubname) FROM pg_publication`,
  },
  {
    id: 'archiving',
    title: 'Archiving of the WAL',
    expected: 'WAL is not archived',
    why: "The new cluster begins another history: its WAL would overwrite or be refused beside that of 12, and restoring to a point in time begins with 14's first base backup.",
    severity: 'warning',
    shows: 'never',
    advice: 'Give archive_command another place before 14 serves, and take a base backup right after.',
    server: `SELECT 'archive_command', 'is set, and archive_mode is ' || current_setting('archive_mode'), '' WHERE current_setting('archive_mode') <> 'off' AND current_setting('archive_command') NOT IN ('', '(disabled)')`,
  },
  {
    id: 'long-transactions',
    title: 'Long transactions',
    expected: 'No transaction is open for long',
    why: 'It holds up vacuum now, and is aborted when the server is stopped. Prepared ones are asked for by a check of their own.',
    severity: 'warning',
    shows: 'never',
    advice: 'End it in its application before the upgrade, or end its session.',
    server: `
SELECT format('process %s', pid), format('%s, user %s, database %s, open since %s', coalesce(nullif(application_name, ''), 'unnamed'), usename, datname, xact_start), format('SELECT pg_terminate_backend(%s);', pid)
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND (xact_start < clock_timestamp() - interval '10 minutes' OR age(backend_xmin) > 100000)`,
  },
];
