import { expect } from '@jest/globals';
import type { Libraries } from '../../../src/database/libraries.ts';
import type { DatabaseFacts, ServerFacts } from '../../../src/database/server.ts';
import type { SortOrder } from '../../../src/database/sort-order.ts';
import type { Trial } from '../../../src/probes/run-trial.ts';
import type { ImageFacts } from '../../../src/probes/probe.ts';
import type { RestoreResult, RestoreTestFacts } from '../../../src/probes/restore-test.ts';
import { catalogue } from '../../../src/prechecks/catalogue.ts';
import type { Facts } from '../../../src/facts/facts.ts';
import type { Answer } from '../../../src/findings/finding.ts';
import type { Known, Unknown } from '../../../src/common/known.ts';
import { hazards } from '../../../src/hazards/table.ts';
import { startedConfiguration } from '../fake-database.ts';
import { notCopyable } from './copyable.ts';
import { inputs, newImage, node, snapshotClass, storageClass, target } from '../objects.ts';

export function known<T>(value: T): Known<T> {
  return { known: true, value };
}

export function unread(reason: string, code: Unknown['code'] = 'forbidden'): Known<never> {
  return { known: false, reason, code };
}

export const server: ServerFacts = {
  versionNumber: 120016,
  version: '12.16',
  dataDirectory: '/bitnami/postgresql/data',
  inRecovery: false,
  bootstrapSuperuser: 'postgres',
  currentUser: 'postgres',
  dataChecksums: false,
  walSegmentSize: 16777216,
  archiveMode: 'off',
  plainLogins: 0,
  port: 5432,
};

export function databaseFacts(name: string, more: Partial<DatabaseFacts> = {}): DatabaseFacts {
  return {
    name,
    encoding: 'UTF8',
    collate: 'en_US.UTF-8',
    ctype: 'en_US.UTF-8',
    allowsConnections: name !== 'template0',
    bytes: 8_000_000,
    ...more,
  };
}

export const databases = ['circle', 'postgres', 'template0', 'template1'].map((name) => databaseFacts(name));

export const sortOrder: SortOrder = {
  collation: 'default',
  provider: 'libc',
  collate: 'en_US.UTF-8',
  ctype: 'en_US.UTF-8',
  indexes: 12,
  bytes: 5 * 1024 ** 2,
  digest: 'd1',
};

export const libraries: Libraries = {
  used: {
    circle: [
      {
        library: '$libdir/pgcrypto',
        uses: 1,
        names: ['extension pgcrypto'],
        drop: ['DROP EXTENSION pgcrypto;'],
      },
    ],
    postgres: [],
    template1: [],
  },
  preloaded: [
    { setting: 'shared_preload_libraries', who: 'the configuration', library: 'pg_stat_statements', reset: '' },
  ],
};

export const files = {
  userId: 1001,
  dataOwner: 1001,
  dataMode: '700',
  dataVersion: '12',
  sameFilesystem: true,
  filesystem: 'ext2/ext3',
  totalBytes: 8 * 1024 ** 3,
  freeBytes: 4 * 1024 ** 3,
  freeInodes: 500_000,
  data: { kilobytes: 1024 ** 2, files: 4000 },
  room: {
    link: { kilobytes: 191_592, inodes: 2900 },
    clone: { kilobytes: 216_563, inodes: 6900 },
    copy: { kilobytes: 1_292_596, inodes: 7100 },
  },
  entries: ['/bitnami/postgresql/conf', '/bitnami/postgresql/data'],
  foreignFiles: [],
  walLink: undefined,
  strayTablespaces: [],
  clusters: [],
};

export const upgradeProbe: ImageFacts = {
  image: inputs().upgradeImage,
  oldVersion: 'postgres (PostgreSQL) 12.16',
  newVersion: 'postgres (PostgreSQL) 14.22',
  pgUpgrade: 'pg_upgrade (PostgreSQL) 14.22',
  initdb: { 'UTF8 en_US.UTF-8 en_US.UTF-8': 'ok' },
  sortOrders: { 'UTF8 en_US.UTF-8 en_US.UTF-8': 'd1' },
  extensions: { plpgsql: '1.0', pgcrypto: '1.3' },
  libraries: { '$libdir/pgcrypto': 'ok' },
  preloads: {},
};

