import type { V1ConfigMap } from '@kubernetes/client-node';
import { z } from 'zod';
import { UpgradeError } from '../errors.ts';
import { ownerLabel } from '../job/pod.ts';
import type { Cluster } from '../ports/cluster.ts';
import { labelSelector } from '../target/label-selector.ts';
import { upgrade } from '../versions.ts';

/** Name of the ConfigMap that keeps the journal. */
export const journalName = `postgresql-upgrade-${String(upgrade.from)}-to-${String(upgrade.to)}-journal`;

const workload = z.discriminatedUnion('resource', [
  z.object({
    resource: z.enum(['deployments', 'statefulsets']),
    name: z.string(),
    replicas: z.number(),
    podSelector: labelSelector,
  }),
  z.object({ resource: z.literal('cronjobs'), name: z.string(), suspended: z.boolean() }),
]);

/** What will be changed and how it was. Written once, before the first change, and never again. */
const record = z.object({
  schema: z.literal(1),
  runId: z.string(),
  startedAt: z.string(),
  statefulSet: z.string(),
  claim: z.string(),
  image: z.string(),
  newImage: z.string(),
  replicas: z.number(),
  applications: z.array(workload),
});

export type JournalRecord = z.infer<typeof record>;

export type Outcome = 'upgraded' | 'reverted';

/** What was meant and done, kept in the cluster beside the server. */
export class Journal {
  private constructor(
    private readonly cluster: Cluster,
    private readonly namespace: string,
    private readonly uid: string,
    readonly record: JournalRecord,
    /** How that upgrade ended; undefined while it has not. */
    readonly outcome: string | undefined,
  ) {}

  /**
   * The journal of an earlier run, if there is one.
   * @throws UpgradeError when it is not one of ours, or damaged
   */
  static async find(cluster: Cluster, namespace: string): Promise<Journal | undefined> {
    const found = await cluster.find('configmaps', journalName, namespace);
    return found === undefined ? undefined : Journal.parse(cluster, namespace, found);
  }

  /**
   * Starts a new journal; that of an ended run makes room for it.
   * @throws UpgradeError when a run that has not ended holds it
   */
  static async begin(cluster: Cluster, namespace: string, facts: JournalRecord): Promise<Journal> {
    const earlier = await Journal.find(cluster, namespace);
    if (earlier !== undefined && earlier.outcome === undefined) {
      throw new UpgradeError(
        'unfinished-upgrade',
        `An upgrade that began at ${earlier.record.startedAt} (${earlier.record.runId}) has not come to its end.`,
        `Wait for that run, or look at ConfigMap ${journalName}.`,
      );
    }
    const data = { record: JSON.stringify(facts, undefined, 2) };
    // In one conditional change: of two runs that both find an ended journal, one is refused.
    const created =
      earlier === undefined
        ? await cluster.create(
            'configmaps',
            { metadata: { name: journalName, namespace, labels: ownerLabel }, data },
            { namespace },
          )
        : await cluster.patch('configmaps', journalName, namespace, [
            { op: 'test', path: '/metadata/uid', value: earlier.uid },
            { op: 'test', path: '/data/outcome', value: earlier.outcome },
            { op: 'replace', path: '/data', value: data },
          ]);
    return Journal.parse(cluster, namespace, created);
  }

  /** Notes a fact under a name of its own, such as `step` or `snapshot`. */
  async note(name: 'step' | 'snapshot' | 'outcome', value: string): Promise<void> {
    await this.cluster.patch('configmaps', journalName, this.namespace, [
      { op: 'test', path: '/metadata/uid', value: this.uid },
      { op: 'add', path: `/data/${name}`, value },
    ]);
  }

  private static parse(cluster: Cluster, namespace: string, object: V1ConfigMap): Journal {
    const found = readRecord(object.data?.['record']);
    if (found === undefined) {
      throw new UpgradeError(
        'journal-foreign',
        `ConfigMap ${journalName} in namespace ${namespace} is not a journal that this version can read.`,
        'Look at it. If no upgrade is under way, delete it and run again.',
      );
    }
    return new Journal(cluster, namespace, object.metadata?.uid ?? '', found, object.data?.['outcome']);
  }
}

function readRecord(text: string | undefined): JournalRecord | undefined {
  try {
    return record.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}
