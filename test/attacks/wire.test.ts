// The wire: no credential leaves over one that anybody can read, and what weakens it is told wherever people look.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { startBundle } from '../bundle.ts';
import { statusOf } from '../scenario/api-server.ts';
import { Scenario } from '../scenario/scenario.ts';

/** Listens without TLS; tells what it was sent. */
async function eavesdropper() {
  const heard: string[] = [];
  const server = http.createServer((request, response) => {
    heard.push(JSON.stringify(request.headers));
    response.end('{}');
  });
  server.on('upgrade', (request, socket) => {
    heard.push(JSON.stringify(request.headers));
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { heard, address, [Symbol.dispose]: () => server.close() };
}

test.concurrent.each([true, false])(
  'no token goes to an API server without TLS (insecure-skip-tls-verify: %s)',
  async (skip) => {
    using listener = await eavesdropper();
    await using scenario = await Scenario.begin();
    const cluster = { server: listener.address, 'insecure-skip-tls-verify': skip };
    for (const mode of ['precheck', 'status']) {
      const end = await scenario.run({ mode, kubeconfig: dump(scenario.kubeconfig({ cluster })) });
      expect(end.report?.error?.code).toBe('kubeconfig-server-insecure');
    }
    expect(listener.heard).toEqual([]);
  },
);

test.concurrent('no password of an address is shown with it', async () => {
  await using scenario = await Scenario.begin();
  for (const server of ['http://user:S3cret-99@127.0.0.1:1', 'https://user:S3cret-99@ x']) {
    const end = await scenario.run({ kubeconfig: dump(scenario.kubeconfig({ cluster: { server } })) });
    expect(end.report?.error?.code).toMatch(/^kubeconfig-server-(insecure|invalid)$/);
    expect(end.stdout + end.summary + end.reportText).not.toContain('S3cret-99');
  }
});

test.concurrent.each(['precheck', 'status'])(
  'verification that the kubeconfig switches off is told in mode %s',
  async (mode) => {
    await using scenario = await Scenario.begin();
    const cluster = { server: scenario.api.address, 'insecure-skip-tls-verify': true };
    const end = await scenario.run({ mode, kubeconfig: dump(scenario.kubeconfig({ cluster })) });
    const told = 'insecure-skip-tls-verify';
    for (const place of [end.warnings.join(), end.summary, end.report?.warnings.join() ?? ''])
      expect(place).toContain(told);
    if (mode === 'status') return;
    const finding = end.report?.findings.find((f) => f.check === 'cluster-access');
    expect(finding?.status).toBe('warning');
    expect(finding?.evidence.join()).toContain(told);
  },
);

test.concurrent('so is one that the environment switches off', async () => {
  await using scenario = await Scenario.begin();
  const kubeconfig = scenario.file('kubeconfig', scenario.kubeconfig());
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  // Node warns of it on its standard error, which no other run may write to.
  const end = await startBundle({ namespace: 'circleci-server', kubeconfig, mode: 'status' }, { environment }).end;
  expect(end.summary).toContain('The environment switches off the verification of TLS');
  expect(end.stdout).toMatch(/::warning.*NODE_TLS_REJECT_UNAUTHORIZED=0/);
});

test.concurrent('no token goes to a GitHub without TLS', async () => {
  await using scenario = await Scenario.begin();
  const environment = { GITHUB_API_URL: 'http://ghes.invalid/api/v3' };
  const inputs = { mode: 'values', 'values-file': 'values.yaml', 'github-token': 'ghs_0123456789' };
  const end = await scenario.run(inputs, { environment });
  expect(end.report?.error?.code).toBe('github-api-insecure');
});

const namespacePath = /^\/api\/v1\/namespaces\/circleci-server$/;
const deep = `${'{"a":['.repeat(20_000)}1${']}'.repeat(20_000)}`;

test.concurrent.each([
  ['null', 'null'],
  ['[]', 'a list'],
  ['"text"', 'a string'],
  [deep, 'more than 200 objects in one another'],
  ['{}', 'an object without metadata'],
])('an answer of 200 that is no object is told: %#', async (body, what) => {
  await using scenario = await Scenario.begin();
  scenario.api.answer('GET', namespacePath, (response) => response.writeHead(200).end(body));
  const end = await scenario.run();
  expect(end.report?.error?.code).toBe('foreign-answer');
  expect(end.errors[0]).toContain(`Can't read Namespace circleci-server: ${scenario.api.address}`);
  expect(end.errors[0]).toContain(`answers ${what}, which no API server does`);
});

test.concurrent.each(['{}', '{"metadata": {}, "items": {}}', '{"metadata": {}, "items": [null]}', 'null'])(
  'so is a list that is none: %s',
  async (body) => {
    await using scenario = await Scenario.begin();
    scenario.api.answer('GET', /\/statefulsets$/, (response) => response.writeHead(200).end(body));
    const end = await scenario.run();
    expect(end.report?.error?.code).toBe('foreign-answer');
    expect(end.errors[0]).toContain("Can't list statefulsets");
  },
);

test.concurrent('a refusal whose message is no text is told all the same', async () => {
  await using scenario = await Scenario.begin();
  const [status, body] = statusOf(403, 'Forbidden', 'x');
  scenario.api.answer('GET', namespacePath, (response) =>
    response.writeHead(status).end(JSON.stringify({ ...body, message: { a: 1 }, reason: [] })),
  );
  expect((await scenario.run()).report?.error?.code).toBe('forbidden');
});
