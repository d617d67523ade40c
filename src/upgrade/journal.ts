import type { V1ConfigMap } from '@kubernetes/client-node';
import { UpgradeError } from '../errors.ts';
import { ownerLabel } from '../job/pod.ts';
import type { Cluster } from '../ports/cluster.ts';
import { upgrade } from '../versions.ts';
import { readRecord, type JournalRecord } from './journal-record.ts';

/** Name of the ConfigMap that keeps the journal. */
export const journalName = `postgresql-upgrade-${String(upgrade.from)}-to-${String(upgrade.to)}-journal`;

/** The ConfigMap with which a journal begins. */
export function journalObject(namespace: string, facts: JournalRecord, noted: Readonly<Noted> = {}) {
  return {
    metadata: { name: journalName, namespace, labels: ownerLabel },
    data: { ...noted, record: JSON.stringify(facts, undefined, 2) },
  };
}

export type Outcome = 'upgraded' | 'reverted';

/** Facts that are noted beside the record while the upgrade goes on, each under its name. */
export interface Noted {
  /** The step that was begun last. */
  step?: string;
  /** When the first application was about to be stopped, ISO 8601. */
  downSince?: string;
  /** What was measured of the data, packed; see measurement.ts. */
  measured?: string;
  /** Name of the backup that holds what was measured; '' when there is none yet. */
  backup?: string;
  /** The snapshot that was taken of the running server, to prove that it can be done. */
  live?: string;
  /** The snapshot of what 14 had before it was given up. */
  served?: string;
  /** Which volume takes the place of which; see backup/exchange.ts. */
  exchange?: string;
  /** When and where in the WAL the applications were let in; see loss.ts. */
  released?: string;
  /** Which applications somebody else let in while 14 served, and when that was seen; see let-in.ts. */
  letIn?: string;
  /** Why somebody asked to go back, as a sentence. */
  rollback?: string;
  /** Why it goes back; from then on it never goes forward again. */
  back?: string;
  /** The step that was undone last. */
  undone?: string;
  /** How 12 sorted what it has indexes on, as JSON; see database/sort-order.ts. */
  sortOrders?: string;
  /** The data of 14 is what 12 had. */
  validated?: string;
  /** How the upgrade ended. */
  outcome?: Outcome;
}

/** What was meant and done, kept in the cluster beside the server. */
export class Journal {
  private constructor(
    private readonly cluster: Cluster,
    private readonly namespace: string,
    private readonly uid: string,
    readonly record: JournalRecord,
    private readonly facts: Noted,
  ) {}

  /** What has been noted by now, by this run or by one before it. */
  get noted(): Readonly<Noted> {
    return this.facts;
  }

  /** Whether the upgrade has come to its end, one way or the other. */
  get isClosed(): boolean {
    return this.facts.outcome !== undefined;
  }

  /**
   * The journal of an earlier run, if there is one.
   * @throws UpgradeError when it is not one of ours, or damaged
   */
  static async find(cluster: Cluster, namespace: string): Promise<Journal | undefined> {
    const found = await cluster.find('configmaps', journalName, namespace);
    return found === undefined ? undefined : Journal.parse(cluster, namespace, found);
  }

  /**
   * Starts a new journal; that of an ended upgrade makes room for it.
   * @param noted what is known from before
   * @throws UpgradeError when an upgrade that has not ended holds it
   */
  static async begin(
    cluster: Cluster,
    namespace: string,
    facts: JournalRecord,
    noted: Readonly<Noted> = {},
  ): Promise<Journal> {
    const earlier = await Journal.find(cluster, namespace);
    if (earlier?.isClosed === false) {
      throw new UpgradeError(
        'unfinished-upgrade',
        `An upgrade that began at ${earlier.record.startedAt} (${earlier.record.runId}) has not come to its end.`,
        'Run "mode: upgrade" again: it goes on with that one.',
      );
    }
    const object = journalObject(namespace, facts, noted);
    try {
      return Journal.parse(cluster, namespace, await Journal.write(cluster, namespace, object, earlier));
    } catch (error) {
      // Where the answer was lost, or a repetition was refused since the first attempt had come through, the object tells.
      const found = await cluster.find('configmaps', journalName, namespace);
      if (found?.data?.['record'] !== object.data.record) throw error;
      return Journal.parse(cluster, namespace, found);
    }
  }

  /** In one conditional change: of two runs that both find an ended journal, one is refused. */
  private static async write(
    cluster: Cluster,
    namespace: string,
    object: ReturnType<typeof journalObject>,
    ended: Journal | undefined,
  ): Promise<V1ConfigMap> {
    if (ended === undefined) return await cluster.create('configmaps', object, { namespace });
    return await cluster.patch('configmaps', journalName, namespace, [
      { op: 'test', path: '/metadata/uid', value: ended.uid },
      { op: 'test', path: '/data/outcome', value: ended.noted.outcome },
      { op: 'replace', path: '/data', value: object.data },
    ]);
  }

  /** Notes a fact under its name. */
  async note<N extends keyof Noted>(name: N, value: NonNullable<Noted[N]>): Promise<void> {
    await this.cluster.patch('configmaps', journalName, this.namespace, [
      { op: 'test', path: '/metadata/uid', value: this.uid },
      { op: 'add', path: `/data/${name}`, value },
    ]);
    this.facts[name] = value;
  }

  private static parse(cluster: Cluster, namespace: string, object: V1ConfigMap): Journal {
    const { record: text, ...facts } = object.data ?? {};
    const record = readRecord(text);
    if (record === undefined) {
      throw new UpgradeError(
        'journal-foreign',
        `ConfigMap ${journalName} in namespace ${namespace} is not a journal that this version can read.`,
        'Look at it. If no upgrade is under way, delete it and run again.',
      );
    }
    return new Journal(cluster, namespace, object.metadata?.uid ?? '', record, facts);
  }
}
