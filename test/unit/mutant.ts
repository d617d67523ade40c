// Makes one mutant of the product before a test file begins: scripts/test-mutants gives it in MUTANT, and wants the file to fail.
import { passed } from '../../src/findings/finding.ts';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import { seeBackupReady } from '../../src/upgrade/backup/backup-ready.ts';
import { improvements, release, reversibleSteps, statistics, validation } from '../../src/upgrade/plan.ts';
import { afterApplications, beforeApplications } from '../../src/upgrade/steps/hooks.ts';
import { finish } from '../../src/upgrade/steps/finish.ts';

/** `check ID` passes without looking; `run ID` and `undo ID` of a step do nothing. */
const [what = '', id = ''] = (process.env['MUTANT'] ?? '').split(' ');
const { quick, full } = statistics;
const hooks = [beforeApplications, afterApplications];
const steps = [
  ...[...reversibleSteps, validation, ...improvements],
  ...[...hooks, release, quick, full, seeBackupReady, finish],
];
const found = (what === 'check' ? catalogue : steps).find((one) => one.id === id);
if (found === undefined || !['check', 'run', 'undo'].includes(what)) throw new Error(`no mutant: ${what} ${id}`);
Object.assign(
  found,
  what === 'check' ? { run: () => passed('nothing was looked at') } : { [what]: () => Promise.resolve() },
);
