// What an upgrade does by its settings, whatever is in the databases: a rehearsal with other ones is that of another upgrade.
// Decision: docs/decisions/0034-rehearsal.md
import type { Facts } from '../facts/facts.ts';
import { jobOf } from '../facts/job-of.ts';
import { sha256 } from '../objects/bootstrap.ts';
import type { Scripts } from '../ports/scripts.ts';

/** What runs: another version may do other things than its scripts. */
interface OfAction {
  readonly version: string;
  readonly scripts: Pick<Scripts, 'job'>;
}

/**
 * SHA-256 of the action's version, the Job's settings and scripts, the kind and class of the backup, and the spec of the server's pod template. The images are compared by themselves.
 * @returns undefined where the facts that it is made of are unknown
 */
export function settingsDigest(facts: Facts, { version, scripts }: OfAction): string | undefined {
  const { inputs, snapshotClass, target } = facts;
  const job = jobOf(facts);
  if (job === undefined) return undefined;
  const chosen = snapshotClass.known ? snapshotClass.value.chosen?.metadata.name : undefined;
  const backup = { kind: inputs.backup, ...(inputs.backup === 'snapshot' ? { class: chosen } : {}) };
  const template = target.statefulSet.spec?.template.spec;
  return sha256(JSON.stringify({ version, job: { ...job, image: '' }, scripts: scripts.job, backup, template }));
}
