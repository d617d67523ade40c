// The application that writes: what it was told to be committed, against what the database has.
import { spawnSync } from 'node:child_process';
import { environment } from './bench.ts';

export interface WriterResult {
  readonly acknowledged: number;
  readonly found: number;
  readonly lost: readonly unknown[];
  readonly doubled: readonly unknown[];
  readonly unexpected: readonly unknown[];
}

/** Asks the writer itself; it exits with 1 when something differs, and says what. */
export function verifyWriter(namespace: string): WriterResult {
  const command = ['-n', namespace, 'exec', 'deploy/writer', '--', '/writer', 'verify', '--json'];
  const result = spawnSync('kubectl', command, { encoding: 'utf8', env: { ...process.env, ...environment } });
  try {
    return JSON.parse(result.stdout) as WriterResult;
  } catch {
    throw new Error(`writer verify: ${result.stderr || result.stdout}`);
  }
}
