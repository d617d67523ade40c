import { describe, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { runAction } from './action.ts';
import type { Fault } from './api-server.ts';
import { breakOff, cutJson, hangUp, late, page, refuse } from './faults.ts';
import { Scenario } from './scenario.ts';
import { withoutMasks } from './workflow-commands.ts';

const first = 'GET /api/v1/namespaces/circleci-server';

describe('a server that cannot be used ends the run at the first call', () => {
  test.concurrent('nobody listens', async () => {
    await using scenario = await Scenario.begin();
    const { address } = scenario.api;
    const kubeconfig = scenario.file('of-a-stopped-server', scenario.kubeconfig());
    await scenario.api.stop();
    const end = await runAction({ namespace: 'circleci-server', kubeconfig });
    expect(end.exitCode).toBe(1);
    expect(end.errors).toEqual([
      expect.stringContaining(`no answer from ${address} (context production): connect ECONNREFUSED`),
    ]);
    expect(end.report?.error?.code).toBe('unreachable');
    expect(end.stdout).not.toContain('before the next attempt');
    expect(end.seconds).toBeLessThan(10);
  });

  test.concurrent('its certificate is from an unknown authority', async () => {
    await using scenario = await Scenario.begin();
    const end = await scenario.run({
      kubeconfig: dump(scenario.kubeconfig({ cluster: { server: scenario.api.address } })),
    });
    expect(end.exitCode).toBe(1);
    expect(end.errors).toEqual([expect.stringMatching(/^unreachable: .*certificate/)]);
    expect(end.stdout).not.toContain('before the next attempt');
    expect(scenario.api.calls).toEqual([]);
  });

  test.concurrent('its certificate is for another name', async () => {
    await using scenario = await Scenario.begin();
    const { cluster = {} } = scenario.kubeconfig().clusters[0] ?? {};
    const server = scenario.api.address.replace('127.0.0.1', 'localhost');
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ cluster: { ...cluster, server } })) });
    expect(end.errors).toEqual([expect.stringMatching(/^unreachable: .*certificate/)]);
    expect(scenario.api.calls).toEqual([]);
  });

  test.concurrent('it does not know the token', async () => {
    await using scenario = await Scenario.begin();
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ user: { token: 'of-yesterday' } })) });
    expect(end.exitCode).toBe(1);
    expect(end.errors).toEqual([expect.stringContaining('unauthorized: ')]);
    expect(end.errors[0]).toContain('does not accept the token of user "upgrader" of the kubeconfig');
    expect(withoutMasks(end.stdout)).not.toContain('of-yesterday');
    // The second time with what the kubeconfig has by then.
    expect(scenario.api.lines).toEqual([first, first]);
  });

  test.concurrent('the program that should bring the token is not there', async () => {
    await using scenario = await Scenario.begin();
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'cloud-login-that-is-not-installed' };
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ user: { exec } })) });
    expect(end.exitCode).toBe(1);
    expect(end.errors).toEqual([expect.stringContaining('cloud-login-that-is-not-installed')]);
    expect(scenario.api.calls).toEqual([]);
  });

  test.concurrent.each<[string, Fault, RegExp]>([
    ['a login page', page(200, 'Sign in to the company proxy'), /Sign in to the company proxy/],
    ['a page that forbids', page(403, 'Blocked by policy'), /Blocked by policy.*HTTP 403/],
    ['a page that there is nothing', page(404, 'nginx: Not Found'), /^refused: .*nginx: Not Found/],
    ['half an answer', cutJson, /^foreign-answer: .*not JSON/],
    ['an answer that breaks off', breakOff, /^unreachable: .*aborted/],
    ['no answer but the end of the connection', hangUp, /socket hang up/],
  ])('it gives %s', async (_what, fault, says) => {
    await using scenario = await Scenario.begin();
    scenario.api.answer('GET', /^\/api\/v1\/namespaces\/circleci-server$/, fault);
    const end = await scenario.run();
    expect(end.exitCode).toBe(1);
    expect(end.errors).toHaveLength(1);
    expect(end.errors[0]).toMatch(says);
    expect(end.summary).toContain('**What to do:**');
    expect(new Set(scenario.api.lines)).toEqual(new Set([first]));
  });
});

