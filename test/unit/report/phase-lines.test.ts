import { describe, expect, test } from '@jest/globals';
import { mermaidText, phaseLines } from '../../../src/report/phase-lines.ts';
import type { Phase } from '../../../src/report/timeline.ts';

function phase(title: string, at: string, more: Partial<Phase> = {}): Phase {
  return { id: title, title, startedAt: `2026-01-02T${at}.250Z`, seconds: 3, outcome: 'done', ...more };
}

const phases = [
  phase('Stop', '23:59:58'),
  phase('Run pg_upgrade', '23:59:59', { seconds: 12.34, expectedSeconds: 10 }),
  phase('Going back: Stop | it', '23:59:59', { seconds: 0, outcome: 'failed' }),
];

describe('the phases', () => {
  test('are a table with what was expected, what it took, and how it ended', () => {
    expect(phaseLines({ phases: phases.slice(0, 2) })).toEqual([
      '| phase | began (UTC) | seconds | expected | |',
      '| --- | --- | ---: | ---: | --- |',
      '| Stop | `23:59:58` | 3.0 | not predicted | ✓ |',
      '| Run pg\\_upgrade | `23:59:59` | 12.3 | 10.0 | ✓ |',
      '',
    ]);
    expect(phaseLines({ phases: [] })).toEqual([]);
  });

  test('are a picture too, where there is something to look at', () => {
    const lines = phaseLines({ phases });
    expect(lines.slice(0, lines.indexOf('') + 1)).toEqual([
      '```mermaid',
      'gantt',
      '  dateFormat YYYY-MM-DD HH:mm:ss',
      '  axisFormat %H:%M:%S',
      '  todayMarker off',
      '  section Stop',
      '  took 3.0 s :2026-01-02 23:59:58, 3.0s',
      '  section Run pg_upgrade',
      '  expected 10.0 s :done, 2026-01-02 23:59:59, 10.0s',
      '  took 12.3 s :2026-01-02 23:59:59, 12.3s',
      '  section Going back Stop it',
      '  failed after 0.0 s :crit, 2026-01-02 23:59:59, 0.1s',
      '```',
      '',
    ]);
    expect(lines).toContain('Grey: expected. Blue: measured. Red: failed.');
    expect(lines).toContain('| Going back: Stop &#124; it | `23:59:59` | 0.0 | not predicted | ✗ |');
  });

  test('that go on side by side are drawn from their own begin', () => {
    const beside = [
      phase('Restart', '00:00:00', { seconds: 40 }),
      phase('Quick', '00:00:02'),
      phase('Full', '00:00:40'),
    ];
    expect(phaseLines({ phases: beside }).filter((line) => line.includes('took '))).toEqual([
      '  took 40.0 s :2026-01-02 00:00:00, 40.0s',
      '  took 3.0 s :2026-01-02 00:00:02, 3.0s',
      '  took 3.0 s :2026-01-02 00:00:40, 3.0s',
    ]);
  });

  test.each([
    ['a:b;c#d', 'a b c d'],
    ['%%{init: {"theme": "dark"}}%%', 'init theme dark'],
    ['x\nclick x href "javascript:alert(1)"', 'x click x href javascript alert(1)'],
    ['<img src=x onerror=alert(1)>', 'img src x onerror alert(1)'],
    ['```\n# Title', 'Title'],
    ['\u202e\u200b', 'phase'],
    ['', 'phase'],
    ['Größe, (1/2) é', 'Größe, (1/2) é'],
    ['😀'.repeat(100), 'phase'],
    ['a'.repeat(500), 'a'.repeat(80)],
  ])('of the name %j only what Mermaid takes for text is left', (name, left) => {
    expect(mermaidText(name)).toBe(left);
    const lines = phaseLines({ phases: [phase(name, '00:00:00'), ...phases] });
    expect(lines.filter((line) => line.startsWith('  section '))).toHaveLength(4);
    expect(lines[5]).toBe(`  section ${left}`);
    expect(lines.filter((line) => line.startsWith('```'))).toHaveLength(2);
  });
});
