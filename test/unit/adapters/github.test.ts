import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { connectGitHub } from '../../../src/adapters/github.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLog } from '../fake-runner.ts';
import { thrownBy } from '../thrown.ts';
import { branch, Scene } from '../pull-request/scene.ts';

describe('connecting', () => {
  const options = {
    token: 'ghs_x',
    clock: new FakeClock(),
    log: new FakeLog(),
    mask: () => undefined,
    environment: (name: string) => (name === 'GITHUB_REPOSITORY' ? 'o/r' : ''),
  };

  it('goes to github.com where the environment names no server', () => {
    expect(connectGitHub(options)).toMatchObject({ repository: 'o/r', serverUrl: 'https://github.com' });
  });

  it.each([
    [{ token: '' }, 'github-token-missing'],
    [{ environment: () => '' }, 'github-repository-missing'],
    [{ environment: () => 'nonsense' }, 'github-repository-missing'],
  ])('refuses %j', async (more, code) => {
    expect((await thrownBy(() => connectGitHub({ ...options, ...more }))).code).toBe(code);
  });
});

it('works on a GitHub Enterprise Server', async () => {
  const scene = await Scene.open({ apiPath: '/api/v3' });
  try {
    const result = await scene.publish();
    expect(scene.double.apiUrl).toMatch(/\/api\/v3$/);
    expect(result.url).toBe(`${scene.double.serverUrl}/octo-org/infrastructure/pull/1`);
    expect(scene.diff).toHaveLength(2);
  } finally {
    await scene.close();
  }
});

it('takes no page of a proxy for an answer', async () => {
  const scene = await Scene.open();
  try {
    scene.double.play('GET', /infrastructure$/, { status: 200, body: '<html>Log in</html>' });
    expect((await thrownBy(() => scene.publish())).code).toBe('github-unexpected-answer');
  } finally {
    await scene.close();
  }
});

describe('the proxy of the environment', () => {
  const names = ['http_proxy', 'no_proxy', 'HTTP_PROXY', 'NO_PROXY'] as const;
  const before = names.map((name) => [name, process.env[name]] as const);
  let proxy: Server | undefined;
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    proxy?.closeAllConnections();
    proxy?.close();
  });

  /** Tunnels everything to the double, whatever name was asked for. */
  async function startProxy(port: number): Promise<string[]> {
    const asked: string[] = [];
    const server = createServer();
    proxy = server;
    server.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      const there = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        there.pipe(socket).pipe(there);
      });
      there.on('error', () => socket.destroy());
      socket.on('error', () => there.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    for (const name of names) Reflect.deleteProperty(process.env, name);
    process.env['http_proxy'] = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    return asked;
  }

  it('is used, and left out for what NO_PROXY names', async () => {
    const scene = await Scene.open();
    try {
      const asked = await startProxy(scene.double.port);
      const github = scene.connect({ apiUrl: 'http://github.localhost:80' });
      expect(await github.branchHead('main')).toBe(scene.git.head('main'));
      expect(asked).toEqual(['github.localhost:80']);
      process.env['no_proxy'] = 'github.localhost';
      const error = await thrownBy(() => scene.connect({ apiUrl: 'http://github.localhost:80' }).branchHead(branch));
      expect(error.code).toBe('github-unreachable');
      expect(asked).toHaveLength(1);
    } finally {
      await scene.close();
    }
  });
});
