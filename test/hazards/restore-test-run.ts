// restore-test.sh as a pod runs it, on a real server of this machine, and the check's answer.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container } from '@kubernetes/client-node';
import { readDatabases, readServer } from '../../src/database/server.ts';
import {
  isRestoreTested,
  parseRestoreTest,
  restoreTestPod,
  type RestoreTestFacts,
} from '../../src/probes/restore-test.ts';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import type { HazardFacts } from '../../src/hazards/hazard.ts';
import { notDumped } from '../../src/prechecks/facts/not-dumped.ts';
import type { Answer } from '../../src/findings/finding.ts';
import { jobSettings } from '../../src/objects/job-settings.ts';
import { inputs, target } from '../unit/objects.ts';
import { facts, known } from '../unit/prechecks/facts.ts';
import type { Server } from './server.ts';

const scripts = {
  script: readFileSync('src/probes/restore-test.sh', 'utf8'),
  confine: readFileSync('src/probes/confine.pl', 'utf8'),
  literals: readFileSync('src/job/literals.awk', 'utf8'),
};

export interface RestoreTestRun {
  readonly facts: RestoreTestFacts;
  readonly answer: Answer;
  /** What the pod's log would hold. */
  readonly log: string;
}

/**
 * @param changes of the environment of the pod's containers; PASSWORD is the Secret's value
 * @param hazards what was found before; without it every database is dumped that can be
 */
export async function runRestoreTest(
  server: Server,
  changes: NodeJS.ProcessEnv = {},
  hazards?: HazardFacts,
): Promise<RestoreTestRun> {
  const database = server.database();
  const [list, of] = [await readDatabases(database), await readServer(database)];
  const left = hazards && notDumped(list, known(hazards), new Map());
  const names = list.filter((d) => isRestoreTested(d) && left?.has(d.name) !== true).map(({ name }) => name);
  const found = await target();
  const placed = { ...found, pod: { ...found.pod, status: { podIP: server.place } } };
  const pod = restoreTestPod(
    placed,
    { ...jobSettings(inputs(), of, list), runId: 'test' },
    of,
    'postgres',
    names,
    scripts,
    {},
    1000,
  );
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const dumps = server.installations.directoryOf(`dumps-${String(process.hrtime.bigint())}`);
  const { PASSWORD = 'a password\n', ...others } = changes;
  const run = ({ command: [program = '', ...args] = [], env = [] }: V1Container) =>
    server.installations.run(program, args, server.place, {
      ...Object.fromEntries(env.map(({ name, value }) => [name, value ?? PASSWORD])),
      PGBINNEW: server.installations.bin(14, ''),
      WORK: join(server.place, 'restore-test'),
      ...others,
      DUMPS: dumps,
    });
  const ended = [...initContainers, ...containers].map(run);
  const output = ended.at(-1)?.output ?? '';
  rmSync(dumps, { recursive: true });
  const parsed = parseRestoreTest('image', names, output);
  if (parsed === undefined) throw new Error(`the restore test did not come to its end: ${output}`);
  const check = catalogue.find((c) => c.id === 'restore-test');
  if (check === undefined) throw new Error('there is no check restore-test');
  return {
    facts: parsed,
    answer: check.run(
      await facts({ restoreTest: known(parsed), databases: known(list), ...(hazards && { hazards: known(hazards) }) }),
    ),
    log: output,
  };
}
