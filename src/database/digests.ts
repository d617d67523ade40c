// Whether a server is the one that was rehearsed: digests of what decides how pg_upgrade goes, which a copy of the volume has too.
// Decision: docs/decisions/0034-rehearsal.md
import { z } from 'zod';
import { quoted } from './obstacles.ts';
import type { Question } from './questions.ts';
import type { Rows } from './script.ts';

/** A catalog: by which column a row is a user's, and what changes in it without a change of the schema. */
interface Catalog {
  readonly by?: string;
  readonly without?: readonly string[];
  /** The column with the namespace of what it describes. */
  readonly namespace?: string;
  /** The column with the relation to which it belongs. */
  readonly relation?: string;
  /** The column with what may be an index: REINDEX CONCURRENTLY makes another one of the same name. */
  readonly index?: string;
}

/** A copy has the same OIDs. */
const catalogs: Readonly<Record<string, Catalog>> = {
  pg_class: {
    namespace: 'relnamespace',
    index: 'oid',
    without: [
      ...['relpages', 'reltuples', 'relallvisible', 'relfrozenxid', 'relminmxid', 'relfilenode'],
      // VACUUM clears them later than what they tell of.
      ...['relhasindex', 'relhasrules', 'relhastriggers', 'relhassubclass'],
      // REFRESH MATERIALIZED VIEW makes another one.
      'reltoastrelid',
    ],
  },
  // A rewrite of the table clears what is without.
  pg_attribute: {
    ...{ by: 'attrelid', relation: 'attrelid', index: 'attrelid' },
    without: ['atthasmissing', 'attmissingval'],
  },
  pg_index: { by: 'indexrelid', relation: 'indexrelid', index: 'indexrelid', without: ['indcheckxmin'] },
  pg_inherits: { by: 'inhrelid', relation: 'inhrelid', index: 'inhrelid' },
  pg_partitioned_table: { by: 'partrelid', relation: 'partrelid' },
  pg_aggregate: { by: 'aggfnoid' },
  pg_range: { by: 'rngtypid' },
  pg_foreign_table: { by: 'ftrelid' },
  pg_attrdef: { relation: 'adrelid' },
  pg_sequence: { by: 'seqrelid', relation: 'seqrelid' },
  pg_publication_rel: { relation: 'prrelid' },
  pg_ts_config_map: { by: 'mapcfg' },
  // A digest could be used to try out the passwords in it.
  pg_user_mapping: { without: ['umoptions'] },
  pg_policy: { relation: 'polrelid' },
  pg_rewrite: { relation: 'ev_class' },
  // As for the foreign key whose trigger it is.
  pg_trigger: { relation: 'tgrelid', without: ['tgconstrindid'] },
  // The index of a key has the name of the key, and a foreign key follows from its columns.
  pg_constraint: { namespace: 'connamespace', without: ['conindid'] },
  pg_namespace: { namespace: 'oid' },
  pg_proc: { namespace: 'pronamespace' },
  pg_statistic_ext: { namespace: 'stxnamespace' },
  pg_type: { namespace: 'typnamespace' },
  ...Object.fromEntries(
    [
      ...['pg_amop', 'pg_amproc', 'pg_cast', 'pg_collation', 'pg_conversion', 'pg_default_acl', 'pg_enum'],
      'pg_event_trigger',
      ...['pg_extension', 'pg_foreign_data_wrapper', 'pg_foreign_server', 'pg_language', 'pg_opclass', 'pg_operator'],
      ...['pg_opfamily', 'pg_publication', 'pg_transform', 'pg_ts_config', 'pg_ts_dict', 'pg_ts_parser'],
      'pg_ts_template',
    ].map((name) => [name, {}]),
  ),
};

/** Temporary objects come and go with their sessions, and a copy has those of the moment of its snapshot. TOAST tables follow from the tables. */
const passing = "SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname ~ '^pg_(toast$|temp_|toast_temp_)'";

/** In the place of its OID, where it is an index. */
function nameOfIndex(column: string): string {
  return `coalesce((SELECT jsonb_build_object(${quoted(column)}, to_jsonb(ARRAY[i.relnamespace::text, i.relname::text])) FROM pg_catalog.pg_class i
WHERE i.oid = t.${column} AND i.relkind = 'i'), '{}')`;
}

function digestOf([name, { by = 'oid', without = [], namespace, relation, index }]: readonly [
  string,
  Catalog,
]): string {
  const kept = `to_jsonb(t) - ARRAY[${without.map(quoted).join(', ')}]::text[]`;
  const row = index === undefined ? `(${kept})::text` : `((${kept}) || ${nameOfIndex(index)})::text`;
  const lasting = [
    ...(namespace === undefined ? [] : [` AND t.${namespace} NOT IN (${passing})`]),
    ...(relation === undefined
      ? []
      : [` AND t.${relation} NOT IN (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace IN (${passing}))`]),
  ];
  return `SELECT ${quoted(name)} AS name, md5(coalesce(string_agg(md5(${row}), '' ORDER BY md5(${row})), '')) AS digest
FROM pg_catalog.${name} t WHERE t.${by}::oid >= 16384${lasting.join('')}`;
}

