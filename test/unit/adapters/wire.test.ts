import { describe, expect, test } from '@jest/globals';
import { expectSafeApi, expectSafeWire, weaknessesOf } from '../../../src/adapters/wire.ts';
import { thrownBy } from '../thrown.ts';

const nothing = () => '';
const cluster = { name: 'production', server: 'https://api.example.com:6443', skipTLSVerify: false };

describe('the way to the API server', () => {
  test.each(['https://api.example.com', 'https://[::1]:6443/k8s/clusters/c-1', 'HTTPS://10.0.0.1'])(
    'may be %s',
    (server) => {
      expect(() => {
        expectSafeWire({ ...cluster, server }, { name: 'u', token: 'abc' });
      }).not.toThrow();
    },
  );

  test.each([
    ['http://api.example.com', 'insecure'],
    ['http://127.0.0.1:8001', 'insecure'],
    ['HTTP://u:S3cret@api.example.com', 'insecure'],
    ['ftp://api.example.com', 'invalid'],
    ['javascript:alert(1)', 'invalid'],
    ['api.example.com:S3cret@x y', 'invalid'],
    ['', 'invalid'],
    ['https://', 'invalid'],
    ['//api.example.com', 'invalid'],
    [5 as unknown as string, 'invalid'],
    [undefined as unknown as string, 'invalid'],
  ])('may not be %j', async (server, why) => {
    const error = await thrownBy(() => {
      expectSafeWire({ ...cluster, server, skipTLSVerify: true }, null);
    });
    expect(error.code).toBe(`kubeconfig-server-${why}`);
    expect(error.message).toContain('"production"');
    expect(error.message + error.remedy.text).not.toContain('S3cret');
  });

  test.each(['ftp://x', 'S3cret', ''])('has no proxy at %j', async (proxyUrl) => {
    const error = await thrownBy(() => {
      expectSafeWire({ ...cluster, proxyUrl }, null);
    });
    expect(error.code).toBe('kubeconfig-proxy-invalid');
    expect(error.message).not.toContain('S3cret');
  });

  test.each(['a\nb', 'a b', 'ä', '\0'])('takes no token like %j', async (token) => {
    const error = await thrownBy(() => {
      expectSafeWire(cluster, { name: 'upgrader', token });
    });
    expect(error.code).toBe('kubeconfig-token-invalid');
    expect(error.message).toContain('"upgrader"');
  });
});

describe('what weakens it', () => {
  test('is nothing by itself, nor a proxy without a password', () => {
    expect(weaknessesOf(cluster, nothing)).toEqual([]);
    expect(weaknessesOf({ ...cluster, proxyUrl: 'http://proxy.example.com:3128' }, nothing)).toEqual([]);
    expect(weaknessesOf({ ...cluster, proxyUrl: 'https://u:S3cret@proxy.example.com' }, nothing)).toEqual([]);
  });

  test('is told: verification that is switched off, in the kubeconfig and in the environment', () => {
    expect(weaknessesOf({ ...cluster, skipTLSVerify: true }, nothing)).toEqual([
      expect.stringContaining('"production" (insecure-skip-tls-verify)'),
    ]);
    const environment = (name: string) => (name === 'NODE_TLS_REJECT_UNAUTHORIZED' ? '0' : '');
    expect(weaknessesOf(cluster, environment)).toEqual([expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED=0')]);
  });

  test('is told: a password that goes to the proxy in clear text, without the password', () => {
    const [told, ...more] = weaknessesOf({ ...cluster, proxyUrl: 'http://u:S3cret@proxy.example.com' }, nothing);
    expect(told).toContain('in clear text');
    expect(told).not.toContain('S3cret');
    expect(more).toEqual([]);
  });
});

describe("the address of GitHub's API", () => {
  test.each([
    'https://api.github.com',
    'https://ghes.example.com/api/v3',
    'http://127.0.0.1:8080',
    'http://localhost:1',
    'http://[::1]',
  ])('may be %s', (address) => {
    expect(() => {
      expectSafeApi(address);
    }).not.toThrow();
  });

  test.each([
    'http://ghes.example.com/api/v3',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'ftp://x',
    'x',
    '',
  ])('may not be %j', async (address) => {
    const error = await thrownBy(() => {
      expectSafeApi(address);
    });
    expect(error.code).toBe('github-api-insecure');
  });
});
