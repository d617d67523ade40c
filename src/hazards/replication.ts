import { isBackgroundWorker } from '../database/clients.ts';
import type { Hazard } from './hazard.ts';

export const replicationHazards: readonly Hazard[] = [
  {
    id: 'standbys',
    title: 'Attached standbys and WAL receivers',
    expected: 'No standby or WAL receiver is attached',
    why: "The new cluster has another system identifier. A standby of PostgreSQL 12 can't follow it, and has to be rebuilt.",
    severity: 'warning',
    shows: 'never',
    advice: 'Plan to rebuild the standbys from PostgreSQL 14, and stop them before the upgrade.',
    server: `
SELECT coalesce(nullif(application_name, ''), 'unnamed'), format('streams from here to %s', coalesce(host(client_addr), 'the same machine')), '' FROM pg_stat_replication`,
  },
  {
    id: 'subscriptions',
    title: 'Subscriptions of logical replication',
    expected: 'The server has no subscription',
    why: 'A subscription is disabled after the upgrade, and has lost its position.',
    severity: 'warning',
    shows: 'never',
    advice:
      "To keep it, drop nothing. Somebody who knows replication has to go on after the upgrade: ALTER SUBSCRIPTION … ENABLE, then REFRESH PUBLICATION WITH (copy_data = false), once you know which changes it missed. The commands drop it for good. Have its slot dropped at the publisher, too: until then WAL fills the publisher's disk.",
    server: `
SELECT format('subscription %I', subname), format('in database %I', datname), format(E'\\\\connect %I\\nALTER SUBSCRIPTION %I DISABLE;\\nALTER SUBSCRIPTION %I SET (slot_name = NONE);\\nDROP SUBSCRIPTION %I;', datname, subname, subname, subname) FROM pg_subscription JOIN pg_database d ON d.oid = subdbid`,
  },
  {
    id: 'publications',
    title: 'Publications of logical replication',
    expected: 'The server has no publication',
    why: 'The upgrade keeps publications, but not the slots of their subscribers, so that the subscribers stop.',
    severity: 'warning',
    shows: 'never',
    advice:
      'Plan to create the slots again, and to copy the data again, at the subscribers. If the publication has no subscriber, drop it with the command.',
    database: `SELECT format('publication %I', pubname), 'is kept, the slots of its subscribers are not', format('DROP PUBLICATION %I;', pubname) FROM pg_publication`,
  },
  {
    id: 'archiving',
    title: 'Archiving of the WAL',
    expected: 'WAL is not archived',
    why: 'The new cluster begins another history. Its WAL would overwrite that of PostgreSQL 12 in the archive, or be refused there. You can restore to a point in time only from the first base backup of PostgreSQL 14 on.',
    severity: 'warning',
    shows: 'never',
    advice:
      'Give archive_command another place before the first start of PostgreSQL 14, and take a base backup right after it.',
    server: `SELECT 'archive_command', 'is set, and archive_mode is ' || current_setting('archive_mode'), '' WHERE current_setting('archive_mode') <> 'off' AND current_setting('archive_command') NOT IN ('', '(disabled)')`,
  },
  {
    id: 'long-transactions',
    title: 'Long transactions',
    expected: 'No transaction is open for long',
    why: 'A long transaction holds up vacuum now, and is aborted when the server is stopped. The check prepared-transactions looks for prepared ones.',
    severity: 'warning',
    shows: 'never',
    advice: 'End it in its application before the upgrade, or end its session.',
    server: `
SELECT format('process %s', pid), format('%s, user %s, database %s, open since %s', coalesce(nullif(application_name, ''), 'unnamed'), usename, datname, xact_start), format('SELECT pg_terminate_backend(%s);', pid)
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND (xact_start < clock_timestamp() - interval '10 minutes' OR age(backend_xmin) > 100000)`,
  },
  {
    id: 'background-workers',
    title: 'Background workers of extensions',
    expected: 'No extension runs a background worker',
    why: 'A library in shared_preload_libraries may run background workers in the server, such as those of pg_partman and pg_cron. They need no client, so they also write while the applications are stopped. pg_upgrade keeps what they write. But if they write between the measurement and the comparison, the data differs, and the action restores PostgreSQL 12. A worker that runs only now and then may be missed.',
    severity: 'warning',
    shows: 'upgrade',
    advice:
      "Pause these workers until the upgrade is done, by the settings of their extension. Or take their library out of shared_preload_libraries for that time, in the chart's values. A worker that will not write in the downtime needs nothing.",
    server: `
SELECT backend_type, format('%s; shared_preload_libraries: %s', coalesce('database ' || datname, 'no database of its own'), current_setting('shared_preload_libraries')), ''
FROM pg_stat_activity WHERE ${isBackgroundWorker} GROUP BY backend_type, datname ORDER BY backend_type, datname`,
  },
];
