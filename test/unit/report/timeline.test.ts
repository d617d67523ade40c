import { describe, expect, test } from '@jest/globals';
import { Timeline } from '../../../src/report/timeline.ts';
import { FakeClock } from '../fake-clock.ts';

const begun = '2026-01-02T03:04:05.000Z';

function setUp() {
  const clock = new FakeClock();
  return { clock, timeline: new Timeline(clock) };
}

describe('the timeline', () => {
  test('measures each phase, and gives its result on', async () => {
    const { clock, timeline } = setUp();
    const result = await timeline.phase('stop', 'Stop', async () => {
      await clock.sleep(1234);
      return 'stopped';
    });
    expect(result).toBe('stopped');
    expect(timeline.phases).toEqual([{ id: 'stop', title: 'Stop', startedAt: begun, seconds: 1.2, outcome: 'done' }]);
  });

  test('keeps a phase that failed, and its error', async () => {
    const { clock, timeline } = setUp();
    const phase = timeline.phase('stop', 'Stop', async () => {
      await clock.sleep(500);
      throw new Error('the disk is full');
    });
    await expect(phase).rejects.toThrow('the disk is full');
    expect(timeline.phases).toEqual([{ id: 'stop', title: 'Stop', startedAt: begun, seconds: 0.5, outcome: 'failed' }]);
  });

  test('keeps what a phase was expected to take beside what it took', async () => {
    const { clock, timeline } = setUp();
    expect(timeline.expectedTime('stop')).toBeUndefined();
    timeline.expect({ stop: 2.5, start: undefined });
    expect([timeline.expectedTime('stop'), timeline.expectedTime('start')]).toEqual([2500, undefined]);
    for (const id of ['stop', 'start']) await timeline.phase(id, id, () => clock.sleep(2000));
    expect(timeline.phases).toEqual([
      { id: 'stop', title: 'stop', startedAt: begun, seconds: 2, expectedSeconds: 2.5, outcome: 'done' },
      { id: 'start', title: 'start', startedAt: '2026-01-02T03:04:07.000Z', seconds: 2, outcome: 'done' },
    ]);
  });

  test('has what a phase did before the downtime as a phase of its own', async () => {
    const { clock, timeline } = setUp();
    timeline.expect({ stop: 2 });
    timeline.split('stop', { id: 'ahead', title: 'Ahead' });
    await timeline.phase('stop', 'Stop', async () => {
      await clock.sleep(9000);
      timeline.split('stop', { id: 'ahead', title: 'Ahead' });
      await clock.sleep(3000);
    });
    expect(timeline.phases).toEqual([
      { id: 'ahead', title: 'Ahead', startedAt: begun, seconds: 9, outcome: 'done' },
      {
        ...{ id: 'stop', title: 'Stop', startedAt: '2026-01-02T03:04:14.000Z' },
        ...{ seconds: 3, expectedSeconds: 2, outcome: 'done' },
      },
    ]);
  });

  test('phases that go on side by side are in the order in which they began', async () => {
    const { clock, timeline } = setUp();
    let end: () => void = () => undefined;
    const longer = timeline.phase('restart', 'Restart', () => new Promise<void>((resolve) => (end = resolve)));
    clock.pass(1000);
    await timeline.phase('analyze', 'Analyze', () => clock.sleep(2000));
    expect(timeline.phases.map(({ id }) => id)).toEqual(['analyze']);
    clock.pass(3000);
    end();
    await longer;
    expect(timeline.phases.map(({ id, startedAt, seconds }) => [id, startedAt, seconds])).toEqual([
      ['restart', begun, 6],
      ['analyze', '2026-01-02T03:04:06.000Z', 2],
    ]);
  });

  test('the time until the statistics are complete counts from the first stop too', () => {
    const { clock, timeline } = setUp();
    timeline.downtimeBegins();
    clock.pass(20_000);
    timeline.downtimeEnds();
    expect(timeline.statisticsSeconds).toBeUndefined();
    clock.pass(5_000);
    timeline.statisticsComplete();
    expect([timeline.downtimeSeconds, timeline.statisticsSeconds]).toEqual([20, 25]);
  });

  test('the downtime goes from the first stop to the last return', () => {
    const { clock, timeline } = setUp();
    clock.pass(10_000);
    timeline.downtimeBegins();
    clock.pass(20_000);
    timeline.downtimeBegins();
    timeline.downtimeEnds();
    clock.pass(5_000);
    timeline.downtimeEnds();
    expect(timeline.downtimeSeconds).toBe(25);
  });

  test('there is no downtime before all is back, nor when nothing was stopped', () => {
    const { timeline } = setUp();
    expect(timeline.downtimeSeconds).toBeUndefined();
    timeline.downtimeBegins();
    expect(timeline.downtimeSeconds).toBeUndefined();
    const other = setUp().timeline;
    other.downtimeEnds();
    expect(other.downtimeSeconds).toBeUndefined();
  });
});
