import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { catalogue, checkGroups } from '../../../src/prechecks/catalogue.ts';
import type { Facts } from '../../../src/facts/facts.ts';
import { blocks, judgeFact, unknown, weight } from '../../../src/findings/finding.ts';
import { hazards } from '../../../src/hazards/table.ts';
import { notCopyable } from './copyable.ts';
import { facts, known, unread } from './facts.ts';

type FactName = {
  [K in keyof Facts]: Facts[K] extends { readonly known: boolean } ? K : never;
}[keyof Facts];

/** Which checks need which fact. */
const needs: Readonly<Record<FactName, readonly string[]>> = {
  missingPermissions: ['permissions'],
  // Without it the remedy has a placeholder.
  user: [],
  // It only predicts.
  applicationStart: [],
  server: ['superuser-login', 'server-version', 'layout-data-directory', 'majors', 'security-faults'],
  volumeTrial: ['transfer'],
  databases: ['encoding-and-locale', 'free-space', 'sort-order', 'restore-test'],
  sortOrders: ['sort-order'],
  obstacles: ['prepared-transactions', 'replication-slots'],
  extensions: ['extensions'],
  libraries: ['libraries'],
  hazards: hazards.map((h) => h.id),
  files: [
    'layout-mount',
    'layout-data-directory',
    'layout-wal',
    'layout-tablespaces',
    'majors',
    'layout-user',
    'free-space',
    'fs-group',
    'leftovers',
  ],
  clients: ['clients'],
  neighbours: ['clients', 'foreign-workloads'],
  helmRevisions: ['helm-release'],
  reconcilers: ['gitops'],
  otherVolumeUsers: ['volume-users'],
  charts: ['server-release'],
  snapshotClass: ['volume-snapshot'],
  storageClass: ['storage-class'],
  nodes: ['placement'],
  budgets: ['placement'],
  refused: ['admission'],
  leftoverObjects: ['leftovers'],
  // It only costs storage.
  keptData: [],
  upgradeProbe: ['images', 'security-faults', 'locales-in-images', 'libraries'],
  trial: ['serving-start'],
  md5Roles: ['serving-logins'],
  servingProbe: ['images', 'security-faults', 'locales-in-images', 'extensions', 'libraries', 'sort-order'],
  restoreTest: ['restore-test'],
  // Only read where the restore test got no connection.
  networkPolicies: [],
};
/** Checks that only warn where a fact is not known: what they ask is asked again before the downtime, or costs no data. */
const warning: readonly FactName[] = ['storageClass', 'nodes', 'budgets'];
const factNames = Object.keys(needs) as FactName[];
const probes = ['upgradeProbe', 'servingProbe', 'restoreTest'] as const;

