// Databases with tables, for a precheck to look at.
import { psql } from '../../test/cluster/bench.ts';

const model = 'bench_model';

/** Leaves the server with this many databases of the benchmark, each with this many tables, and no other ones of it. */
export function fill(namespace: string, databases: number, tables: number): void {
  const run = (database: string, sql: string) => psql(namespace, database, sql);
  const earlier = run('postgres', `SELECT datname FROM pg_database WHERE datname LIKE 'bench\\_%'`);
  for (const name of earlier.split('\n').filter(Boolean)) run('postgres', `DROP DATABASE ${name}`);
  run('postgres', `CREATE DATABASE ${model}`);
  // A transaction for each hundred: every table takes locks until its end.
  run(
    model,
    `DO $$ BEGIN
       FOR n IN 1..${String(tables)} LOOP
         EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, name text, at timestamptz DEFAULT now())', n);
         EXECUTE format('CREATE INDEX ON t%s (name)', n);
         IF n % 100 = 0 THEN COMMIT; END IF;
       END LOOP;
     END $$`,
  );
  for (let n = 2; n <= databases; n++) run('postgres', `CREATE DATABASE bench_${String(n)} TEMPLATE ${model}`);
  run('postgres', 'CHECKPOINT');
}
