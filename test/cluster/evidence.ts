// What tests on the bench leave to look into: a folder for each file, with the log and the report of each run.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

let runs = 0;

export function folderOf(testPath: string): string {
  return path.join(tmpdir(), 'circleci-server-postgresql-tests', path.basename(testPath, '.test.ts'));
}

/** Keeps what a run has told; the first one of a test file takes away what an earlier try has left. */
export function keepRun(testPath: string, files: Readonly<Record<string, string>>): void {
  const folder = folderOf(testPath);
  if (runs++ === 0) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files))
    writeFileSync(path.join(folder, `run-${String(runs).padStart(2, '0')}-${name}`), text);
}
