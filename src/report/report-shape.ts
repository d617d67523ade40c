import { z } from 'zod';
import { planShape, type Immutable } from './plan-shape.ts';

const remedy = z.strictObject({
  text: z.string().min(1).describe('Sentences. What is between backticks in them is to be copied as it stands.'),
  commands: z
    .array(
      z.strictObject({
        in: z.enum(['shell', 'psql']),
        lines: z.array(z.string()).min(1).describe('To be copied together: a command may go over several lines.'),
      }),
    )
    .min(1)
    .exactOptional()
    .describe('Commands that go to a shell or to psql, in this order.'),
});

const finding = z
  .strictObject({
    check: z.string().regex(/^[a-z][a-z-]+$/),
    title: z.string().min(1),
    status: z.enum(['passed', 'warning', 'failed', 'unknown']),
    evidence: z.array(z.string().min(1)).min(1).describe('What was seen; bounded, without secrets.'),
    remedy: remedy.exactOptional().describe('What to do; there unless passed.'),
    ignored: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Why it stops nothing: the reason of "ignore-checks", or the input that says not to ask.'),
    place: z
      .strictObject({ file: z.string().min(1), line: z.int().min(1) })
      .exactOptional()
      .describe('Where in the repository it is, for findings about a file.'),
    cause: z
      .strictObject({
        reason: z.string().min(1).describe('The same for all findings that wait for it.'),
        check: z.string().exactOptional().describe('The check that has found it; absent where none has.'),
      })
      .exactOptional()
      .describe('Why it is unknown, where that keeps other checks from an answer too, or another check has found it.'),
    docs: z.string(),
  })
  .refine((f) => f.docs.endsWith(`docs/checks.md#${f.check}`), 'docs is not the place of its check')
  .refine((f) => (f.status === 'passed') === (f.remedy === undefined), 'a remedy, if and only if it did not pass');

const cleanup = z.strictObject({
  healthySince: z
    .string()
    .optional()
    .describe('Since when PostgreSQL 14 has been healthy; absent where nothing tells it.'),
  gates: z
    .array(
      z.strictObject({
        id: z.string(),
        title: z.string(),
        status: z.enum(['met', 'unmet', 'unknown']),
        said: z.string().describe('What was seen.'),
      }),
    )
    .describe('The conditions. Unless all are met, nothing is removed.'),
  items: z
    .array(
      z.strictObject({
        kind: z.enum([
          'Directory',
          'Pod',
          'Job',
          'PersistentVolumeClaim',
          'VolumeSnapshot',
          'PersistentVolume',
          'ReclaimPolicy',
          'ConfigMap',
        ]),
        name: z.string(),
        bytes: z.number().optional().describe('What it takes in the storage; absent where nothing tells it.'),
        why: z.string(),
        isRemoved: z.boolean().describe('It was seen to be gone.'),
      }),
    )
    .describe('In the order in which they are removed.'),
  left: z
    .array(z.strictObject({ kind: z.string(), name: z.string(), why: z.string() }))
    .describe('What looks like an item, and is none.'),
  areSizesUpperBounds: z
    .boolean()
    .describe('The files of the directories share their room with those of PostgreSQL 14.'),
  backup: z.string().optional().describe('Kind and name of the backup of PostgreSQL 14 that the cleanup took.'),
  freedBytes: z
    .number()
    .optional()
    .describe("How much more the server's volume has free, as measured; the server writes meanwhile."),
});

const image = z.strictObject({
  registry: z.string(),
  repository: z.string(),
  tag: z.string(),
  reference: z.string(),
});

const askedImage = z.strictObject({
  reference: z.string(),
  seen: z
    .string()
    .optional()
    .describe('imageID of the probe that ran it; absent where no probe was asked or its node told none.'),
});

