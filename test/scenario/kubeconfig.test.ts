import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { chmodSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import type { InputValues } from './action.ts';
import { Scenario } from './scenario.ts';

interface Given {
  readonly inputs: InputValues;
  readonly environment?: Readonly<Record<string, string>>;
}

describe('the cluster is reached by a kubeconfig', () => {
  const ways: Readonly<Record<string, (scenario: Scenario) => Given>> = {
    'at a path': (s) => ({ inputs: { kubeconfig: s.file('k', s.kubeconfig()) } }),
    'given as YAML': (s) => ({ inputs: { kubeconfig: dump(s.kubeconfig()) } }),
    'given as JSON in one line': (s) => ({ inputs: { kubeconfig: JSON.stringify(s.kubeconfig()) } }),
    'given as JSON for people': (s) => ({ inputs: { kubeconfig: JSON.stringify(s.kubeconfig(), undefined, 2) } }),
    'in KUBECONFIG': (s) => ({ inputs: { kubeconfig: '' }, environment: { KUBECONFIG: s.file('k', s.kubeconfig()) } }),
    'in two files of KUBECONFIG': (s) => {
      const { users, ...others } = s.kubeconfig();
      const files = [s.file('a', dump({ ...others, users: [] })), s.file('b', dump({ kind: 'Config', users }))];
      return { inputs: { kubeconfig: '' }, environment: { KUBECONFIG: files.join(':') } };
    },
    'with a client certificate': (s) => ({
      inputs: { kubeconfig: dump(s.kubeconfig({ user: s.clientCertificate() })) },
    }),
    'with a context that is not the current one': (s) => {
      const dead = { name: 'dead', cluster: { server: 'https://127.0.0.1:1' } };
      const { clusters, contexts, ...others } = s.kubeconfig();
      const other = { name: 'other', context: { cluster: 'dead', user: 'upgrader' } };
      const kubeconfig = { ...others, clusters: [...clusters, dead], contexts: [...contexts, other] };
      return { inputs: { kubeconfig: dump({ ...kubeconfig, 'current-context': 'other' }), context: 'production' } };
    },
    'with a program that brings the token': (s) => {
      const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential' };
      const program = s.file(
        'login',
        `#!/bin/sh\necho '${JSON.stringify({ ...credential, status: { token: s.api.token } })}'\n`,
      );
      chmodSync(program, 0o700);
      const user = { exec: { apiVersion: credential.apiVersion, command: program, interactiveMode: 'Never' } };
      return { inputs: { kubeconfig: dump(s.kubeconfig({ user })) } };
    },
  };

  test.concurrent.each(Object.entries(ways))('%s', async (_way, give) => {
    await using scenario = await Scenario.begin();
    const { inputs, environment } = give(scenario);
    // The first answer is enough to tell that it was reached and knows the credentials.
    scenario.api.objects.remove({ resource: 'namespaces', namespace: '', name: 'circleci-server' });
    const end = await scenario.run(inputs, environment === undefined ? {} : { environment });
    expect(end.report?.error?.code).toBe('namespace-not-found');
    expect(end.report?.cluster).toBe(`${scenario.api.address} (context production)`);
    expect(scenario.api.lines).toEqual(['GET /api/v1/namespaces/circleci-server']);
  });

  test.concurrent.each(['with a client certificate', 'with a program that brings the token'])(
    '%s, for commands in pods too',
    async (way) => {
      await using scenario = await Scenario.begin();
      const end = await scenario.run(ways[way]?.(scenario).inputs);
      expect(end.errors).toEqual([]);
      expect(end.exitCode).toBe(0);
    },
  );

  test.concurrent('through the proxy that it names, commands in pods too', async () => {
    await using scenario = await Scenario.begin();
    const tunnels: string[] = [];
    const proxy = http.createServer().on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      const [host, port] = (request.url ?? '').split(':');
      const through = net.connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      through.on('error', () => socket.destroy());
      socket.on('error', () => through.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { cluster = {} } = scenario.kubeconfig().clusters[0] ?? {};
    const url = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
    const end = await scenario.run({
      kubeconfig: dump(scenario.kubeconfig({ cluster: { ...cluster, 'proxy-url': url } })),
    });
    proxy.close();
    proxy.closeAllConnections();
    expect(end.errors).toEqual([]);
    expect(tunnels.length).toBe(scenario.api.connected);
    expect(scenario.api.calls.some((c) => c.path.endsWith('/exec'))).toBe(true);
  });
});

describe('without a usable kubeconfig no connection is opened', () => {
  const brokenLine = (s: Scenario) => `users:\n- name: a\n  user:\n    token: "${s.api.token}\n  x: [`;
  const ways: Readonly<Record<string, [code: string, says: string, (scenario: Scenario) => Given]>> = {
    'there is none at the path': [
      'kubeconfig-not-found',
      '/does/not/exist',
      () => ({ inputs: { kubeconfig: '/does/not/exist' } }),
    ],
    'the path is a directory': ['kubeconfig-not-found', '/etc', () => ({ inputs: { kubeconfig: '/etc' } })],
    'there is none at all': ['kubeconfig-missing', 'KUBECONFIG', () => ({ inputs: { kubeconfig: '' } })],
    'KUBECONFIG names no file': [
      'kubeconfig-not-found',
      'KUBECONFIG',
      () => ({ inputs: { kubeconfig: '' }, environment: { KUBECONFIG: '/does/not/exist' } }),
    ],
    'its content is no YAML': ['kubeconfig-unreadable', '', (s) => ({ inputs: { kubeconfig: brokenLine(s) } })],
    'its file is no YAML': [
      'kubeconfig-unreadable',
      '',
      (s) => ({ inputs: { kubeconfig: s.file('k', brokenLine(s)) } }),
    ],
    'its file is empty': ['kubeconfig-', '', (s) => ({ inputs: { kubeconfig: s.file('k', '') } })],
    'its file is YAML of something else': [
      'kubeconfig-',
      '',
      (s) => ({ inputs: { kubeconfig: s.file('k', 'a: 1\nb: 2\n') } }),
    ],
    'its file is a list': ['kubeconfig-', '', (s) => ({ inputs: { kubeconfig: s.file('k', '- a\n- b\n') } })],
    'its context is not there': [
      'kubeconfig-no-context',
      'production',
      (s) => ({ inputs: { kubeconfig: dump(s.kubeconfig()), context: 'staging' } }),
    ],
    'its context names no cluster': [
      'kubeconfig-no-cluster',
      'names no cluster',
      (s) => ({ inputs: { kubeconfig: dump({ ...s.kubeconfig(), clusters: [] }) } }),
    ],
    'it has no current context': [
      'kubeconfig-no-cluster',
      'names no cluster',
      (s) => ({ inputs: { kubeconfig: dump({ ...s.kubeconfig(), 'current-context': '' }) } }),
    ],
  };

  test.concurrent.each(Object.entries(ways))('%s', async (_way, [code, says, give]) => {
    await using scenario = await Scenario.begin();
    const { inputs, environment } = give(scenario);
    const end = await scenario.run(inputs, environment === undefined ? {} : { environment });
    expect(end.exitCode).toBe(1);
    expect(end.errors).toEqual([expect.stringContaining(says)]);
    expect(end.report?.error?.code).toContain(code);
    expect(scenario.api.connected).toBe(0);
  });
});
