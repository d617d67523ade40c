/** The superuser that initdb makes can't be dropped. Most objects are its own: no list of roles is searched for them. */
const bootstrapSuperuser = 10;
/** Neither can pg_catalog be dropped, where most objects are. */
const pgCatalog = 11;

const catalogs = [
  ['pg_class', 'rel'],
  ['pg_proc', 'pro'],
  ['pg_type', 'typ'],
  ['pg_operator', 'opr'],
  ['pg_ts_config', 'cfg'],
  ['pg_ts_dict', 'dict'],
  ['pg_collation', 'coll'],
] as const;

/**
 * An object whose owner or schema is gone, or one of a user in a schema of the system's. Three hazards are looked for among them, and to read these catalogs
 * once takes less time.
 */
export const orphanedObjects = `SELECT 1 FROM (
  ${catalogs.map(([catalog, prefix]) => `SELECT oid, ${prefix}owner, ${prefix}namespace FROM ${catalog}`).join('\n  UNION ALL ')}) AS objects(oid, owner, namespace)
WHERE (owner <> ${String(bootstrapSuperuser)} AND owner NOT IN (SELECT oid FROM pg_roles))
  OR (namespace <> ${String(pgCatalog)} AND namespace NOT IN (SELECT oid FROM pg_namespace))
  OR (oid >= 16384 AND namespace IN (${String(pgCatalog)}, (SELECT to_regnamespace('information_schema')::oid)))
UNION ALL SELECT 1 FROM pg_class WHERE relkind = 'r' AND relnamespace = 'pg_toast'::regnamespace
UNION ALL SELECT 1 FROM pg_namespace WHERE nspname = 'binary_upgrade' OR (nspowner <> ${String(bootstrapSuperuser)} AND nspowner NOT IN (SELECT oid FROM pg_roles))`;
