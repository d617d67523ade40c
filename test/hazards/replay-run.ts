// replay.sh as a pod runs it, on a real server of this machine, and the check's answer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDatabases, readServer } from '../../src/database/server.ts';
import { isReplayed, parseReplay, replayPod, type ReplayFacts } from '../../src/job/replay.ts';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import type { Answer } from '../../src/prechecks/finding.ts';
import { jobSettings } from '../../src/upgrade/settings.ts';
import { inputs, target } from '../unit/objects.ts';
import { facts, known } from '../unit/prechecks/facts.ts';
import type { Server } from './server.ts';

const script = readFileSync('src/job/replay.sh', 'utf8');

export interface Replay {
  readonly facts: ReplayFacts;
  readonly answer: Answer;
  /** What the pod's log would hold. */
  readonly log: string;
}

/** @param changes of the pod's environment */
export async function replay(server: Server, changes: NodeJS.ProcessEnv = {}): Promise<Replay> {
  const database = server.database();
  const [list, of] = [await readDatabases(database), await readServer(database)];
  const names = list.filter(isReplayed).map(({ name }) => name);
  const found = await target();
  const placed = { ...found, pod: { ...found.pod, status: { podIP: server.place } } };
  const pod = replayPod(
    placed,
    { ...jobSettings(inputs(), of, list), runId: 'test' },
    of,
    'postgres',
    names,
    script,
    1000,
  );
  const container = pod.spec?.containers[0];
  const [program = '', ...args] = container?.command ?? [];
  const environment = Object.fromEntries(
    (container?.env ?? []).map(({ name, value }) => [name, value ?? 'a password\n']),
  );
  const bin = server.installations.bin(14, '');
  const { output } = server.installations.run(program, args, server.place, {
    ...environment,
    PGBINNEW: bin,
    WORK: join(server.place, 'replay'),
    ...changes,
  });
  const parsed = parseReplay('image', names, output);
  if (parsed === undefined) throw new Error(`the replay did not come to its end: ${output}`);
  const check = catalogue.find((c) => c.id === 'replay');
  if (check === undefined) throw new Error('there is no check replay');
  return {
    facts: parsed,
    answer: check.run(await facts({ replay: known(parsed), databases: known(list) })),
    log: output,
  };
}
