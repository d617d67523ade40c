import type { Fixture } from './fixture.ts';

const database = (
  check: string,
  fails: string,
  evidence: RegExp,
  more: Omit<Fixture, 'check' | 'where' | 'fails' | 'evidence'> = {},
): Fixture => ({ check, where: 'database', fails, evidence, ...more });

export const codeFixtures: readonly Fixture[] = [
  database(
    'restored-code',
    `CREATE ROLE mallory; GRANT CREATE ON SCHEMA public TO mallory; SET ROLE mallory;
CREATE FUNCTION accepts(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END'; CREATE DOMAIN accepted AS text CHECK (accepts(VALUE));
CREATE FUNCTION add(accepted, text) RETURNS accepted LANGUAGE sql AS 'SELECT $1'; CREATE AGGREGATE adds(text) (SFUNC = add, STYPE = accepted, INITCOND = '-');
CREATE FUNCTION one(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE TABLE parent (a int, CHECK (a > one(1))); CREATE TABLE child () INHERITS (parent); CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE keyed (a int PRIMARY KEY); CREATE TABLE referring (a int REFERENCES keyed); CREATE INDEX computed ON referring ((a + one(1)));`,
    /function public\.adds\(text\): the initial value is checked by public\.accepts\(text\) of role mallory/,
    {
      passes: `CREATE ROLE alice; GRANT CREATE ON SCHEMA public TO alice; SET ROLE alice; CREATE FUNCTION "Of alice"(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE DOMAIN by_alice AS int CHECK ("Of alice"(VALUE) > 0); CREATE TABLE of_domain (a by_alice DEFAULT 1); INSERT INTO of_domain VALUES (1);
CREATE TABLE plainly_checked (a int CHECK (a > "Of alice"(1)), b int GENERATED ALWAYS AS ("Of alice"(a)) STORED); CREATE INDEX ON plainly_checked (("Of alice"(a)));
CREATE TABLE of_parent (a int CHECK ("Of alice"(a) > 0)); CREATE TABLE of_child () INHERITS (of_parent); CREATE VIEW of_view AS SELECT "Of alice"(1), '1'::by_alice;
CREATE TABLE by_key (a int) PARTITION BY RANGE ("Of alice"(a)); CREATE TABLE by_key_1 PARTITION OF by_key FOR VALUES FROM (1) TO (2); RESET ROLE;`,
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
