// A role that tells where its code runs with more rights than it has, and what it does while a session of ours waits for its lock.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Server } from '../hazards/server.ts';
import { hostileDatabase, hostileMark, hostileRole } from './hostile-role.ts';

/** Code that tells the log where it runs with a superuser's rights; the second is computed by the planner. */
export const evil = `
CREATE FUNCTION public.evil() RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN
  IF current_setting('is_superuser') = 'on' THEN RAISE LOG '${hostileMark} ran as %', current_user; END IF; RETURN true; END $f$;
CREATE FUNCTION public.evil_constant(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.evil(); RETURN 1; END $f$;`;

/** Until a session waits for the relation, or three seconds: whoever looks without waiting has looked by then. */
export const untilAwaited = (oid: string) =>
  `DO $$ BEGIN FOR i IN 1..150 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = ${oid}); PERFORM pg_sleep(0.02); END LOOP; END $$;`;

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