describe('once the server has answered', () => {
  test.concurrent('reads survive its bad moments, and the log tells of them', async () => {
    await using scenario = await Scenario.begin();
    const { api } = scenario;
    api.answer('GET', /\/persistentvolumeclaims\//, refuse(503, 'ServiceUnavailable', 'etcd leader changed'), 1);
    api.answer('GET', /\/deployments$/, refuse(500, 'InternalError', 'context deadline exceeded'), 1);
    api.answer('GET', /\/cronjobs$/, refuse(429, 'TooManyRequests', 'too many requests', { 'retry-after': '1' }), 1);
    api.answer('GET', /\/version$/, page(502, 'Bad Gateway'), 1);
    api.answer('GET', /\/volumesnapshotclasses$/, breakOff, 1);
    api.answer('GET', /\/secrets\//, late, 1);
    const end = await scenario.run();
    expect(end.errors).toEqual([]);
    expect(end.exitCode).toBe(0);
    const told = end.stdout.split('\n').filter((line) => line.includes('before the next attempt'));
    expect(told.sort()).toEqual([
      "Can't list cronjobs (HTTP 429). Waiting 1 s before the next attempt",
      "Can't list deployments (HTTP 500). Waiting 0.5 s before the next attempt",
      expect.stringMatching(/^Can't list volumesnapshotclasses \(.+\)\. Waiting 0.5 s before the next attempt$/),
      "Can't read PersistentVolumeClaim data-postgresql-0 (HTTP 503). Waiting 0.5 s before the next attempt",
      "Can't read the API server's version (HTTP 502). Waiting 0.5 s before the next attempt",
    ]);
  });

  test.concurrent.each<[string, Fault]>([
    ['a login page', page(200, 'Sign in')],
    ['half an answer', cutJson],
  ])('%s in the place of a list is no empty list: it blocks', async (_what, fault) => {
    await using scenario = await Scenario.begin();
    scenario.api.answer('GET', /\/jobs$/, fault);
    const end = await scenario.run({ mode: 'upgrade', confirm: 'circleci-server' });
    expect(end.exitCode).toBe(1);
    expect(end.report?.findings.find((f) => f.check === 'leftovers')?.status).toBe('unknown');
    expect(end.outputs['verdict']).toBe('unknown');
    expect(scenario.api.writes).toEqual([]);
  });

  test.concurrent('a write that may have been done is not tried again, and leaves the answer unknown', async () => {
    await using scenario = await Scenario.begin();
    const { api } = scenario;
    api.answer('POST', /\/jobs$/, refuse(500, 'InternalError', 'failed calling webhook'), 1);
    const end = await scenario.run();
    expect(api.lines.filter((l) => l.startsWith('POST') && l.endsWith('/jobs'))).toHaveLength(1);
    expect(end.exitCode).toBe(1);
    const admission = end.report?.findings.find((f) => f.check === 'admission');
    expect(admission?.status).toBe('unknown');
    expect(admission?.evidence.join()).toContain('failed calling webhook');
  });

  test.concurrent('a write that the server put off (429) is tried again', async () => {
    await using scenario = await Scenario.begin();
    const { api } = scenario;
    api.answer('POST', /\/volumesnapshots$/, refuse(429, 'TooManyRequests', 'slow down', { 'retry-after': '0' }), 1);
    const end = await scenario.run();
    expect(end.exitCode).toBe(0);
    expect(api.lines.filter((l) => l.startsWith('POST') && l.endsWith('/volumesnapshots'))).toHaveLength(2);
  });

  test.concurrent('a permission that is taken away in the middle is an answer, not a moment', async () => {
    await using scenario = await Scenario.begin();
    scenario.api.answer('GET', /\/version$/, refuse(401, 'Unauthorized', 'Unauthorized'));
    const end = await scenario.run();
    expect(end.exitCode).toBe(1);
    expect(end.report?.error?.code).toBe('unauthorized');
    expect(scenario.api.lines.filter((l) => l === 'GET /version')).toHaveLength(2);
  });
});
