// Whether an upgrade may count on the last rehearsal.
// Decision: docs/decisions/0034-rehearsal.md
import { UpgradeError } from '../common/errors.ts';
import { known, thenFact } from '../common/known.ts';
import { answerOfAll, askDatabases } from '../database/ask-databases.ts';
import type { Database } from '../database/database.ts';
import { digestsIn, digestsQuestion, type Digests } from '../database/digests.ts';
import type { Facts, FactsWithRehearsal } from '../facts/facts.ts';
import { jobOf, seenBy } from '../facts/job-of.ts';
import type { Journal } from '../journal/journal.ts';
import { ofRehearsal, type JournalSeal } from '../journal/seal.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import type { Log } from '../ports/runner.ts';
import type { Scripts } from '../ports/scripts.ts';
import { whyNoProof } from './backup-proof.ts';
import { findRecord, identityOf, whyInvalid, type RehearsalRecord } from './record.ts';
import { settingsDigest } from './settings-digest.ts';

interface Server {
  readonly cluster: ClusterReader;
  readonly database: Database;
  readonly facts: Facts;
  readonly seal: JournalSeal;
  readonly log: Log;
  readonly scripts: Pick<Scripts, 'job'>;
  /** Of the action. */
  readonly version: string;
  /** Journal of the last upgrade. */
  readonly earlier: Journal | undefined;
}

/** What a rehearsal that counts adds to the facts. */
type Rehearsed = Pick<FactsWithRehearsal, 'rehearsed' | 'rehearsalProof'>;

/**
 * What `rehearsal` asks for, before an upgrade changes anything. `auto` only says in the log whether the last rehearsal counts.
 * @returns what the rehearsal took, for the prediction, and whether it proves the backup; nothing where none counts
 * @throws UpgradeError `rehearsal-missing` where the input requires one, and none counts
 */
export async function expectRehearsed(server: Server): Promise<Rehearsed> {
  const { facts, log } = server;
  const { rehearsal } = facts.inputs;
  if (rehearsal === 'off') return {};
  const found = await known(() => lastRehearsal(server));
  const last = found.known ? found.value : found.reason;
  if (typeof last !== 'string') {
    log.info('The last rehearsal of this server passed, and nothing that it depends on has changed');
    return rehearsedBy(server, last);
  }
  if (rehearsal === 'auto') log.info(`No rehearsal counts for this upgrade: ${last}`);
  else
    throw new UpgradeError(
      'rehearsal-missing',
      `"rehearsal: required" needs a rehearsal that counts, and ${last}. Nothing was changed.`,
      'Run "mode: rehearse" with the same inputs. Then run the upgrade within "rehearsal-valid".',
    );
  return {};
}

/** @returns why it does not count, where it does not */
async function lastRehearsal(server: Server): Promise<RehearsalRecord | string> {
  const { cluster, facts, seal } = server;
  const record = await findRecord(cluster, facts.target.namespace, seal.for(ofRehearsal));
  const why = await whyUncounted(server, record);
  return record === undefined || record === 'foreign' || why !== undefined ? (why ?? 'it could not be read') : record;
}

function rehearsedBy({ facts, log, earlier }: Server, record: RehearsalRecord): Rehearsed {
  const { seconds: rehearsed } = record;
  const proof = record.schema === 1 ? undefined : record.proof;
  const why = whyNoProof(proof, facts) ?? whyDisproved(record, earlier);
  if (proof === undefined || why !== undefined) {
    if (facts.inputs.backup === 'snapshot' || facts.inputs.backup === 'clone')
      log.info(`That rehearsal does not prove the backup: ${why ?? ''}`);
    return { rehearsed };
  }
  const cuts = proof.kind === 'snapshot' ? proof.cuts : undefined;
  return { rehearsed, rehearsalProof: { run: record.runId, at: record.endedAt, cuts } };
}

/** Milliseconds by which a runner's clock may differ from the API server's. */
const runnersDifference = 5 * 60_000;

/** An upgrade since then has ended at the proof of its backup. What it saw there is newer, whether or not the backup could be restored. */
function whyDisproved({ endedAt }: RehearsalRecord, earlier: Journal | undefined): string | undefined {
  if (earlier?.noted.step !== 'prove-backup' || earlier.noted.back === undefined) return undefined;
  const { startedAt } = earlier.record;
  if (new Date(startedAt).getTime() < new Date(endedAt).getTime() - runnersDifference) return undefined;
  return `the upgrade that began at ${startedAt} has ended at the proof of its backup`;
}

/** Why the last rehearsal does not count; undefined where it does. What can't be read is not the same. */
async function whyUncounted(
  server: Server,
  record: Awaited<ReturnType<typeof findRecord>>,
): Promise<string | undefined> {
  const { cluster, database, facts } = server;
  const { inputs, target } = facts;
  const images = [facts.upgradeProbe, facts.servingProbe].map((probe) => seenBy(probe)?.imageId);
  const [upgradeImage, servingImage] = images;
  if (record === undefined || record === 'foreign') return whyInvalid(record, await cluster.now(), 0, nothing);
  if (upgradeImage === undefined || servingImage === undefined) return 'it is not known which images this upgrade runs';
  const settings = settingsDigest(facts, server);
  if (settings === undefined) return 'it is not known with which settings this upgrade runs';
  const databases = await readDigests(database, facts);
  if (databases === undefined) return 'the schema of this server could not be read';
  const identity = identityOf(target, databases);
  if (identity === undefined) return 'it is not known which server and which volume this is';
  const rehearsed = { server: identity, settings, images: [upgradeImage, servingImage], databases } as const;
  return whyInvalid(record, await cluster.now(), inputs.rehearsalValid, rehearsed);
}

/** Of a server on which nothing is compared. */
const nothing = {
  server: { systemIdentifier: '', claim: '', volume: '' },
  settings: '',
  images: ['', ''],
  databases: {},
} as const;

async function readDigests(database: Database, facts: Facts): Promise<Digests | undefined> {
  const sessions = jobOf(facts)?.jobs ?? 1;
  const answers = await thenFact(facts.databases, (list) => askDatabases(database, list, [digestsQuestion], sessions));
  const digests = answerOfAll(answers, [digestsQuestion], digestsIn);
  return digests.known ? digests.value : undefined;
}
