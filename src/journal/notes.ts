import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Fingerprint } from '../database/fingerprint.ts';
import type { SortOrders } from '../database/sort-order.ts';
import {
  annotations,
  asSentence,
  identifier,
  labels,
  localeName,
  objectName,
  quantities,
  runAddress,
  sentenceText,
  walPosition,
} from '../common/grammar.ts';
import { pack, unpack } from './compress-fingerprint.ts';

/** The steps of an upgrade, in their order; plan.ts has them. */
const stepIds = [
  'protect-volume',
  'prove-backup',
  'anchor',
  'stop-applications',
  'quiesce',
  'stop-postgresql',
  'backup',
  'upgrade-job',
  'backup-ready',
  'activate',
  'verify',
  'update-extensions',
  'before-applications',
  'server-ready',
  'restore-applications',
  'quick-analyze',
  'after-applications',
  'analyze',
  'confirm-backup',
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
    error: 'the claim must have the volume that replaces the former one',
  });

/** The server's claim gets another volume. Noted before the first move, since in the middle of it there is no claim. */
export type VolumeSwap = z.infer<typeof exchange>;

const instant = z.iso.datetime().pipe(z.coerce.date());

const released = z.strictObject({ at: instant, wal: walPosition });

/** What the server wrote into the WAL after the driver had said that a snapshot was cut: where it ends; see src/storage/cut-timing.ts. */
const mark = z.strictObject({ snapshot: objectName, position: walPosition });

/** The rehearsal that proved the backup in the place of this upgrade: its run and its end. */
const rehearsal = z.strictObject({ run: runAddress, at: z.iso.datetime() });

/** When, and at which position in the write-ahead log, the applications were restarted. */
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

/** Facts that the upgrade notes beside the record while it runs, each under its name. */
export interface Noted {
  /** The step that was begun last. */
  step?: StepId;
  /** When the first application was about to be stopped, by the API server's clock. */
  downSince?: Date;
  /** What was measured of the data of PostgreSQL 12. */
  measured?: Fingerprint;
  /** Name of the backup that holds what was measured; null when it was measured again since, and there is none yet. */
  backup?: string | null;
  /** The claim to which a Job of ours was about to copy the volume; the copy may not be complete. */
  copying?: string;
  /** The snapshot of the running server, taken to prove the backup. */
  live?: string;
  /** What that snapshot must not hold. */
  mark?: z.infer<typeof mark>;
  /** Whether that snapshot, or the one of that rehearsal, was cut when the driver said so. */
  cuts?: 'in-time' | 'late';
  /** Which rehearsal proved the backup, where one did: no copy was made then. */
  rehearsal?: z.infer<typeof rehearsal>;
  /** The snapshot of PostgreSQL 14's data before the action restored PostgreSQL 12. */
  served?: string;
  /** When a copy of the volume was about to be made, by the API server's clock. */
  copy?: Date;
  /** Whether an upgrade Job was about to be made, for the first time or once more; see job-run.ts. */
  upgradeJob?: 'once' | 'again';
  /** Which volume replaces which; see backup/volume-swap.ts. */
  exchange?: VolumeSwap;
  /** When, and at which position in the WAL, the applications were restarted; see loss.ts. */
  released?: Released;
  /** Which applications somebody else started while PostgreSQL 14 served, and when that was seen; see external-start.ts. */
  letIn?: string;
  /** Why somebody asked for a rollback, as a sentence. */
  rollback?: string;
  /** Why the action reverts; from then on it never goes forward again. */
  back?: string;
  /** The step that was undone last. */
  undone?: StepId;
  /** How PostgreSQL 12 sorted what it has indexes on; see database/sort-order.ts. */
  sortOrders?: SortOrders;
  /** The data of PostgreSQL 14 is what PostgreSQL 12 had. */
  validated?: true;
  /** Whether the statistics are complete; `pending` since PostgreSQL 14 was validated. See steps/analyze.ts. */
  statistics?: Statistics;
  /** How the upgrade ended. */
  outcome?: Outcome;
}

export type Outcome = 'upgraded' | 'reverted';

type Statistics = 'pending' | 'complete';

/** Each note with the type of its value. */
export type Notes = Required<Noted>;

/** A value as text of the ConfigMap, and back; `decode` throws for what this version would not write. */
interface Codec<T> {
  readonly encode: (value: T) => string | Promise<string>;
  readonly decode: (text: string) => T | Promise<T>;
}

function word<T extends string>(schema: z.ZodType<T>): Codec<T> {
  return { encode: (value) => value, decode: (text) => schema.parse(text) };
}

function json<T>(schema: z.ZodType<T>): Codec<T> {
  return { encode: (value) => JSON.stringify(value), decode: (text) => schema.parse(JSON.parse(text)) };
}

/** Reasons quote others: the API server, psql, a driver. */
const sentence: Codec<string> = { encode: asSentence, decode: (text) => sentenceText.parse(text) };

/** In ISO 8601. */
const time: Codec<Date> = { encode: (date) => date.toISOString(), decode: (text) => instant.parse(text) };

const nameOrNone: Codec<string | null> = {
  encode: (name) => name ?? '',
  decode: (text) => (text === '' ? null : objectName.parse(text)),
};

const yesText = z.literal('yes').transform(() => true as const);
const yes: Codec<true> = { encode: () => 'yes', decode: (text) => yesText.parse(text) };

/** One for each note: nothing else in the project knows how a value is written in the ConfigMap. */
export const noteCodecs: { readonly [N in keyof Notes]: Codec<Notes[N]> } = {
  step: word(z.enum(stepIds)),
  downSince: time,
  measured: { encode: pack, decode: unpack },
  backup: nameOrNone,
  copying: word(objectName),
  live: word(objectName),
  mark: json(mark),
  cuts: word(z.enum(['in-time', 'late'])),
  rehearsal: json(rehearsal),
  served: word(objectName),
  copy: time,
  upgradeJob: word(z.enum(['once', 'again'])),
  exchange: json(exchange),
  released: json(released),
  letIn: sentence,
  rollback: sentence,
  back: sentence,
  undone: word(z.enum(stepIds)),
  sortOrders: json<SortOrders>(orders),
  validated: yes,
  statistics: word(z.enum(['pending', 'complete'])),
  outcome: word(z.enum(['upgraded', 'reverted'])),
};

export function isNote(name: string): name is keyof Notes {
  return Object.hasOwn(noteCodecs, name);
}
