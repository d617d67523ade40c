// A role that tells where its code runs with more rights than it has, and what it does while a session of ours waits for its lock.
import { spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import type { Server } from '../hazards/server.ts';
import { hostileDatabase, hostileMark, hostileRole } from './hostile-role.ts';

/** Code that tells the log where it runs with a superuser's rights; the second is computed by the planner. */
export const evil = `
CREATE FUNCTION public.evil() RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN
  IF current_setting('is_superuser') = 'on' THEN RAISE LOG '${hostileMark} ran as %', current_user; END IF; RETURN true; END $f$;
CREATE FUNCTION public.evil_constant(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.evil(); RETURN 1; END $f$;`;

/** Made when a session of ours has looked. */
const lookedRole = 'has_looked';

/** Until a session waits for the relation, or has looked without waiting (`hasLooked`); a minute at most. */
export const untilAwaited = (oid: string) =>
  `DO $$ BEGIN FOR i IN 1..3000 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = ${oid}) OR EXISTS (SELECT FROM pg_roles WHERE rolname = '${lookedRole}'); PERFORM pg_sleep(0.02); END LOOP; END $$;`;

/** Lets the role go on when what we do has ended, or waits in the role's database: for a lock, or before it looks again. */
export async function hasLooked(server: Server, ours: Promise<unknown>): Promise<void> {
  const sql = `SELECT count(*) FROM pg_stat_activity WHERE usename = 'postgres' AND datname = '${hostileDatabase}' AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep');`;
  const over = ours.then(
    () => true,
    () => true,
  );
  while (server.sql('template1', sql).trim() === '0') if (await Promise.race([over, setTimeout(20, false)])) break;
  server.sql('template1', `CREATE ROLE ${lookedRole};`);
}

/** Before the next race. */
export function nobodyHasLooked(server: Server): void {
  server.sql('template1', `DROP ROLE IF EXISTS ${lookedRole};`);
}

/** Until the role holds what it has locked, and waits. */
export async function untilItWaits(server: Server): Promise<void> {
  const sql = `SELECT count(*) FROM pg_stat_activity WHERE usename = '${hostileRole}' AND wait_event = 'PgSleep';`;
  const end = Date.now() + 20_000;
  while (server.sql('template1', sql).trim() !== '1') {
    if (Date.now() > end) throw new Error('the role never came to wait');
    await setTimeout(20);
  }
}

/** Begins a script as the role in its database; the result ends when the script has. */
export function begin(server: Server, script: string): Promise<string> {
  const child = spawn('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', hostileRole, '-d', hostileDatabase, '-f', '-'], {
    env: server.environment,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.end(script);
  return new Promise((resolve) =>
    child.on('close', () => {
      resolve(output);
    }),
  );
}

/** Each time that the code ran so. */
export const harm = (server: Server) =>
  readFileSync(server.logFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`LOG:  ${hostileMark} `));
