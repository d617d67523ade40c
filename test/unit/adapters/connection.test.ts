import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from '@jest/globals';
import { Connection } from '../../../src/adapters/connection.ts';
import { Credentials } from '../../../src/adapters/credentials.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeRunner } from '../fake-runner.ts';
import { thrownBy } from '../thrown.ts';

const nobody = 'https://127.0.0.1:1';

const connection = (cluster: object, user: object) => {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: nobody, ...cluster }],
    users: [{ name: 'u', ...user }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const { log } = new FakeRunner();
  return new Connection(
    new Credentials(
      () => config,
      () => undefined,
      log,
    ),
    new FakeClock(),
    log,
    1000,
  );
};

test.each([
  [
    'a program',
    {},
    { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-helper', interactiveMode: 'Never' } },
    'the program no-such-helper',
    'Install no-such-helper on the runner',
  ],
  [
    'a CA file',
    { caFile: '/nowhere/ca.crt' },
    { token: 't' },
    'the file /nowhere/ca.crt',
    'certificate-authority-data',
  ],
])('%s that the kubeconfig names and the machine lacks is no matter of the network', async (...row) => {
  const [, cluster, user, what, remedy] = row;
  const call = connection(cluster, user).call('read the namespace', { method: 'GET', path: '/' });
  const error = await thrownBy(() => call);
  expect(error).toMatchObject({
    message: expect.stringContaining(what),
    remedy: { text: expect.stringContaining(remedy) as unknown },
  });
});

test('a server that is not there still is one', async () => {
  const call = connection({}, { token: 't' }).call('read the namespace', { method: 'GET', path: '/' });
  const error = await thrownBy(() => call);
  expect(error).toMatchObject({
    code: 'unreachable',
    remedy: { text: expect.stringContaining('the network') as unknown },
  });
});
