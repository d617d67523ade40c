import { describe, expect, test } from '@jest/globals';
import { readPassword } from '../../../src/target/credentials.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { namespace, secret } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

const where = { namespace, secret: { name: 'postgresql', key: 'postgres-password' } };
let masked: [secret: string, name?: string][] = [];
const mask = (secret: string, name?: string) => void masked.push(name === undefined ? [secret] : [secret, name]);

function read(data: Readonly<Record<string, string>>) {
  return readPassword(new FakeCluster().put('secrets', secret(data)), where, mask);
}

describe("the superuser's password", () => {
  test.each([
    ['hunter2', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    [' spaces and $pecial "quotes" ', ' spaces and $pecial "quotes" '],
    ['schön', 'schön'],
  ])('of the value %j is %j', async (value, expected) => {
    expect(await read({ 'postgres-password': value })).toBe(expected);
  });

  test.each(['two\nlines\n', 'hunter2\n\n', '\\! id\nx', 'a\0b'])('is not %j', async (value) => {
    const error = await thrownBy(() => read({ 'postgres-password': value }));
    expect(error.code).toBe('password-unusable');
    expect(error.message).toContain('a line end or a NUL');
    expect(error.message).not.toContain(value.slice(0, 3));
  });

  test('is UTF-8', async () => {
    const data = { 'postgres-password': Buffer.from([0x68, 0xff]).toString('base64') };
    const from = new FakeCluster().put('secrets', { ...secret(), data });
    expect((await thrownBy(() => readPassword(from, where, mask))).message).toContain('bytes that are not UTF-8');
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'is not under the key %s, which every object has',
    async (key) => {
      const from = new FakeCluster().put('secrets', secret());
      const error = await thrownBy(() => readPassword(from, { namespace, secret: { name: 'postgresql', key } }, mask));
      expect(error.code).toBe('secret-key-not-found');
    },
  );

  test('lies in a Secret that must be there', async () => {
    const error = await thrownBy(() => readPassword(new FakeCluster(), where, mask));
    expect(error.code).toBe('secret-not-found');
    expect(error.message).toContain('"postgresql"');
    expect(error.remedy.text).toContain('"secret-name"');
  });

  test('under a key that is not there: the keys are named, their values never', async () => {
    const error = await thrownBy(() => read({ password: 'of the application', 'repmgr-password': 'of the standby' }));
    expect(error.code).toBe('secret-key-not-found');
    expect(error.message).toContain('password, repmgr-password');
    expect(error.remedy.text).toContain('"secret-key"');
    for (const value of ['of the application', 'of the standby']) {
      expect(error.message).not.toContain(value);
      expect(error.message).not.toContain(Buffer.from(value).toString('base64'));
    }
  });

  test('is masked, and so is every other value of the Secret', async () => {
    masked = [];
    await read({ 'postgres-password': 'hunter2\n', password: 'of the application' });
    expect(masked).toEqual([
      ['hunter2\n'],
      ['of the application'],
      ['hunter2', "the superuser's password (key postgres-password of Secret postgresql)"],
    ]);
  });

  test('in a Secret without data says so', async () => {
    expect((await thrownBy(() => read({}))).message).toContain('its keys: none');
  });

  test('that may not be read ends with that reason', async () => {
    const from = new FakeCluster().refuse('find', 'secrets', 403, 'secrets "postgresql" is forbidden');
    expect((await thrownBy(() => readPassword(from, where, mask))).code).toBe('forbidden');
  });
});
