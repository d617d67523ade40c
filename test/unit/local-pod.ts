// Commands for the server's pod, on this machine.
import { spawnSync } from 'node:child_process';
import type { Database } from '../../src/database/database.ts';

/**
 * @param as a program and its arguments that run each command, for another user
 * @param programs a directory whose programs come before all others
 */
export function localPod(as: readonly string[] = [], programs?: string): Database {
  const path = process.env['PATH'] ?? '';
  const env = { ...process.env, PATH: programs === undefined ? path : `${programs}:${path}` };
  const command = (words: readonly string[]) => {
    const [program = '', ...args] = [...as, ...words];
    const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', env });
    return Promise.resolve({ stdout, stderr, exitCode: status ?? 1 });
  };
  return { command, look: command } as Pick<Database, 'command' | 'look'> as Database;
}
