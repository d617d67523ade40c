import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Database } from '../../../../src/database/database.ts';
import { tryVolume } from '../../../../src/database/volume-trial.ts';
import { inputs, target } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { answerOf, known, unread } from '../facts.ts';

function ask(transfer: string, clone: boolean, link: boolean) {
  const outcome = (works: boolean) => ({ works, said: works ? '' : 'Operation not supported' });
  return answerOf('transfer', {
    inputs: inputs({ transfer }),
    volumeTrial: known({ clone: outcome(clone), link: outcome(link) }),
  });
}

describe('transfer', () => {
  test.each([
    ['auto', true, true, 'passed', 'will clone'],
    ['auto', false, true, 'passed', 'will link'],
    ['auto', false, false, 'warning', 'the Job will copy all data'],
    ['link', false, true, 'passed', 'hard links work'],
    ['clone', false, true, 'failed', 'reflinks do not work: Operation not supported'],
    ['link', false, false, 'failed', 'hard links do not work'],
    ['copy', false, false, 'passed', 'every volume supports'],
  ])('%s, with reflinks %s and hard links %s: %s', async (transfer, clone, link, status, evidence) => {
    const answer = await ask(transfer, clone, link);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(evidence);
    if (status === 'failed') expect(answer.remedy?.text).toContain(link ? 'link or auto' : 'copy or auto');
  });

  test.each([
    ['auto', 'passed'],
    ['copy', 'passed'],
    ['clone', 'warning'],
    ['link', 'warning'],
  ])('%s, not tried for want of consent: %s', async (transfer, status) => {
    const volumeTrial = unread('probe-volume: false', 'not-asked');
    const answer = await answerOf('transfer', { inputs: inputs({ transfer }), volumeTrial });
    expect(answer.status).toBe(status);
    if (transfer !== 'copy') expect(answer.text).toContain('not tried (probe-volume: false)');
    // What passes is what is known of every volume.
    if (status === 'passed') expect(answer.text).toContain('every volume supports');
  });
});

describe('the trial of the volume', () => {
  const local = {
    command: ([program = '', ...args]: readonly string[]) => {
      const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' });
      return Promise.resolve({ stdout, stderr, exitCode: status ?? 1 });
    },
  } as Pick<Database, 'command'> as Database;

  test('links a file of its own, and leaves nothing, also of one that was killed', async () => {
    const parent = mkdtempSync(path.join(tmpdir(), 'trial-'));
    mkdirSync(path.join(parent, '.postgresql-upgrade-trial.killed'));
    mkdirSync(path.join(parent, 'data'));
    const trial = await tryVolume(local, await target(undefined, { dataDirectory: path.join(parent, 'data') }));
    expect(trial.link).toEqual({ works: true, said: '' });
    expect(trial.clone.said === '').toBe(trial.clone.works);
    expect(readdirSync(parent)).toEqual(['data']);
  });

  test('that can not be made is an error, never an answer', async () => {
    const nowhere = await target(undefined, { dataDirectory: '/nowhere/at/all/data' });
    const error = await thrownBy(() => tryVolume(local, nowhere));
    expect(error.code).toBe('volume-untried');
    expect(error.message).toContain('/nowhere/at/all');
  });
});
