import type { V1ResourceRequirements } from '@kubernetes/client-node';
import { z } from 'zod';
import { transferChoices } from '../inputs/transfer.ts';
import {
  identifier,
  imageReference,
  labelKey,
  labels,
  labelValue,
  localeName,
  objectName,
  quantities,
  runAddress,
  uid,
} from '../common/grammar.ts';

/** A workload's selector of its pods (metav1.LabelSelector). */
const podSelector = z.strictObject({
  matchLabels: labels.optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: labelKey,
        operator: z.string().regex(/^(In|NotIn|Exists|DoesNotExist)$/),
        values: z.array(labelValue).max(1000).optional(),
      }),
    )
    .max(1000)
    .optional(),
});

const replicas = z.int().min(0).max(100_000);
/** Value of an annotation of KEDA; null where there is none. */
const pause = z
  .string()
  .regex(/^[-\w. ]{0,63}$/)
  .nullable();

const workload = z.discriminatedUnion('resource', [
  z.strictObject({ resource: z.enum(['deployments', 'statefulsets']), name: objectName, replicas, podSelector }),
  z.strictObject({ resource: z.literal('cronjobs'), name: objectName, suspended: z.boolean() }),
  z.strictObject({ resource: z.literal('scaledobjects'), name: objectName, paused: pause, pausedReplicas: pause }),
]);

const locale = z.strictObject({ encoding: localeName, collate: localeName, ctype: localeName });

const image = z.strictObject({
  registry: z.string().max(253),
  repository: z.string().max(255),
  tag: z.string().max(255),
  reference: imageReference,
});

const resources = z.strictObject({ requests: quantities.optional(), limits: quantities.optional() });

const job = z.strictObject({
  image: imageReference,
  imagePullSecret: z.union([z.literal(''), objectName]),
  resources: z.custom<V1ResourceRequirements>((value) => resources.safeParse(value).success),
  jobs: z.int().min(1).max(100_000),
  transfer: z.enum(transferChoices),
  initdb: locale.extend({ superuser: identifier.min(1), postgres: locale.optional() }),
});

/** An image as a node reported it; only compared and shown. */
export const seenImageGrammar = z.strictObject({
  imageId: z.string().regex(/^[-\w.:/@]{1,512}$/),
  node: z.string().regex(/^[-\w.]{0,253}$/),
  platform: z.string().regex(/^[-\w. ]{0,100}$/),
});

/** All that another run needs to resume: what will be changed, how it was, and what it is to become. Written once, before the first change. */
const record = z
  .strictObject({
    schema: z.literal(4),
    /** Of the run that began; the Job carries it too. */
    runId: runAddress,
    startedAt: z.iso.datetime(),
    statefulSet: objectName,
    claim: objectName,
    /** Of the objects that have these names, when it began: others of the same names are other objects. */
    uids: z.strictObject({ statefulSet: uid, claim: uid }),
    /** Of the server before. */
    image: imageReference,
    /** Of the server after. */
    serving: image,
    /** The images that the probes of the prechecks ran; missing where no probe ran, or no node reported them. */
    seen: z.strictObject({ upgrade: seenImageGrammar.optional(), serving: seenImageGrammar.optional() }).optional(),
    replicas: z.int().min(0).max(1),
    applications: z.array(workload).max(1000),
    /** The volume of the claim. */
    volume: objectName,
    /** What was to happen to that volume when its claim is deleted (persistentVolumeReclaimPolicy). */
    reclaimPolicy: z.string().regex(/^(Delete|Retain|Recycle)$/),
    backup: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('snapshot'), class: objectName }),
      z.strictObject({ kind: z.literal('clone') }),
      z.strictObject({ kind: z.literal('copy') }),
      z.strictObject({ kind: z.literal('external') }),
    ]),
    job,
  })
  .refine(
    ({ statefulSet, applications }) =>
      !applications.some(({ resource, name }) => resource === 'statefulsets' && name === statefulSet),
    { path: ['applications'], error: 'PostgreSQL is none of its applications' },
  );

export type JournalRecord = z.infer<typeof record>;

/** The record as text of the ConfigMap, and back; `decode` throws for what this version would not write. */
export const recordCodec = {
  encode: (value: JournalRecord): string => JSON.stringify(value, undefined, 2),
  decode: (text: string): JournalRecord => record.parse(JSON.parse(text)),
};
