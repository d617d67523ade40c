// Where `mode: cleanup` ends before all is removed, and what it says then.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { journalName } from '../../../src/objects/journal-name.ts';
import { namespace } from '../objects.ts';
import { expectClean } from './expect-clean.ts';
import { backup, clean, readyPod, scene } from './scene.ts';

describe('a cleanup ends', () => {
  test('before the next object when one is not the one that was listed', async () => {
    using set = await scene();
    set.cluster.hooks.push(({ method, resource, name }) => {
      const now = set.cluster.look('volumesnapshots', backup, namespace);
      if (method !== 'find' || resource !== 'volumesnapshots' || name !== backup || now === undefined) return;
      if (now.metadata.uid !== 'another')
        set.cluster.put('volumesnapshots', { ...now, metadata: { ...now.metadata, uid: 'another' } });
    });
    const { code, report } = await clean(set.cluster);
    expect(code).toBe('cleanup-changed');
    // What was removed by then, and what that freed, is told all the same.
    expect(report.cleanup?.freedBytes).toBeGreaterThanOrEqual(0);
    expect(report.cleanup?.backup).toContain('after-upgrade');
    expect(report.cleanup?.items.map(({ isRemoved }) => isRemoved).slice(0, 5)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(set.cluster.peek('volumesnapshots', backup, namespace)).toBeDefined();
    expect(set.cluster.peek('configmaps', journalName, namespace)).toBeDefined();
  });

  test('with what is left where a directory stays, and the next one completes it', async () => {
    using set = await scene();
    const { command } = set.state;
    const pid = path.join(set.volume.kept, 'postmaster.pid');
    set.state.command = (given) => {
      if (given.includes('remove')) writeFileSync(pid, '1');
      return command(given);
    };
    const first = await clean(set.cluster);
    expect(first.code).toBe('cleanup-incomplete');
    expect(first.report.error?.message).toContain('postmaster.pid');
    // The rest is told by it.
    expect(first.report.cleanup?.items.filter(({ isRemoved }) => isRemoved)).toEqual([]);
    expect(first.report.cleanup?.freedBytes).toBeGreaterThanOrEqual(0);
    expect(set.cluster.peek('volumesnapshots', backup, namespace)).toBeDefined();
    expect(existsSync(path.join(set.volume.root, 'upgrade-logs'))).toBe(true);
    set.state.command = command;
    rmSync(pid);
    expect((await clean(set.cluster)).verdict).toBe('cleaned-up');
    expectClean(set);
  });

  test('where a condition is not met any more in the middle of it, with what was removed by then', async () => {
    using set = await scene();
    set.cluster.hooks.push(() => {
      if (existsSync(set.volume.kept)) return;
      set.cluster.put('pods', readyPod({ conditions: [{ type: 'Ready', status: 'False' }] }));
    });
    const { code, report } = await clean(set.cluster);
    expect(code).toBe('cleanup-stopped');
    expect(report.error?.message).toContain('pod postgresql-0 is not ready');
    expect(report.error?.message).not.toContain('Nothing was removed');
    expect(report.cleanup?.gates.find(({ id }) => id === 'ready')?.status).toBe('unmet');
    expect(report.cleanup?.items.map(({ kind, isRemoved }) => [kind, isRemoved]).slice(0, 5)).toEqual([
      ['Directory', true],
      ['Directory', true],
      ['Directory', true],
      ['Job', false],
      ['VolumeSnapshot', false],
    ]);
    expect(set.cluster.peek('volumesnapshots', backup, namespace)).toBeDefined();
    expect(report.cleanup?.backup).toContain('after-upgrade');
  });

  test('with its backup named, where a condition is not met any more after it', async () => {
    using set = await scene();
    set.cluster.hooks.push(({ method, resource }) => {
      if (method === 'create' && resource === 'volumesnapshots')
        set.cluster.put('pods', readyPod({ conditions: [{ type: 'Ready', status: 'False' }] }));
    });
    const { code, report } = await clean(set.cluster);
    expect(code).toBe('cleanup-blocked');
    expect(report.error?.message).toContain('Nothing was removed');
    expect(report.cleanup?.backup).toContain('after-upgrade');
    expect(report.cleanup?.gates.find(({ id }) => id === 'ready')?.status).toBe('unmet');
    expect(existsSync(set.volume.kept)).toBe(true);
  });

  test('before its begin where another PostgreSQL 14 serves than the one that was upgraded', async () => {
    using set = await scene();
    rmSync(path.join(set.volume.data, '.postgresql-upgrade'));
    const { code, report } = await clean(set.cluster);
    expect(code).toBe('cleanup-blocked');
    expect(report.cleanup?.gates.find(({ id }) => id === 'journal')?.status).toBe('unknown');
    expect(existsSync(set.volume.kept)).toBe(true);
    expect(set.cluster.writes.filter((write) => !write.includes('selfsubject'))).toEqual([]);
  });
});