/** `answerOf` ends where there is no such check. */
function namedInTests(): Set<string> {
  const directory = path.join(import.meta.dirname, 'checks');
  const texts = readdirSync(directory).map((file) => readFileSync(path.join(directory, file), 'utf8'));
  return new Set(texts.flatMap((text) => [...text.matchAll(/answerOf\(\s*'([a-z-]+)'/g)].map(([, id = '']) => id)));
}

const finiteVerb =
  / (?:is|are|was|were|be|has|have|had|do|does|did|can|may|must|will|should|accepts?|admits?|answers?|asks?|belongs?|gets|holds?|keeps?|knows?|leaves|loads|needs?|puts?|reads?|says?|sets|sorts|stands?|starts|stays|takes|uses|works)\b|n't\b|\bnot\b/;

describe('the catalogue of checks', () => {
  test('has no check without tests of its own', () => {
    const named = namedInTests();
    // Those of hazards have fixtures in a real server, those of the values file GitHub's double.
    const others = catalogue.filter(({ id, subject }) => subject !== 'values' && !hazards.some((h) => h.id === id));
    expect(others.map(({ id }) => id).filter((id) => !named.has(id))).toEqual([]);
  });

  test('names each check once, with what it asks, why, and what to do', () => {
    const ids = catalogue.map((c) => c.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const check of catalogue) {
      expect(check.id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(check.expected.length).toBeGreaterThan(10);
      expect(check.why.length).toBeGreaterThan(20);
      expect(check.advice.length).toBeGreaterThan(10);
    }
  });

  test.each(catalogue)('$id has a title that reads right beside each status', ({ title }) => {
    expect(title).toMatch(/^(?:[A-Z]|search_path|fsGroup).{9,69}[^.!?]$/);
    // A sentence says what is so, and a failure then means its opposite: in "✗ No index is invalid" nobody sees which.
    const [subject = ''] = title.split(/ (?:that|which|where) /);
    expect(subject).not.toMatch(/^(?:All|Both|Each|Every|Neither|No|Nobody|None|Nothing|There|Whatever)\b/);
    expect(subject).not.toMatch(finiteVerb);
  });

  test('has no title twice, of a subject neither, and no subject whose heading is the id of a check', () => {
    const titles = [...catalogue, ...checkGroups].map(({ title }) => title);
    const headings = checkGroups.map(({ title }) => title.toLowerCase().replaceAll(' ', '-'));
    expect(catalogue.map(({ id }) => id).filter((id) => headings.includes(id))).toEqual([]);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  test.each(catalogue)('$id passes for a server that can be upgraded, and says what it saw', async (check) => {
    const answer = check.run(await facts());
    expect(answer.status).toBe('passed');
    expect(answer.evidence.join('').length).toBeGreaterThan(0);
  });

  test.each(factNames.flatMap((fact) => needs[fact].map((id) => [fact, id] as const)))(
    'without the fact %s, %s has not passed, and says why it can not be told',
    async (fact, id) => {
      const check = catalogue.find((c) => c.id === id);
      const answer = check?.run(await facts({ [fact]: unread('pods is forbidden for user "ci"') }));
      expect(answer?.status).toBe(warning.includes(fact) ? 'warning' : 'unknown');
      expect(answer?.evidence.join('\n')).toContain('pods is forbidden for user "ci"');
      expect(answer?.remedy?.text).toMatch(/\S/);
      expect(notCopyable(answer?.remedy ?? { text: '' })).toEqual([]);
    },
  );

  test.each(probes.flatMap((fact) => needs[fact].map((id) => [fact, id] as const)))(
    'with "probes: none", so without %s, %s is unknown and blocks nothing: its reason says what the upgrade does instead',
    async (fact, id) => {
      const check = catalogue.find((c) => c.id === id);
      const answer = check?.run(await facts({ [fact]: unread('image:1 was not asked (probes: none)', 'not-asked') }));
      expect(answer?.status).toBe('unknown');
      expect(answer?.ignored).toMatch(/\bJob\b|\bthe upgrade\b/i);
      expect(answer?.evidence.join('\n')).toContain('image:1 was not asked');
      expect(answer?.remedy?.text).toContain('"probes"');
    },
  );

  test.each(factNames)('without the fact %s, no other check changes its answer', async (fact) => {
    const without = await facts({ [fact]: unread('forbidden') });
    const changed = catalogue.filter((check) => check.run(without).status !== 'passed').map((check) => check.id);
    expect(changed.sort()).toEqual([...needs[fact]].sort());
  });

  test('without any fact, only what needs none passes', async () => {
    const unreadFacts = Object.fromEntries(factNames.map((fact) => [fact, unread('forbidden')]));
    const nothing = await facts({ ...unreadFacts, pullRequest: undefined });
    const passing = catalogue.filter((check) => check.run(nothing).status === 'passed').map((check) => check.id);
    expect(passing).toEqual([
      'cluster-access',
      'secret-masking',
      'statefulset',
      'pod-containers',
      'termination-grace',
      'volume-claim',
      'applications',
      'operator',
    ]);
  });
});

describe('a finding', () => {
  test.each([
    ['passed', 'failed', false],
    ['warning', 'failed', false],
    ['failed', 'failed', true],
    ['unknown', 'failed', true],
    ['passed', 'warning', false],
    ['warning', 'warning', true],
    ['failed', 'warning', true],
    ['unknown', 'warning', true],
  ] as const)('that is %s, with fail-on %s, blocks: %s', (status, failOn, expected) => {
    expect(blocks({ check: 'x', title: 'X', docs: '', status, evidence: [] }, failOn)).toBe(expected);
  });

  test.each([
    ['warning', 'passed'],
    ['failed', 'warning'],
    ['unknown', 'warning'],
  ] as const)('that is %s and ignored counts as %s in the verdict, and blocks nothing', (status, counted) => {
    const ignored = { check: 'x', title: 'X', docs: '', status, evidence: [], ignored: 'we know' };
    expect(weight(ignored)).toBe(counted);
    expect(blocks(ignored, 'failed')).toBe(false);
    expect(blocks(ignored, 'warning')).toBe(false);
  });

  test('of an unknown fact is never that of the check', () => {
    const judged = judgeFact(unread('no answer'), () => ({ status: 'passed', evidence: [] }));
    expect(judged).toEqual(unknown(judged.remedy ?? { text: '' }, 'no answer'));
    expect(judgeFact(known(1), (n) => ({ status: 'passed', evidence: [String(n)] })).evidence).toEqual(['1']);
  });
});
