// See scripts/test-mutants. Checks of hazards are held by test/hazards (each row has its fixture), those of the values file by test/scenario/values.test.ts.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { seeBackupReady } from '../src/upgrade/backup/backup-ready.ts';
import { improvements, release, reversibleSteps, statistics, validation } from '../src/upgrade/plan.ts';
import { afterApplications, beforeApplications } from '../src/upgrade/steps/hooks.ts';
import { finish } from '../src/upgrade/steps/finish.ts';

/** Below test/unit/upgrade: where each step is tested. */
const testsOfSteps: Readonly<Record<string, string>> = {
  'protect-volume': 'backup/reclaim-policy',
  'prove-backup': 'backup/prove',
  anchor: 'steps/anchor',
  'stop-applications': 'steps/applications',
  quiesce: 'steps/quiesce',
  'stop-postgresql': 'steps/stop-postgresql',
  backup: 'take-backup',
  'upgrade-job': 'steps/upgrade-job',
  'backup-ready': 'backup/backup-ready',
  activate: 'steps/activate',
  verify: 'steps/verify',
  'update-extensions': 'steps/extensions',
  'before-applications': 'steps/hooks',
  'restore-applications': 'steps/applications',
  'quick-analyze': 'steps/analyze',
  'after-applications': 'steps/hooks',
  analyze: 'steps/analyze',
  'confirm-backup': 'backup/backup-ready',
  finish: 'steps/finish',
};

/** By the mutant, as test/unit/mutant.ts takes it: the test files of its own. */
function mutants(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const folder = 'test/unit/prechecks/checks';
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.ts'))) {
    const path = join(folder, file);
    for (const [, id = ''] of readFileSync(path, 'utf8').matchAll(/answerOf\(\s*'([a-z0-9-]+)'/g)) {
      const files = found.get(`check ${id}`) ?? [];
      found.set(`check ${id}`, [...new Set([...files, path])]);
    }
  }
  const { quick, full } = statistics;
  const hooks = [beforeApplications, afterApplications];
  const done = [...reversibleSteps, validation, ...improvements];
  for (const step of [...done, ...hooks, release, quick, full, seeBackupReady, finish])
    for (const what of ['run', ...(step.undo === undefined ? [] : ['undo'])]) {
      const file = testsOfSteps[step.id];
      found.set(`${what} ${step.id}`, file === undefined ? [] : [`test/unit/upgrade/${file}.test.ts`]);
    }
  return found;
}

interface Results {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly failureMessages?: readonly string[] }[];
  }[];
}

/** What Jest says of these files; undefined where it says nothing. */
async function jest(files: readonly string[], mutant?: string): Promise<Results | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'mutant-'));
  const output = join(directory, 'results.json');
  const setUp = mutant === undefined ? [] : ['--setupFiles=<rootDir>/test/unit/mutant.ts'];
  const jestItself = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const child = spawn(
    process.execPath,
    [...jestItself, '--runInBand', '--json', `--outputFile=${output}`, ...files, ...setUp],
    {
      stdio: 'ignore',
      env: { ...process.env, MUTANT: mutant ?? '' },
      timeout: 10 * 60_000,
    },
  );
  await new Promise((resolve) => child.once('close', resolve));
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as Results;
  } catch {
    return undefined;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Why a mutant does not count as found; undefined where a test has failed by an assertion, and nothing else was wrong with Jest. */
function survival(results: Results | undefined): string | undefined {
  if (results === undefined) return 'Jest did not come to its end';
  if (results.numRuntimeErrorTestSuites > 0) return 'a test file could not be run';
  if (results.numFailedTests === 0) return 'no test of its own misses it';
  const messages = results.testResults.flatMap((file) =>
    file.assertionResults.flatMap((one) => one.failureMessages ?? []),
  );
  // An assertion of Jest begins with its matcher; an error that something threw does not.
  const isAsserted = messages.some((message) =>
    /expect\(.*\)\.|expect\.[a-z]+\(/i.test(stripVTControlCharacters(message).split('\n', 1)[0] ?? ''),
  );
  return isAsserted ? undefined : 'its tests fail, but by no assertion';
}

const all = mutants();
const chosen = process.argv.length > 2 ? process.argv.slice(2) : [...all.keys()];
const files = [...new Set(chosen.flatMap((name) => all.get(name) ?? []))];
// What fails without a mutant, too, shows nothing.
const whole = await jest(files);
if (whole?.success !== true || whole.numPassedTests === 0) {
  console.log('FAILED without a mutant: run these tests first\n0 passed, 1 failed');
  process.exit(1);
}
let failed = 0;
const waiting = [...chosen];
await Promise.all(
  [1, 2].map(async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const own = all.get(name) ?? [];
      const why = own.length === 0 ? 'it has no tests of its own' : survival(await jest(own, name));
      if (why === undefined) continue;
      failed++;
      console.log(`FAILED ${name}: ${why}`);
    }
  }),
);
console.log(`${String(chosen.length - failed)} passed, ${String(failed)} failed`);
process.exitCode = failed === 0 ? 0 : 1;
