import { describe, expect, test } from '@jest/globals';
import { withServersImage } from '../../../../src/inputs/inputs.ts';
import { inputs } from '../../objects.ts';
import { answerOf, known, servingProbe, unread, upgradeProbe } from '../facts.ts';

describe('images', () => {
  test('says what is in both', async () => {
    const { text } = await answerOf('images');
    expect(text).toContain(upgradeProbe.image);
    expect(text).toContain(servingProbe.image);
    expect(text).toContain('postgres (PostgreSQL) 12.16');
  });

  test.each([
    ['no old server', { oldVersion: 'sh: 1: /usr/lib/postgresql/12/bin/postgres: not found' }],
    ['another old server', { oldVersion: 'postgres (PostgreSQL) 13.5' }],
    ['another new server', { newVersion: 'postgres (PostgreSQL) 15.1' }],
    ['no pg_upgrade', { pgUpgrade: undefined }],
    ['the old pg_upgrade', { pgUpgrade: 'pg_upgrade (PostgreSQL) 12.16' }],
  ])('an upgrade image with %s fails, whatever its tag says', async (_what, more) => {
    const answer = await answerOf('images', { upgradeProbe: known({ ...upgradeProbe, ...more }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(upgradeProbe.image);
    expect(answer.remedy?.text).toContain('"upgrade-image"');
  });

  test('a serving image of another major fails', async () => {
    const wrong = { ...servingProbe, newVersion: 'postgres (PostgreSQL) 12.16' };
    const answer = await answerOf('images', { servingProbe: known(wrong) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('12.16');
    expect(answer.remedy?.text).toContain('"image-tag"');
  });

  test.each([
    ['14.3', 'failed'],
    ['14.4', 'passed'],
    ['14.22 (Debian 14.22-1.pgdg110+1)', 'passed'],
    ['14beta1', 'failed'],
  ])('a serving image of %s has %s: some minors damage indexes', async (version, status) => {
    const answer = await answerOf('images', {
      servingProbe: known({ ...servingProbe, newVersion: `postgres (PostgreSQL) ${version}` }),
    });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(version);
  });

  test('an image that can not be pulled fails, with the way to pull it', async () => {
    const unusable = (image: string, text: string) => ({
      ...unread(`Image ${image} can't be run: ErrImagePull: 403`, 'image-unusable'),
      remedy: { text },
    });
    const serving = unusable('new', 'Give the StatefulSet a pull secret.');
    const answer = await answerOf('images', { servingProbe: serving });
    expect([answer.status, answer.remedy?.text]).toEqual(['failed', expect.stringContaining('a pull secret')]);
    expect(answer.text).toContain('ErrImagePull: 403');
    const both = await answerOf('images', { servingProbe: serving, upgradeProbe: unusable('both', 'Correct it.') });
    expect(both.remedy?.text).toMatch(/^Correct it\..* Give the StatefulSet a pull secret\./);
  });

  test('of a mirror that lacks them fail with what to copy from where', async () => {
    const own = 'registry.example.com/mirror/server-postgres:12';
    const unusable = unread("Image can't be run: ErrImagePull: not found", 'image-unusable');
    const copy = (name: string) => `crane copy cciserver.azurecr.io/${name} registry.example.com/mirror/${name}`;
    const serving = copy('server-postgres:14.22.4094-4922444');
    const ofJob = copy('server-postgres-upgrade:12-14');
    const mirrored = { inputs: withServersImage(inputs(), own) };
    const both = await answerOf('images', { ...mirrored, servingProbe: unusable, upgradeProbe: unusable });
    expect(both.remedy?.commands).toEqual([{ in: 'shell', lines: [serving, ofJob] }]);
    expect(both.remedy?.text).toMatch(/^If your registry does not have them yet, copy them .*"image-source" to acr\./);
    const one = await answerOf('images', { ...mirrored, upgradeProbe: unusable });
    expect(one.remedy?.commands).toEqual([{ in: 'shell', lines: [ofJob] }]);
    const named = inputs({ 'image-source': 'acr', 'upgrade-image': 'registry.example.com/mine:1' });
    const given = await answerOf('images', { inputs: named, servingProbe: unusable, upgradeProbe: unusable });
    expect(given.remedy?.commands).toEqual([
      {
        in: 'shell',
        lines: ['crane copy cciserver.azurecr.io/server-postgres-upgrade:12-14 registry.example.com/mine:1'],
      },
    ]);
    expect(given.remedy?.text).not.toContain('instead');
  });

  test('of the vendor that can not be pulled have nothing to copy', async () => {
    const unusable = unread("Image can't be run: ErrImagePull: 403", 'image-unusable');
    const answer = await answerOf('images', { servingProbe: unusable, upgradeProbe: unusable });
    expect([answer.status, answer.remedy?.commands]).toEqual(['failed', undefined]);
  });

  test('a probe that did not end is unknown', async () => {
    const { status } = await answerOf('images', { servingProbe: unread('Timed out', 'wait-limit') });
    expect(status).toBe('unknown');
  });
});

describe('extensions', () => {
  test('shows those of each database', async () => {
    const extensions = known({ circle: [{ name: 'pgcrypto', version: '1.3', shadows: [] }], empty: [] });
    const { text } = await answerOf('extensions', { extensions });
    expect(text).toContain('circle: pgcrypto 1.3');
    expect(text).toContain('empty: none');
  });

  test('passes when the upgrade image lacks its control file, which pg_upgrade does not need', async () => {
    const answer = await answerOf('extensions', {
      upgradeProbe: known({ ...upgradeProbe, extensions: { plpgsql: '1.0' } }),
    });
    expect(answer.status).toBe('passed');
  });

  test('fails when the serving image lacks one, and names it with its databases', async () => {
    const answer = await answerOf('extensions', {
      servingProbe: known({ ...servingProbe, extensions: { plpgsql: '1.0' } }),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('serving image');
    expect(answer.text).toContain('lacks pgcrypto, installed in circle');
    expect(answer.remedy?.text).toContain('DROP EXTENSION');
  });

  test('an image whose server gave no list has not passed', async () => {
    const answer = await answerOf('extensions', { servingProbe: known({ ...servingProbe, extensions: {} }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('gave no answer');
  });

  test('one that the image has in another version passes', async () => {
    const newer = { ...servingProbe, extensions: { ...servingProbe.extensions, pgcrypto: '1.4' } };
    expect((await answerOf('extensions', { servingProbe: known(newer) })).status).toBe('passed');
  });

  test.each([
    ['in whose way a role has put code', '14.22', ['function public.lower(character varying) of role mallory']],
    ['which the image would let take over objects of others', '14.4', []],
  ])('one %s warns that it is left to do', async (_what, minor, shadows) => {
    const newVersion = `postgres (PostgreSQL) ${minor}`;
    const newer = { ...servingProbe, newVersion, extensions: { ...servingProbe.extensions, pgcrypto: '1.4' } };
    const extensions = known({ circle: [{ name: 'pgcrypto', version: '1.3', shadows }] });
    const answer = await answerOf('extensions', { extensions, servingProbe: known(newer) });
    expect(answer.status).toBe('warning');
    expect(answer.text).toContain('circle: pgcrypto 1.3 is not updated to 1.4: ');
    expect(answer.text).toContain(shadows[0] ?? 'CVE-2022-2625');
  });

  test.each(['2.0', '1.4dev'])(
    'one that the image has in version %s, of another major or of none, warns',
    async (version) => {
      const newer = { ...servingProbe, extensions: { ...servingProbe.extensions, pgcrypto: version } };
      const answer = await answerOf('extensions', { servingProbe: known(newer) });
      expect(answer.status).toBe('warning');
      expect(answer.text).toContain(`ships pgcrypto ${version}; circle has 1.3, which is another major`);
    },
  );
});
