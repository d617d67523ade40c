-- What pg_partman has, as far as an upgrade is concerned: tables of its own with rows of users, and functions without C.
CREATE TABLE part_config (parent_table text PRIMARY KEY, retention interval);
SELECT pg_catalog.pg_extension_config_dump('part_config', '');
CREATE TABLE runs (at timestamptz NOT NULL DEFAULT now());
SELECT pg_catalog.pg_extension_config_dump('runs', '');
CREATE FUNCTION run_maintenance() RETURNS void LANGUAGE sql AS 'INSERT INTO @extschema@.runs DEFAULT VALUES';
CREATE FUNCTION create_trigger_parent() RETURNS text LANGUAGE sql AS 'SELECT text ''by triggers''';
