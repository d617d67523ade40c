import type { V1ResourceRequirements } from '@kubernetes/client-node';
import { z } from 'zod';
import { transferChoices } from '../job/transfer.ts';
import { labelSelector } from '../target/label-selector.ts';

const workload = z.discriminatedUnion('resource', [
  z.object({
    resource: z.enum(['deployments', 'statefulsets']),
    name: z.string(),
    replicas: z.number(),
    podSelector: labelSelector,
  }),
  z.object({ resource: z.literal('cronjobs'), name: z.string(), suspended: z.boolean() }),
  z.object({
    resource: z.literal('scaledobjects'),
    name: z.string(),
    paused: z.string().nullable(),
    pausedReplicas: z.string().nullable(),
  }),
]);

const locale = z.object({ encoding: z.string(), collate: z.string(), ctype: z.string() });

/** All that another run needs in order to go on: what will be changed, how it was, and what it is to become. Written once, before the first change. */
const record = z.object({
  schema: z.literal(3),
  /** Of the run that began; the Job carries it too. */
  runId: z.string(),
  startedAt: z.iso.datetime(),
  statefulSet: z.string(),
  claim: z.string(),
  /** Of the server before. */
  image: z.string(),
  /** Of the server after. */
  serving: z.object({ registry: z.string(), repository: z.string(), tag: z.string(), reference: z.string() }),
  replicas: z.number(),
  applications: z.array(workload),
  /** The volume of the claim. */
  volume: z.string(),
  /** What was to happen to that volume when its claim is deleted (persistentVolumeReclaimPolicy). */
  reclaimPolicy: z.string(),
  backup: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('snapshot'), class: z.string() }),
    z.object({ kind: z.literal('clone') }),
    z.object({ kind: z.literal('external') }),
  ]),
  job: z.object({
    image: z.string(),
    imagePullSecret: z.string(),
    resources: z.custom<V1ResourceRequirements>((value) => typeof value === 'object' && value !== null),
    jobs: z.number(),
    transfer: z.enum(transferChoices),
    initdb: locale.extend({ superuser: z.string(), postgres: locale.optional() }),
  }),
});

export type JournalRecord = z.infer<typeof record>;

/** The record of a journal, or undefined when it is not one that this version can read. */
export function readRecord(text: string | undefined): JournalRecord | undefined {
  try {
    return record.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}
