import { describe, expect, test } from '@jest/globals';
import { newImage } from '../objects.ts';
import { history, known } from './facts.ts';
import { anything, only, said, unmet, withPod } from './judged.ts';
import { hoursAgo, readyPod } from './scene.ts';

const container = { name: 'postgresql', image: newImage, imageID: '', ready: true };
const at = (hours: number) => hoursAgo(hours).toISOString() as unknown as Date;
const restarted = (restartCount: number, exitCode: number, startedAt: number, finishedAt: number) =>
  readyPod({
    containerStatuses: [
      {
        ...{ ...container, restartCount, state: { running: { startedAt: at(finishedAt) } } },
        lastState: { terminated: { exitCode, startedAt: at(startedAt), finishedAt: at(finishedAt) } },
      },
    ],
  });

describe('PostgreSQL 14 has to be healthy for the time that the input says', () => {
  const since = (hours: number) => known({ ...history, releasedAt: hoursAgo(hours) });

  test('since the applications were restarted', async () => {
    expect(await unmet({ history: since(24) })).toEqual([]);
    expect(await only({ history: since(23.99) })).toEqual([
      'healthy',
      'unmet',
      said('the upgrade restarted the applications then. It has to be 24 h'),
      said('Run again after 2026-01-02T03:04:41.000Z'),
    ]);
    expect((await only({ history: since(47) }, { 'healthy-for': '48h' }))[0]).toBe('healthy');
    expect(await unmet({ history: since(48) }, { 'healthy-for': '48h' })).toEqual([]);
  });

  test("without a journal, and with one of another upgrade, since the server's container runs", async () => {
    for (const without of [undefined, { ...history, outcome: 'reverted', releasedAt: undefined } as const]) {
      expect(await unmet({ history: known(without), ...(await withPod(readyPod({}, hoursAgo(24)))) })).toEqual([]);
      expect(await only({ history: known(without), ...(await withPod(readyPod({}, hoursAgo(23)))) })).toEqual([
        'healthy',
        'unmet',
        said("the server's container runs since then"),
        anything,
      ]);
    }
  });

  test('and is unknown where neither says it', async () => {
    expect(await only({ history: known(undefined), ...(await withPod(readyPod({ containerStatuses: [] }))) })).toEqual([
      'healthy',
      'unknown',
      anything,
      anything,
    ]);
  });

  test.each<[string, Parameters<typeof restarted>, boolean]>([
    ['a container that ended with another code than 0 in that time', [1, 137, 25, 2], false],
    ['one that did so before', [1, 137, 26, 24.5], true],
    ['one that ended with code 0', [1, 0, 25, 2], true],
    ['one that ended twice, the last time with code 0: of the first end nothing is known', [2, 0, 3, 2], false],
    ['one of whose ends the unknown ones lie before', [2, 0, 24.5, 2], true],
  ])('%s', async (_what, restart, isMet) => {
    const gates = await unmet(await withPod(restarted(...restart)));
    expect(gates.map(({ id, status }) => [id, status])).toEqual(isMet ? [] : [['healthy', 'unmet']]);
  });

  test('a restart of which Kubernetes says nothing counts from the present start', async () => {
    const pod = readyPod({
      containerStatuses: [{ ...container, restartCount: 1, state: { running: { startedAt: at(5) } } }],
    });
    expect((await only(await withPod(pod)))[0]).toBe('healthy');
    const undated = readyPod({ containerStatuses: [{ ...container, restartCount: 1, state: {} }] });
    expect((await only(await withPod(undated)))[0]).toBe('healthy');
  });

  test('a journal that does not say when it restarted the applications tells nothing', async () => {
    expect(await only({ history: known({ ...history, releasedAt: undefined }) })).toEqual([
      'healthy',
      'unknown',
      'the journal does not say when the upgrade restarted the applications',
      said('delete configmap postgresql-upgrade-12-to-14-journal'),
    ]);
  });

  test('an init container that ended well counts from its start', async () => {
    const { status } = readyPod();
    const ended = { terminated: { exitCode: 0, startedAt: at(30), finishedAt: at(29) } };
    const initContainerStatuses = [{ ...container, name: 'init', restartCount: 1, state: ended }];
    expect(await unmet(await withPod(readyPod({ ...status, initContainerStatuses })))).toEqual([]);
  });

  test('init containers count too', async () => {
    const { status } = readyPod();
    const failedInit = {
      ...container,
      name: 'init',
      restartCount: 1,
      lastState: { terminated: { exitCode: 1, finishedAt: at(1) } },
    };
    expect((await only(await withPod(readyPod({ ...status, initContainerStatuses: [failedInit] }))))[0]).toBe(
      'healthy',
    );
  });
});