/** Who was granted what of PostgreSQL's own objects, which pg_upgrade grants again: the column, by the catalog. */
const grants = {
  pg_class: 'relacl',
  pg_language: 'lanacl',
  pg_namespace: 'nspacl',
  pg_proc: 'proacl',
  pg_type: 'typacl',
} as const;

function digestOfGrants([name, column]: readonly [string, string]): string {
  const row = `md5(ROW(t.oid, t.${column})::text)`;
  return `SELECT ${quoted(`grants of ${name}`)}, md5(coalesce(string_agg(${row}, '' ORDER BY ${row}), ''))
FROM pg_catalog.${name} t WHERE t.oid < 16384 AND t.${column} IS NOT NULL`;
}

/** Rows of what all databases share, without passwords and without what VACUUM changes. */
const ofServer = [
  "SELECT 'role ' || (to_jsonb(t) - 'rolpassword')::text FROM pg_catalog.pg_roles t",
  "SELECT 'member ' || to_jsonb(t)::text FROM pg_catalog.pg_auth_members t",
  "SELECT 'database ' || (to_jsonb(t) - ARRAY['datfrozenxid', 'datminmxid'])::text FROM pg_catalog.pg_database t",
  "SELECT 'tablespace ' || to_jsonb(t)::text FROM pg_catalog.pg_tablespace t",
  "SELECT 'subscription ' || (to_jsonb(t) - 'subconninfo')::text FROM pg_catalog.pg_subscription t",
];

/** Settings that a rehearsal's server has of its own, and those that name what differs between two pods. */
const ofRehearsal = [
  ...['listen_addresses', 'archive_mode', 'archive_command', 'max_worker_processes', 'max_logical_replication_workers'],
  ...[
    'ssl',
    'ssl_cert_file',
    'ssl_key_file',
    'ssl_ca_file',
    'ssl_crl_file',
    'ssl_ciphers',
    'ssl_prefer_server_ciphers',
  ],
  ...['config_file', 'hba_file', 'ident_file', 'external_pid_file', 'cluster_name'],
];

/** By the files, since what the session itself has set hides what they say. */
const isCompared = `name NOT IN (${ofRehearsal.map(quoted).join(', ')})`;

/** Asked in each database: the digest of its schema, that of the server's settings and of what all databases share, and which server it is. */
export const digestsQuestion: Question = {
  id: 'digests',
  statements: [
    `SELECT json_build_object('schemaDigest', (SELECT md5(string_agg(name || digest, '' ORDER BY name)) FROM (
${[...Object.entries(catalogs).map(digestOf), ...Object.entries(grants).map(digestOfGrants)].join('\nUNION ALL ')}) AS of_catalogs),
'settingsDigest', (SELECT md5(coalesce(string_agg(line, chr(10) ORDER BY line COLLATE pg_catalog."C"), '')) FROM (
  SELECT name || '=' || setting AS line FROM pg_catalog.pg_file_settings WHERE ${isCompared}
  UNION ALL SELECT name || '=' || setting FROM pg_catalog.pg_settings WHERE source IN ('environment variable', 'command line') AND ${isCompared}
  UNION ALL SELECT to_jsonb(s)::text FROM pg_catalog.pg_db_role_setting s
  UNION ALL ${ofServer.join('\n  UNION ALL ')}) AS lines),
'systemIdentifier', (SELECT system_identifier::text FROM pg_catalog.pg_control_system()));`,
  ],
};

const md5 = z.string().regex(/^[0-9a-f]{32}$/);
const digestRow = z.object({
  schemaDigest: md5,
  settingsDigest: md5,
  /** As initdb made it; a copy of the volume has the same. */
  systemIdentifier: z.string().regex(/^\d{1,20}$/),
});

/** By database: what a rehearsal is valid for. */
export type Digests = Readonly<Record<string, z.infer<typeof digestRow>>>;

export const digests = z.record(z.string(), digestRow);

/** What the databases answered to `digestsQuestion`, among other rows; undefined where one did not. */
export function digestsIn(rows: Rows): Digests | undefined {
  const isDigest = (row: unknown) => typeof row === 'object' && row !== null && 'schemaDigest' in row;
  return digests.safeParse(Object.fromEntries([...rows].map(([name, of]) => [name, of.find(isDigest)]))).data;
}
