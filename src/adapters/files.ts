import { readFile } from 'node:fs/promises';
import type { Scripts } from '../ports/scripts.ts';

/** What both the Job and the restore test take out of statements. */
const literals = 'literals.awk';
/** By what both the Job and the precheck reckon how much room is needed. */
const room = 'room.awk';
const jobScripts = [
  'upgrade.sh',
  'volume.sh',
  'other-upgrade.sh',
  'report.sh',
  'copy.sh',
  'transactions.sh',
  literals,
  room,
] as const;

/** @param directory where the shell files are */
export async function readScripts(directory: string): Promise<Scripts> {
  const read = (name: string) => readFile(new URL(name, `file://${directory}/`), 'utf8');
  const job = await Promise.all(jobScripts.map(async (name) => [name, await read(name)] as const));
  return {
    job: Object.fromEntries(job),
    room: await read(room),
    probe: await read('probe.sh'),
    restoreTest: {
      script: await read('restore-test.sh'),
      confine: await read('confine.pl'),
      literals: await read(literals),
    },
  };
}

/** The payload of the event that started the workflow; undefined where it can't be read. */
export async function readEvent(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}
