// Domains whose CHECK is not known to be harmless, whoever would run it.
// Decision: docs/decisions/0028-users-code.md

/** What a CHECK may consist of: nothing in these runs code by itself. All other kinds of nodes are named. As PostgreSQL 12 writes them (outfuncs.c). */
const plainNodes = [
  'ARRAY',
  'ARRAYCOERCEEXPR',
  'BOOLEANTEST',
  'BOOLEXPR',
  'CASE',
  'CASETESTEXPR',
  'COALESCE',
  'COERCETODOMAINVALUE',
  'COERCEVIAIO',
  'COLLATE',
  'CONST',
  'DISTINCTEXPR',
  'FIELDSELECT',
  'FUNCEXPR',
  'MINMAX',
  'NULLIFEXPR',
  'NULLTEST',
  'OPEXPR',
  'RELABELTYPE',
  'SCALARARRAYOPEXPR',
  'SQLVALUEFUNCTION',
  'SUBSCRIPTINGREF',
  'WHEN',
];

/**
 * Whether a function `p` is one that only computes: PostgreSQL's own or an extension's, of a superuser, immutable (each of those that take SQL, call casts or
 * read relations is volatile or stable) and strict (satisfies_hash_partition is not, and opens a table). Besides `SIMILAR TO` and now().
 */
const isPlainFunction = `(p.oid IS NOT NULL AND fn_owner.rolsuper
  AND (p.oid < 16384 OR p.prolang IN (12, 13) OR EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e'))
  AND (p.provolatile = 'i' AND (p.proisstrict OR p.oid = 'similar_escape(text,text)'::regprocedure) OR p.oid = 'now()'::regprocedure))`;

/**
 * Whether the text of a type `t` (element type `e` of an array) is read without anything of users: not so a composite type, a range or a domain of users, or
 * an array of these, since they may have a domain in them.
 */
const isPlainType = `(t.oid IS NOT NULL AND (coalesce(e.oid, t.oid) < 16384 OR coalesce(e.typtype, t.typtype) = 'e' OR (coalesce(e.typtype, t.typtype) = 'b' AND coalesce(e.typelem, t.typelem) = 0)))`;

/** SELECT of whether there is any domain with a CHECK. */
export const anyDomainCheck = "SELECT 1 FROM pg_constraint WHERE contypid >= 16384 AND contype = 'c'";

/**
 * Common table expressions, beside `unprivilegedCode`: `domain_checks(con, what)`, the CHECKs of domains that a restore must not meet, with
 * what each of them may run. The domain belongs to a role that is no superuser and its CHECK has anything but what is plain; or, whoever owns it, it calls
 * a function of such a role. Where values of a domain are read (initial values, bounds, missing values, constants in arrays and rows, casts in other
 * CHECKs, …) is not asked: the places are too many to name, and pg_depend does not have all of them.
 */
export const domainChecks = `
domains AS MATERIALIZED (
  SELECT n.oid AS con, n.conbin::text AS tree, coalesce(rolsuper, false) AS trusted FROM pg_constraint n JOIN pg_type t ON t.oid = n.contypid LEFT JOIN pg_roles r ON r.oid = t.typowner
  WHERE n.contype = 'c' AND n.contypid >= 16384),
called(con, fn) AS (
  SELECT con, CASE m[1] WHEN 'funcid' THEN m[2]::oid ELSE (SELECT oprcode FROM pg_operator WHERE oid = m[2]::oid)::oid END
  FROM domains, regexp_matches(tree, ':(funcid|opno) ([0-9]+) ', 'g') m WHERE NOT trusted),
read(con, type) AS (
  SELECT con, m[1]::oid FROM domains, regexp_matches(tree, ':(?:consttype|resulttype) ([0-9]+) ', 'g') m WHERE NOT trusted),
domain_checks(con, what) AS (
  SELECT con, coalesce(format('calls %s of role %I', p.oid::regprocedure, fn_owner.rolname), 'calls a function that was dropped')
    FROM called c LEFT JOIN pg_proc p ON p.oid = c.fn LEFT JOIN pg_roles fn_owner ON fn_owner.oid = p.proowner WHERE NOT coalesce(${isPlainFunction}, false)
  UNION SELECT con, coalesce('reads a value of type ' || t.oid::regtype, 'reads a value of a type that was dropped')
    FROM read r LEFT JOIN pg_type t ON t.oid = r.type LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typlen = -1 WHERE NOT coalesce(${isPlainType}, false)
  UNION SELECT con, 'has an expression of kind ' || m[1] FROM domains, regexp_matches(tree, '\\{([A-Z]+)[ }]', 'g') m WHERE NOT trusted AND m[1] <> ALL ('{${plainNodes.join()}}')
  UNION SELECT objid, format('calls %s of role %I', p.oid::regprocedure, rolname)
    FROM callers c JOIN domains d ON c.classid = 'pg_constraint'::regclass AND d.con = c.objid JOIN pg_proc p ON p.oid = c.fn JOIN pg_roles r ON r.oid = p.proowner)`;
