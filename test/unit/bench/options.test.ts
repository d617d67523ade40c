import { describe, expect, test } from '@jest/globals';
import { fewestRounds, parseOptions } from '../../../bench/downtime/options.ts';

const options = (text: string) => parseOptions(text.split(' ').filter(Boolean));

describe('the options of the benchmark', () => {
  test('have the standard as their defaults', () => {
    expect(options('')).toEqual({
      ...{ profile: 'bench', scale: 1, rounds: fewestRounds, shape: { sizeMb: 150, tables: 300 }, sweeps: [] },
      ...{ snapshotReady: 0, ways: [{}], storageClass: '', namespace: 'bench-downtime', picture: '' },
    });
  });

  test('are what the command line says', () => {
    const text =
      '--profile cloud --scale 0.2 --rounds 7 --size-mb 3000 --tables 20 --snapshot-ready 300 --way transfer=link,snapshot-gate=cut --way transfer=clone --storage-class s --namespace n --picture p.svg';
    expect(options(text)).toEqual({
      ...{ profile: 'cloud', scale: 0.2, rounds: 7, shape: { sizeMb: 3000, tables: 20 }, sweeps: [] },
      ...{ snapshotReady: 300, storageClass: 's', namespace: 'n', picture: 'p.svg' },
      ways: [{ transfer: 'link', 'snapshot-gate': 'cut' }, { transfer: 'clone' }],
    });
  });

  test('of a cloud have a volume whose snapshots are cut at once', () => {
    expect(options('--profile cloud').storageClass).toBe('standard-btrfs');
    expect(options('--profile cloud --storage-class standard').storageClass).toBe('standard');
  });

  test('of a sweep change one thing and leave the other', () => {
    const { sweeps } = options('--tables 40 --sweep size=100,1000 --sweep tables=300,2000');
    expect(sweeps).toEqual([
      {
        of: 'size',
        shapes: [
          { sizeMb: 100, tables: 40 },
          { sizeMb: 1000, tables: 40 },
        ],
      },
      {
        of: 'tables',
        shapes: [
          { sizeMb: 150, tables: 300 },
          { sizeMb: 150, tables: 2000 },
        ],
      },
    ]);
  });

  test.each([
    '--rounds 0',
    '--rounds 1.5',
    '--size-mb x',
    '--scale 0',
    '--scale 1e9',
    '--snapshot-ready 5m',
    '--profile real',
    '--way link',
    '--way transfer=',
    '--way transfer=link,',
    '--sweep size=100',
    '--sweep size=100,100',
    '--sweep size=0,100',
    '--sweep rows=1,2',
  ])('are refused by name: %s', (text) => {
    expect(() => options(text)).toThrow(text.split(' ')[0]);
  });
});
