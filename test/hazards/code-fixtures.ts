import type { Fixture } from './fixture.ts';

const database = (
  check: string,
  fails: string,
  evidence: RegExp,
  more: Omit<Fixture, 'check' | 'where' | 'fails' | 'evidence'> = {},
): Fixture => ({ check, where: 'database', fails, evidence, ...more });

/** CHECKs of domains as people write them, with the type. */
const plainChecks = [
  ['int', 'VALUE > 0'],
  ['int', 'VALUE BETWEEN 1 AND 65535 AND VALUE NOT IN (22, 80)'],
  ['int', 'length(VALUE::text) = 9'],
  ['int', 'VALUE IS NOT NULL AND (VALUE % 2 = 0) IS TRUE'],
  ['int[]', 'array_length(VALUE, 1) <= 3 AND 0 <> ALL (VALUE) AND VALUE[1] > 0'],
  ['text', "VALUE ~ '^[^@]+@[^@]+$' AND VALUE !~* '\\s'"],
  ['text', "length(VALUE) < 64 AND char_length(trim(VALUE)) > 0 AND VALUE LIKE 'a%' AND position('-' in VALUE) = 0"],
  ['text', "VALUE SIMILAR TO '[a-z]+'"],
  ['text', "VALUE IN ('queued', 'running')"],
  ['text', 'lower(VALUE) = VALUE'],
  ['text', 'VALUE <> \'\' COLLATE "C"'],
  ['text', "coalesce(nullif(VALUE, ''), 'x') <> ALL ('{a,b}'::text[])"],
  ['varchar(20)', "VALUE IN ('queued', 'running')"],
  ['varchar', "VALUE::text ~ '^v[0-9]+$'"],
  ['char(2)', 'upper(VALUE) = VALUE'],
  ['numeric(10,2)', 'VALUE >= 0 AND round(VALUE, 2) = VALUE AND greatest(VALUE, 1) < 1e9'],
  ['date', "VALUE > '2000-01-01' AND VALUE <= CURRENT_DATE AND extract(dow FROM VALUE) = 1"],
  ['timestamptz', 'VALUE <= now()'],
  ['interval', "VALUE >= '0'::interval"],
  ['uuid', "VALUE <> '00000000-0000-0000-0000-000000000000'"],
  ['jsonb', "jsonb_typeof(VALUE) = 'object' AND VALUE ? 'id' AND (VALUE ->> 'id')::int > 0"],
  ['inet', 'family(VALUE) = 4'],
  ['tstzrange', 'NOT isempty(VALUE) AND lower(VALUE) IS NOT NULL'],
  ['citext', "VALUE ~ '^[^@]+@[^@]+$' AND VALUE <> 'root@localhost'"],
  ['hstore', "VALUE ? 'id'"],
  ['mood', "VALUE <> 'sad' AND VALUE IN ('glad', 'mad')"],
  ['plain_1', 'VALUE < 100 AND CASE VALUE WHEN 7 THEN false ELSE true END'],
  ['pair', '(VALUE).a > (VALUE).b'],
] as const;

const plainDomains = `CREATE TYPE mood AS ENUM ('sad', 'glad', 'mad'); CREATE TYPE pair AS (a int, b int);
${plainChecks.map(([type, check], index) => `CREATE DOMAIN plain_${String(index + 1)} AS ${type} CHECK (${check});`).join('\n')}
CREATE TABLE of_domain (a plain_1 DEFAULT 1, b plain_9 DEFAULT 'queued', c plain_1[] DEFAULT '{1}'); INSERT INTO of_domain VALUES (1);`;

export const codeFixtures: readonly Fixture[] = [
  database(
    'restored-code',
    `CREATE ROLE mallory; GRANT CREATE ON SCHEMA public TO mallory; SET ROLE mallory;
CREATE FUNCTION accepts(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END'; CREATE DOMAIN accepted AS text CHECK (accepts(VALUE));
CREATE FUNCTION add(accepted, text) RETURNS accepted LANGUAGE sql AS 'SELECT $1'; CREATE AGGREGATE adds(text) (SFUNC = add, STYPE = accepted, INITCOND = '-');
CREATE FUNCTION one(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE TABLE parent (a int, CHECK (a > one(1))); CREATE TABLE child () INHERITS (parent); CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE keyed (a int PRIMARY KEY); CREATE TABLE referring (a int REFERENCES keyed); CREATE INDEX computed ON referring ((a + one(1)));`,
    /type public\.accepted: of role mallory: its constraint accepted_check calls public\.accepts\(text\) of role mallory/,
    {
      passes: `CREATE ROLE alice; GRANT CREATE ON SCHEMA public TO alice; SET ROLE alice; CREATE FUNCTION "Of alice"(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
${plainDomains}
CREATE TABLE plainly_checked (a int CHECK (a > "Of alice"(1)), b int GENERATED ALWAYS AS ("Of alice"(a)) STORED); CREATE INDEX ON plainly_checked (("Of alice"(a)));
CREATE TABLE of_parent (a int CHECK ("Of alice"(a) > 0)); CREATE TABLE of_child () INHERITS (of_parent); CREATE VIEW of_view AS SELECT "Of alice"(1);
CREATE TABLE by_key (a int) PARTITION BY RANGE ("Of alice"(a)); CREATE TABLE by_key_1 PARTITION OF by_key FOR VALUES FROM (1) TO (2); RESET ROLE;
CREATE FUNCTION is_fine(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; CREATE DOMAIN of_superuser AS int CHECK (is_fine(VALUE));`,
    },
  ),
  database(
    'index-functions',
    `CREATE TABLE allowed_words (w text); CREATE FUNCTION is_allowed(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN EXISTS (SELECT FROM allowed_words WHERE w = $1); END $$;
CREATE TABLE said (w text); CREATE INDEX said_i ON said (w) WHERE is_allowed(w);`,
    /index public\.said_i: public\.is_allowed\(text\) names the relation allowed_words without a schema/,
    {
      passes: `CREATE TABLE known_words (w text); CREATE FUNCTION is_known(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE SET search_path = public AS $$ BEGIN RETURN EXISTS (SELECT FROM known_words WHERE w = $1); END $$;
CREATE FUNCTION in_words(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN /* is_known( */ RETURN public.is_known($1) AND length($1 || 'is_known(') > 0; -- is_known(
END $$; CREATE TABLE heard (w text); CREATE INDEX ON heard (in_words(w)); CREATE INDEX ON heard (w) WHERE is_known(w);
CREATE FUNCTION unindexed(text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN is_known($1); END $$;`,
    },
  ),
];
