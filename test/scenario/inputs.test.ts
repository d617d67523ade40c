import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { Circumstances, InputValues } from './action.ts';
import { Scenario } from './scenario.ts';

// The bundle without the part that talks to Kubernetes: whoever needs it, fails.
const dist = path.resolve(import.meta.dirname, '../../dist');
const lean = mkdtempSync(path.join(tmpdir(), 'lean-bundle-'));
const chunks = readdirSync(dist).filter((file) => /^\d+\.index\.js$/.test(file));
cpSync(dist, lean, { recursive: true, filter: (file) => !chunks.includes(path.basename(file)) });
const bundle = path.join(lean, 'index.js');

afterAll(() => {
  rmSync(lean, { recursive: true });
});

const upgrade = { mode: 'upgrade', confirm: 'circleci-server' };
const own = { repository: { full_name: 'admins/server' } };
const ofFork = { ...own, workflow_run: { event: 'pull_request', head_repository: { full_name: 'stranger/server' } } };
const ofOwn = { ...own, workflow_run: { event: 'schedule', head_repository: { full_name: 'admins/server' } } };

interface Refusal {
  readonly title: string;
  readonly inputs: InputValues;
  readonly circumstances?: Circumstances;
  readonly code: string;
  readonly says: string;
}

const refusals: Refusal[] = [
  { title: 'no namespace', inputs: { namespace: '' }, code: 'input-missing', says: 'Input "namespace" is required.' },
  {
    title: 'a namespace that is a path',
    inputs: { namespace: 'a/../b' },
    code: 'input-invalid',
    says: 'Input "namespace" is "a/../b"',
  },
  {
    title: 'an unknown mode',
    inputs: { mode: 'reherse' },
    code: 'input-invalid',
    says: 'Input "mode" is "reherse", which is not one of: precheck, rehearse, upgrade, status, rollback, cleanup, values.',
  },
  {
    title: 'an upgrade without confirm',
    inputs: { mode: 'upgrade' },
    code: 'confirm-missing',
    says: 'needs "confirm" to be the namespace, "circleci-server"; it is empty',
  },
  {
    title: 'an upgrade that confirms another namespace',
    inputs: { mode: 'upgrade', confirm: 'staging' },
    code: 'confirm-missing',
    says: 'it is "staging"',
  },
  {
    title: 'an upgrade on push',
    inputs: upgrade,
    circumstances: { event: 'push', payload: own },
    code: 'event-refused',
    says: '"mode: upgrade" does not run on the event push',
  },
  {
    title: 'a precheck on pull_request',
    inputs: {},
    circumstances: { event: 'pull_request', payload: own },
    code: 'event-refused',
    says: 'does not run on the event pull_request',
  },
  {
    title: 'a precheck on workflow_run for a fork',
    inputs: {},
    circumstances: { event: 'workflow_run', payload: ofFork },
    code: 'fork-refused',
    says: 'does not run for a fork',
  },
  {
    title: 'a precheck on workflow_run of a fork that is gone',
    inputs: {},
    circumstances: {
      event: 'workflow_run',
      payload: { ...own, workflow_run: { event: 'push', head_repository: null } },
    },
    code: 'fork-refused',
    says: 'does not run for a fork',
  },
  {
    title: 'an unknown release',
    inputs: { 'server-release': '3.4' },
    code: 'release-unknown',
    says: 'Input "server-release" is 3.4, a release of CircleCI Server for which no image of PostgreSQL 14 is known',
  },
  {
    title: 'resources that are no YAML',
    inputs: { resources: '{limits: [' },
    code: 'resources-invalid',
    says: 'Input "resources" is not in the form',
  },
  {
    title: 'resources with an unknown key',
    inputs: { resources: 'limit: {cpu: 1}' },
    code: 'resources-invalid',
    says: 'limit',
  },
  {
    title: 'a timeout without a unit',
    inputs: { 'job-timeout': '120' },
    code: 'input-invalid',
    says: 'Input "job-timeout" is "120"',
  },
];

test.concurrent.each(refusals)('$title is refused before Kubernetes is even loaded', async (refusal) => {
  const { inputs, circumstances, code, says } = refusal;
  await using scenario = await Scenario.begin();
  const end = await scenario.run(inputs, { ...circumstances, bundle });
  expect(end.exitCode).toBe(1);
  expect(end.errors).toHaveLength(1);
  expect(end.errors[0]).toContain(`${code}: `);
  expect(end.errors[0]).toContain(says);
  expect(end.errors[0]).toContain(' What to do: ');
  expect(end.groups).toEqual([]);
  expect(end.outputs['verdict']).toBe('failed');
  expect(end.report?.error?.code).toBe(code);
  expect(end.summary).toContain('**What to do:**');
  expect(scenario.api.connected).toBe(0);
});

test.concurrent('good inputs do need the part that talks to Kubernetes', async () => {
  expect(chunks).toHaveLength(2); // Kubernetes and GitHub
  await using scenario = await Scenario.begin();
  await expect(scenario.run({}, { bundle })).rejects.toThrow('a fault of the action itself');
});

test.concurrent.each([
  { title: 'a precheck on workflow_run of the own repository', inputs: {}, payload: ofOwn, event: 'workflow_run' },
  { title: 'a precheck on push', inputs: {}, payload: own, event: 'push' },
  { title: 'an upgrade on schedule', inputs: upgrade, payload: own, event: 'schedule' },
])('$title may look at the cluster', async ({ inputs, payload, event }) => {
  await using scenario = await Scenario.begin();
  scenario.api.objects.remove({ resource: 'namespaces', namespace: '', name: 'circleci-server' });
  const end = await scenario.run(inputs, { event, payload });
  expect(end.report?.error?.code).toBe('namespace-not-found');
  expect(scenario.api.lines).toContain('GET /api/v1/namespaces/circleci-server');
  expect(scenario.api.lines.filter((line) => !line.startsWith('GET '))).toEqual([]);
});
