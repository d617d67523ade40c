import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Server } from './server.ts';

/** A hazard that lasts as long as a program runs. */
export interface LiveFixture {
  readonly check: string;
  readonly evidence: RegExp;
  /** Comes back when the hazard is there; the result ends it. */
  begin(server: Server): Promise<() => Promise<void>>;
}

async function until(server: Server, condition: string): Promise<void> {
  for (let attempt = 0; server.sql('postgres', `SELECT ${condition}`).trim() !== 't'; attempt++) {
    if (attempt > 100) throw new Error(`it never came to be: ${condition}`);
    await setTimeout(100);
  }
}

async function whileRunning(
  server: Server,
  program: string,
  args: readonly string[],
  input: string,
  there: string,
): Promise<() => Promise<void>> {
  const child = spawn(program, args, { env: server.environment, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.write(input);
  await until(server, there);
  return async () => {
    child.kill('SIGKILL');
    server.sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the fixture'`,
    );
    await until(server, `NOT ${there}`);
  };
}

export const standbyFixture: LiveFixture = {
  check: 'standbys',
  evidence: /the fixture: streams from here to the same machine/,
  begin: (server) =>
    whileRunning(
      server,
      'pg_receivewal',
      ['-D', server.installations.directoryOf('received'), '-d', "application_name='the fixture'", '-U', 'postgres'],
      '',
      "EXISTS (SELECT FROM pg_stat_replication WHERE application_name = 'the fixture')",
    ),
};

export const transactionFixture: LiveFixture = {
  check: 'long-transactions',
  evidence: /the fixture, user postgres, database postgres, open since/,
  async begin(server) {
    const end = await whileRunning(
      server,
      'psql',
      ['-Xq', '-U', 'postgres', '-d', "dbname=postgres application_name='the fixture'"],
      'BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT 1;\n',
      "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'the fixture' AND backend_xmin IS NOT NULL)",
    );
    // Each subtransaction that writes takes a number.
    server.sql(
      'postgres',
      `CREATE TABLE IF NOT EXISTS counted (a int);
DO $$ BEGIN FOR n IN 1..100001 LOOP BEGIN INSERT INTO counted VALUES (n); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$;`,
    );
    return end;
  },
};

/** That of the bench's extension; pg_prewarm's run too, and are none that count. */
export const backgroundWorkerFixture: LiveFixture = {
  check: 'background-workers',
  evidence:
    /^bench_partman background worker: database postgres; shared_preload_libraries: pg_prewarm, bench_partman_bgw$/,
  async begin(server) {
    const library = join(server.installations.directory, '12/lib/postgresql/bench_partman_bgw.so');
    const source = 'bench/images/server/bench_partman/worker.c';
    execFileSync('gcc', ['-shared', '-fPIC', '-DMAJOR=12', '-o', library, source], { stdio: 'pipe' });
    const preload = async (change: string, condition: string) => {
      server.sql('postgres', `ALTER SYSTEM ${change}`);
      server.stop();
      server.start();
      await until(server, condition);
    };
    await preload(
      'SET shared_preload_libraries = pg_prewarm, bench_partman_bgw',
      "EXISTS (SELECT FROM pg_stat_activity WHERE backend_type ~ '^bench_partman')",
    );
    return () => preload('RESET shared_preload_libraries', 'true');
  },
};

/** Somebody who holds the strongest lock on a relation; the result ends it. */
export async function lockFixture(server: Server, database: string, relation: string): Promise<() => Promise<void>> {
  return await whileRunning(
    server,
    'psql',
    ['-Xq', '-U', 'postgres', '-d', `dbname=${database} application_name='the fixture'`],
    `BEGIN;\nLOCK TABLE ${relation} IN ACCESS EXCLUSIVE MODE;\n`,
    `EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE application_name = 'the fixture' AND mode = 'AccessExclusiveLock' AND granted)`,
  );
}
