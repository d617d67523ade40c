import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { z } from 'zod';
import type { SortOrders } from '../database/sort-order.ts';
import {
  annotations,
  asSentence,
  identifier,
  labels,
  localeName,
  objectName,
  quantities,
  sentenceText,
  walPosition,
} from '../common/grammar.ts';
import { packed } from './compress-fingerprint.ts';

/** The moves of an upgrade, in their order; plan.ts has them. */
const stepIds = [
  'protect-volume',
  'prove-backup',
  'stop-applications',
  'quiesce',
  'stop-postgresql',
  'backup',
  'upgrade-job',
  'activate',
  'verify',
  'update-extensions',
  'analyze',
  'restore-applications',
  'finish',
] as const;

export type StepId = (typeof stepIds)[number];

/** The server's claim as it will be made again. */
const claim = z.strictObject({
  metadata: z.strictObject({ name: objectName, namespace: objectName, labels, annotations }),
  spec: z.strictObject({
    accessModes: z.array(z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany', 'ReadOnlyMany'])).optional(),
    storageClassName: z.union([z.literal(''), objectName]).optional(),
    volumeMode: z.enum(['Filesystem', 'Block']).optional(),
    resources: z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }).optional(),
    volumeName: objectName,
  }),
});

const exchange = z
  .strictObject({
    claim: z.custom<V1PersistentVolumeClaim>((value) => claim.safeParse(value).success),
    /** The volume that it gets. */
    volume: objectName,
    /** The volume that it had. */
    former: objectName,
  })
  .refine(({ claim: { spec }, volume, former }) => spec?.volumeName === volume && volume !== former, {
    error: 'the claim is to have the volume that takes the place of the former one',
  });

/** The server's claim gets another volume. Noted before the first move, since in the middle of it there is no claim. */
export type Exchange = z.infer<typeof exchange>;

const released = z.strictObject({ at: z.iso.datetime(), wal: walPosition });

/** When and where in the write-ahead log the applications were let in. */
export type Released = z.infer<typeof released>;

const orders = z.record(
  identifier,
  z.array(
    z.strictObject({
      collation: identifier,
      provider: z.enum(['libc', 'icu']),
      collate: localeName,
      ctype: localeName,
      indexes: z.int().min(0),
      bytes: z.int().min(0),
      digest: z.string().regex(/^[0-9a-z]{1,64}$/),
    }),
  ),
);

/** Facts that are noted beside the record while the upgrade goes on, each under its name. */
export interface Noted {
  /** The step that was begun last. */
  step?: StepId;
  /** When the first application was about to be stopped, ISO 8601. */
  downSince?: string;
  /** What was measured of the data, packed; see compress-fingerprint.ts. */
  measured?: string;
  /** Name of the backup that holds what was measured; '' when there is none yet. */
  backup?: string;
  /** The snapshot that was taken of the running server, to prove that it can be done. */
  live?: string;
  /** The snapshot of what 14 had before it was given up. */
  served?: string;
  /** When a copy of the volume was about to be made, ISO 8601, by the API server's clock. */
  copy?: string;
  /** Whether an upgrade Job was about to be made, for the first time or once more; see job-run.ts. */
  upgradeJob?: 'once' | 'again';
  /** Which volume takes the place of which; see backup/exchange.ts. */
  exchange?: Exchange;
  /** When and where in the WAL the applications were let in; see loss.ts. */
  released?: Released;
  /** Which applications somebody else started while PostgreSQL 14 served, and when that was seen; see external-start.ts. */
  letIn?: string;
  /** Why somebody asked to go back, as a sentence. */
  rollback?: string;
  /** Why it goes back; from then on it never goes forward again. */
  back?: string;
  /** The step that was undone last. */
  undone?: StepId;
  /** How 12 sorted what it has indexes on; see database/sort-order.ts. */
  sortOrders?: SortOrders;
  /** The data of 14 is what 12 had. */
  validated?: 'yes';
  /** How the upgrade ended. */
  outcome?: Outcome;
}

export type Outcome = 'upgraded' | 'reverted';

/** A value as text of the ConfigMap, and back; `decode` throws for what this version would not write. */
interface Codec<T> {
  readonly encode: (value: T) => string;
  readonly decode: (text: string) => T;
}

function plain<T extends string>(schema: z.ZodType<T>, encode: (value: T) => string = (value) => value): Codec<T> {
  return { encode, decode: (text) => schema.parse(text) };
}

function json<T>(schema: z.ZodType<T>): Codec<T> {
  return { encode: (value) => JSON.stringify(value), decode: (text) => schema.parse(JSON.parse(text)) };
}

/** Reasons hold what others said: the API server, psql, a driver. */
const sentence = plain(sentenceText, asSentence);

/** The same, with all of them. */
export type Facts = Required<Noted>;

/** One for each note, so that no value of a journal is read anywhere without its grammar. */
export const notes: { readonly [N in keyof Facts]: Codec<Facts[N]> } = {
  step: plain(z.enum(stepIds)),
  downSince: plain(z.iso.datetime()),
  measured: plain(packed),
  backup: plain(z.union([z.literal(''), objectName])),
  live: plain(objectName),
  served: plain(objectName),
  copy: plain(z.iso.datetime()),
  upgradeJob: plain(z.enum(['once', 'again'])),
  exchange: json(exchange),
  released: json(released),
  letIn: sentence,
  rollback: sentence,
  back: sentence,
  undone: plain(z.enum(stepIds)),
  sortOrders: json<SortOrders>(orders),
  validated: plain(z.literal('yes')),
  outcome: plain(z.enum(['upgraded', 'reverted'])),
};

export function isNote(name: string): name is keyof Facts {
  return Object.hasOwn(notes, name);
}
