import { describe, expect, test } from '@jest/globals';
import { answerOf, known, server, servingProbe, unread, upgradeProbe } from '../facts.ts';

const version = (minor: number) => ({ newVersion: `postgres (PostgreSQL) 14.${String(minor)}` });

describe('faults that make a role superuser when somebody maintains or dumps its objects', () => {
  test.each([
    [10, ['CVE-2022-1552', 'CVE-2022-2625', 'CVE-2024-0985', 'CVE-2024-7348']],
    [11, ['CVE-2022-2625', 'CVE-2024-0985', 'CVE-2024-7348']],
    [17, ['CVE-2024-0985', 'CVE-2024-7348']],
    [19, ['CVE-2024-7348']],
  ])('of a server 12.%d are reported, and warn where a role may log in', async (minor, cves) => {
    const old = { ...server, versionNumber: 120000 + minor, version: `12.${String(minor)}`, plainLogins: 2 };
    const { status, text, remedy } = await answerOf('security-faults', { server: known(old) });
    expect(status).toBe('warning');
    expect(
      text
        .split('\n')
        .find((line) => line.startsWith('server'))
        ?.match(/CVE-[\d-]+/g),
    ).toEqual(cves);
    expect(text).toContain('that can log in: 2');
    expect(remedy?.text).toContain('The upgrade removes these faults');
  });

  test.each([
    ['12.22', 3],
    ['12.16', 0],
  ])('of a server %s with %d such roles do not warn, and are reported', async (text, plainLogins) => {
    const versionNumber = 120000 + Number(text.slice(3));
    const answer = await answerOf('security-faults', {
      server: known({ ...server, versionNumber, version: text, plainLogins }),
    });
    expect(answer.status).toBe('passed');
    expect(answer.text).toMatch(
      text === '12.22' ? /server 12\.22 has none of them/ : /server 12\.16 has CVE-2024-0985/,
    );
  });

  test.each([
    [4, ['CVE-2022-2625', 'CVE-2024-0985', 'CVE-2024-7348', 'CVE-2025-8714', 'CVE-2025-8715']],
    [13, ['CVE-2025-8714', 'CVE-2025-8715']],
    [18, ['CVE-2025-8714', 'CVE-2025-8715']],
  ])('of a serving image of 14.%d warn, and name the input', async (minor, cves) => {
    const answer = await answerOf('security-faults', { servingProbe: known({ ...servingProbe, ...version(minor) }) });
    expect(answer.status).toBe('warning');
    expect(
      answer.text
        .split('\n')
        .find((line) => line.startsWith('serving'))
        ?.match(/CVE-[\d-]+/g),
    ).toEqual(cves);
    expect(answer.remedy?.text).toBe('Set "image-tag" to an image of PostgreSQL 14.19 or later.');
  });

  test('of the upgrade image are those of its dump programs', async () => {
    const answer = await answerOf('security-faults', { upgradeProbe: known({ ...upgradeProbe, ...version(12) }) });
    expect(answer.status).toBe('warning');
    expect(/upgrade image .*/.exec(answer.text)?.[0].match(/CVE-[\d-]+/g)).toEqual([
      'CVE-2024-7348',
      'CVE-2025-8714',
      'CVE-2025-8715',
    ]);
    expect(answer.remedy?.text).toContain('"upgrade-image"');
  });

  test('of both images have a remedy for each', async () => {
    const answer = await answerOf('security-faults', {
      servingProbe: known({ ...servingProbe, ...version(12) }),
      upgradeProbe: known({ ...upgradeProbe, ...version(12) }),
    });
    expect(answer.remedy?.text).toMatch(/"image-tag".*"upgrade-image"/);
    expect(answer.text).toMatch(/serving image .*\n(.*\n)*.*upgrade image |upgrade image .*\n(.*\n)*.*serving image /);
  });

  test('of what was not seen are not passed', async () => {
    const other = { ...servingProbe, newVersion: 'postgres (PostgreSQL) 15.9' };
    expect((await answerOf('security-faults', { servingProbe: known(other) })).status).toBe('unknown');
    expect((await answerOf('security-faults', { servingProbe: unread('ImagePullBackOff') })).status).toBe('unknown');
    const newer = { ...server, versionNumber: 130002, version: '13.2' };
    expect((await answerOf('security-faults', { server: known(newer) })).status).toBe('unknown');
  });
});
