import { describe, expect, test } from '@jest/globals';
import { Phases, sinceStop } from '../../../bench/downtime/phases.ts';
import { drawPaths } from '../../../bench/downtime/picture.ts';

const documented = {
  title: 'The page',
  downtime: 20,
  phases: [
    { title: 'applications down', from: 0, seconds: 5 },
    { title: 'Job <"&">', from: 5, seconds: 15 },
    { title: 'vacuumdb', from: 20, seconds: 9 },
  ],
};
const ours = {
  title: 'The action',
  downtime: 10,
  phases: [
    { title: 'Stop', from: 0, seconds: 4 },
    { title: 'Restart', from: 4, seconds: 6 },
    { title: 'Quick ANALYZE', from: 5, seconds: 30 },
  ],
};

describe('the picture of both critical paths', () => {
  const svg = drawPaths([documented, ours]);
  const rects = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)].map(
    ([, x, y, width, height]) => ({ x: Number(x), y: Number(y), width: Number(width), height: Number(height) }),
  );

  test('has all ways at one scale, up to the end of their downtime', () => {
    const bars = rects.filter(({ height }) => height === 32);
    expect(bars.map(({ x }) => x)).toEqual([16, 248, 16, 201.6]);
    expect(bars.map(({ width }) => width)).toEqual([232, 696, 185.6, 278.4]);
    expect([...svg.matchAll(/<line class="end" x1="([\d.]+)"/g)].map(([, x]) => Number(x))).toEqual([944, 480]);
  });

  test('has what goes on beside another phase below it, and cut at the end', () => {
    const [beside, ...more] = rects.filter(({ height, width }) => height === 12 && width !== 12);
    expect(more).toEqual([]);
    expect(beside).toMatchObject({ x: 248, width: 232 });
    expect(svg).toContain('3. Quick ANALYZE: 30.0 s, beside others');
  });

  test('leaves out what began after the downtime', () => {
    expect(svg).not.toContain('vacuumdb');
  });

  test('is text alone: nothing in it is code', () => {
    expect(svg).toContain('Job &lt;&quot;&amp;&quot;&gt;: 15.0 s');
    expect(svg).not.toMatch(/<script|on\w+=|href|url\(/);
    expect(svg.match(/<\w+/g)?.length).toBe((svg.match(/<\/\w+>/g)?.length ?? 0) + (svg.match(/\/>/g)?.length ?? 0));
  });

  test('has text for light and dark pages', () => {
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    expect(svg).toContain(
      '<title>How long the applications are down. The page: 20.0 s; The action: 10.0 s</title>',
    );
  });
});

test('what a phase took before the first application was stopped is left out', () => {
  const phases = new Phases();
  phases.all.push(
    { title: 'stop', from: 9_000, seconds: 3 },
    { title: 'proof', from: 1_000, seconds: 8 },
    { title: 'start', from: 14_000, seconds: 1 },
    { title: 'beside', from: 12_000, seconds: 9 },
  );
  expect(sinceStop(phases.all, 10_000)).toEqual([
    { title: 'stop', from: 0, seconds: 2 },
    { title: 'beside', from: 2, seconds: 9 },
    { title: 'start', from: 4, seconds: 1 },
  ]);
});