/** The JSON report as later steps may rely on it: no key is missing, none is new. */
export const reportShape = z.strictObject({
  schema: z.literal(2),
  version: z.string().describe('Version of the action; 0.0.0-unreleased where it is not a release.'),
  mode: z.enum(['precheck', 'rehearse', 'upgrade', 'status', 'rollback', 'cleanup', 'values']),
  namespace: z.string(),
  cluster: z.string().describe('Address of the API server.'),
  verdict: z.enum([
    'passed',
    'warning',
    'failed',
    'unknown',
    'upgraded',
    'already-upgraded',
    'reverted',
    'rolled-back',
    'cleaned-up',
    'interrupted',
    'proposed',
    'up-to-date',
    'declined',
    'not-started',
    'unfinished',
  ]),
  findings: z.array(finding).describe('One for each check that applies, in the order of docs/checks.md.'),
  checkSeconds: z
    .record(z.string(), z.number())
    .optional()
    .describe(
      'By check: seconds that the slowest reading of what it looked at took. Readings go on side by side, so these do not add up.',
    ),
  rehearsal: z
    .array(
      z.strictObject({
        id: z.string().regex(/^rehearsal-[a-z-]+$/),
        title: z.string().min(1),
        status: z.enum(['passed', 'warning', 'failed', 'unknown']),
        evidence: z.array(z.string().min(1)).min(1),
        remedy: remedy.exactOptional().describe('What to do; there unless passed.'),
        ignored: z.string().exactOptional().describe('Why it stops nothing: the input that says not to look.'),
      }),
    )
    .optional()
    .describe('One for each stage of a rehearsal, in their order; absent where none began.'),
  serving: z.boolean().describe('PostgreSQL 14 was started by this run and answered.'),
  image: image.optional(),
  images: z
    .strictObject({
      upgrade: askedImage,
      serving: askedImage,
      origin: z.string().describe('Where the images come from, and why.'),
    })
    .optional()
    .describe('The images of the upgrade Job and of PostgreSQL 14; absent where the checks did not run.'),
  phases: z.array(
    z.strictObject({
      id: z.string(),
      title: z.string(),
      startedAt: z.string().describe("ISO 8601 in UTC, by the runner's clock."),
      seconds: z.number(),
      expectedSeconds: z
        .number()
        .optional()
        .describe('What the checks let expect before the upgrade began; absent where nothing tells it.'),
      outcome: z.enum(['done', 'failed']),
    }),
  ),
  snapshot: z.string().optional().describe('Name of the VolumeSnapshot of the volume as it was before.'),
  backup: z.string().optional().describe('Kind and name of the object that holds the volume as it was before.'),
  backupTimes: z
    .strictObject({
      cutAt: z.string().optional().describe("By the storage's clock, as it tells it."),
      readyAt: z.string().optional().describe("When it was seen to be ready, by the API server's clock."),
    })
    .optional()
    .describe(
      'Of the VolumeSnapshot: when it was cut, and when it could be restored. Absent where this run did not see it.',
    ),
  backupProof: z
    .strictObject({
      by: z.enum(['upgrade', 'rehearsal']),
      run: z.string().optional().describe('Address of the run that rehearsed; absent for an upgrade.'),
      at: z.string().optional().describe("When the rehearsal ended, by the API server's clock; absent for an upgrade."),
    })
    .optional()
    .describe(
      'What showed before the downtime that such a backup can be restored: PostgreSQL 12 started on a copy. Absent where this run knows of nothing that did.',
    ),
  downtimeSeconds: z.number().optional().describe('From the stop of the first application to the last one being back.'),
  predictedDowntime: z
    .strictObject({
      seconds: z.number(),
      lowSeconds: z.number(),
      highSeconds: z.number(),
      isWithin: z
        .boolean()
        .optional()
        .describe(
          'Whether the downtime was from lowSeconds to highSeconds; absent where the upgrade did not come to its end.',
        ),
    })
    .optional()
    .describe('What an upgrade predicted right before its downtime. Absent where a step of it could not be predicted.'),
  statisticsSeconds: z
    .number()
    .optional()
    .describe(
      'From the stop of the first application until every table had full statistics, beside the applications. Absent where one has none.',
    ),
  prediction: z
    .strictObject({
      pgUpgradeSeconds: z.number(),
      databases: z.array(z.strictObject({ name: z.string(), dumpSeconds: z.number(), restoreSeconds: z.number() })),
    })
    .optional(),
  plan: planShape.optional().describe('What an upgrade would do; only for "dry-run".'),
  cleanup: cleanup.optional().describe('What a cleanup lists, and has removed; only for "mode: cleanup".'),
  transfer: z.string().optional().describe('How the files went over: clone, link or copy.'),
  comparison: z.string().optional().describe('By what the data was found to be as before the upgrade.'),
  versions: z.strictObject({ before: z.string().optional(), after: z.string().optional() }),
  status: z
    .strictObject({
      state: z.enum(['not-started', 'unfinished', 'upgraded']),
      step: z.string().optional(),
      holder: z.string().optional(),
      evidence: z.array(z.string().min(1)).min(1),
      safe: z.string(),
      next: remedy.describe('What to run next.'),
    })
    .optional(),
  pullRequest: z
    .strictObject({
      operation: z.enum(['created', 'updated', 'none', 'closed']),
      number: z.number().optional(),
      url: z.string().optional(),
      headSha: z.string().optional(),
      changes: z.array(
        z.strictObject({
          path: z.string(),
          line: z.number(),
          before: z.string().optional(),
          after: z.string(),
        }),
      ),
    })
    .optional(),
  issue: z
    .strictObject({
      operation: z.enum(['created', 'updated', 'closed', 'reopened', 'none', 'failed']),
      number: z.number().optional(),
      url: z.string().optional(),
    })
    .optional()
    .describe(
      'The issue about the prechecks; absent when none was asked for, or the checks did not come to their end.',
    ),
  nextSteps: z
    .array(remedy)
    .describe(
      'What is left to people after an upgrade or a way back, in the order in which to do it. After a precheck: what earlier upgrades left in the storage. Else empty.',
    ),
  warnings: z.array(z.string()),
  error: z.strictObject({ code: z.string(), message: z.string(), remedy }).optional(),
});

/** All that a run has to tell: written as JSON and rendered as the job summary. */
export type Report = Immutable<z.infer<typeof reportShape>>;

export type Verdict = Report['verdict'];

/** What a cleanup has to tell. */
export type CleanupReport = NonNullable<Report['cleanup']>;

export type AskedImage = NonNullable<Report['images']>['upgrade'];
