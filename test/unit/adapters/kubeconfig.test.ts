import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadKubeconfig } from '../../../src/adapters/kubeconfig.ts';
import { ConfigurationError } from '../../../src/common/errors.ts';
import { thrownBy } from '../thrown.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'kubeconfig-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function config(name: string, current = name): string {
  return [
    'apiVersion: v1',
    'kind: Config',
    `current-context: ${current}`,
    `clusters: [{ name: ${name}, cluster: { server: 'https://${name}.example:6443' } }]`,
    `contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name} } }]`,
    `users: [{ name: ${name}, user: { token: not-a-real-token } }]`,
    '',
  ].join('\n');
}

function file(name: string, content: string): string {
  const at = path.join(directory, name);
  writeFileSync(at, content);
  return at;
}

const one = file('one', config('one'));
const two = file('two', config('two'));

describe('a kubeconfig', () => {
  test.each([
    ['the path of a file', one],
    ['its content as YAML', config('one')],
    [
      'its content as JSON',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'one',
        clusters: [{ name: 'one', cluster: { server: 'https://one.example:6443' } }],
        contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
        users: [],
      }),
    ],
  ])('may be %s', (_what, given) => {
    expect(loadKubeconfig(given, '', '').getCurrentCluster()?.server).toBe('https://one.example:6443');
  });

  test('comes from KUBECONFIG when the input is empty, and from the input otherwise', () => {
    expect(loadKubeconfig('', '', two).getCurrentCluster()?.name).toBe('two');
    expect(loadKubeconfig(one, '', two).getCurrentCluster()?.name).toBe('one');
  });

  test('KUBECONFIG may name several files, as for kubectl: the first one sets the context', () => {
    const merged = loadKubeconfig('', '', [one, two].join(path.delimiter));
    expect(merged.getCurrentContext()).toBe('one');
    expect(merged.getContexts().map((c) => c.name)).toEqual(['one', 'two']);
    expect(loadKubeconfig('', 'two', ['', one, two].join(path.delimiter)).getCurrentCluster()?.name).toBe('two');
  });

  test('a context that it lacks is told with those that it has', async () => {
    const error = await thrownBy(() => loadKubeconfig('', 'three', [one, two].join(path.delimiter)));
    expect(error.code).toBe('kubeconfig-no-context');
    expect(error.message).toContain('"three"');
    expect(error.remedy.text).toContain('one, two');
  });

  test('that may be a credential is not shown', async () => {
    const token = Buffer.from('a token that somebody gave by mistake').toString('base64');
    const error = await thrownBy(() => loadKubeconfig(token, '', ''));
    expect(error.code).toBe('kubeconfig-not-found');
    expect(error.message).not.toContain(token.slice(0, 8));
  });

  test.each([
    ['a file that is not there', path.join(directory, 'absent')],
    ['a directory', directory],
    ['a word', 'production'],
  ])('is not %s', async (_what, given) => {
    const error = await thrownBy(() => loadKubeconfig(given, '', ''));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.code).toBe('kubeconfig-not-found');
    expect(error.message).toContain(given);
    expect(error.message).toContain('"kubeconfig"');
  });

  test('a path in KUBECONFIG that leads nowhere is told as KUBECONFIG', async () => {
    mkdirSync(path.join(directory, 'folder'));
    const error = await thrownBy(() =>
      loadKubeconfig('', '', [one, path.join(directory, 'folder')].join(path.delimiter)),
    );
    expect(error.message).toContain('KUBECONFIG is neither');
  });

  test.each([
    ['broken YAML', 'users:\n- name: x\n  user:\n    token: not-a-real-token\n   bad: [\n'],
    ['broken JSON', '{"users":[{"user":{"token":"not-a-real-token"}}'],
  ])('that is %s is unreadable, and its credentials are not repeated', async (_what, given) => {
    const error = await thrownBy(() => loadKubeconfig(given, '', ''));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.code).toBe('kubeconfig-unreadable');
    expect(error.remedy.text).toContain('kubeconfig');
    expect(inspect(error)).not.toContain('not-a-real-token');
  });

  test('without a usable current context says so', async () => {
    const error = await thrownBy(() => loadKubeconfig(config('one', 'gone'), '', ''));
    expect(error.code).toBe('kubeconfig-no-cluster');
    expect(error.remedy.text).toContain('"context"');
  });

  test('that is nowhere says where it was looked for', async () => {
    const error = await thrownBy(() => loadKubeconfig('', '', ''));
    expect(error.code).toBe('kubeconfig-missing');
    expect(error.message).toContain('KUBECONFIG');
  });
});