export const servingProbe: ImageFacts = {
  ...upgradeProbe,
  preloads: { pg_stat_statements: 'ok' },
  image: newImage,
  oldVersion: undefined,
  pgUpgrade: undefined,
};

/** 14 as it started with the chart's configuration. */
export const trial: Extract<Trial, { started: true }> = {
  image: newImage,
  started: true,
  configuration: startedConfiguration,
};

export const restoreTest: RestoreTestFacts = {
  image: inputs().upgradeImage,
  unreachable: undefined,
  broken: undefined,
  network: undefined,
  cpus: 4,
  places: [undefined, 'circle', 'postgres', 'template1'].map((database) => restoreResult(database)),
};

/** What came of one database, or of the roles. */
export function restoreResult(database: string | undefined, more: Partial<RestoreResult> = {}): RestoreResult {
  const nothing = { skipped: undefined, dump: [], failures: [], more: 0, server: [] };
  return { database, ...nothing, seconds: { dump: 0.25, restore: 0.5 }, ...more };
}

const noHazards = Object.fromEntries(hazards.map(({ id }) => [id, known({ total: 0, rows: [] })]));

/** The facts of a server that can be upgraded. */
export async function facts(more: Partial<Facts> = {}): Promise<Facts> {
  return {
    inputs: inputs(),
    target: await target(),
    serving: inputs().servingImage,
    upgradeImage: inputs().upgradeImage,
    unmaskedSecrets: [],
    access: { address: 'https://cluster.example:6443', version: 'v1.34.0', weaknesses: [] },
    missingPermissions: known([]),
    user: known(''),
    server: known(server),
    databases: known(databases),
    obstacles: known([]),
    extensions: known({
      circle: [
        { name: 'pgcrypto', version: '1.3', shadows: [] },
        { name: 'plpgsql', version: '1.0', shadows: [] },
      ],
    }),
    libraries: known(libraries),
    sortOrders: known({ circle: [sortOrder], postgres: [], template1: [] }),
    hazards: known({
      server: known(noHazards),
      databases: { circle: known(noHazards), postgres: known(noHazards), template1: known(noHazards) },
    }),
    files: known(files),
    volumeTrial: known({ clone: { works: false, said: 'Operation not supported' }, link: { works: true, said: '' } }),
    otherVolumeUsers: known([]),
    applicationStart: known(12.3),
    clients: known([]),
    neighbours: known([]),
    helmRevisions: known([{ release: 'circleci-server', revision: 7, status: 'deployed' }]),
    reconcilers: known([]),
    snapshotClass: known({
      driver: 'csi.example.com',
      chosen: snapshotClass('csi-class'),
      candidates: ['csi-class'],
    }),
    charts: known(['circleci-server-4.9.3', 'postgresql-12.1.2']),
    storageClass: known({ name: 'standard', found: storageClass() }),
    nodes: known([node()]),
    budgets: known([]),
    refused: known([]),
    leftoverObjects: known([]),
    keptData: known([]),
    upgradeProbe: known(upgradeProbe),
    servingProbe: known(servingProbe),
    trial: known(trial),
    md5Roles: known([]),
    restoreTest: known(restoreTest),
    networkPolicies: known([]),
    pullRequest: (['values-file', 'values-branch', 'push-right', 'branch-rules', 'pull-request-right'] as const).map(
      (id) => ({ id, status: 'passed', evidence: ['asked'], ...(id === 'values-file' ? { names: '' } : {}) }),
    ),
    ...more,
  };
}

/** The answer of one check to facts that differ from the good ones. */
export async function answerOf(
  id: string,
  more: Partial<Facts> = {},
): Promise<Answer & { text: string; commands: string }> {
  const check = catalogue.find((c) => c.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  const answer = check.run(await facts(more));
  if (answer.remedy !== undefined) expect(notCopyable(answer.remedy)).toEqual([]);
  const commands = (answer.remedy?.commands ?? []).flatMap(({ lines }) => lines).join('\n');
  return { ...answer, text: answer.evidence.join('\n'), commands };
}
