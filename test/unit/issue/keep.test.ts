import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { finding, IssueScene } from './scene.ts';

jest.setTimeout(30_000);

let scene: IssueScene;
beforeEach(async () => {
  scene = await IssueScene.open();
});
afterEach(async () => {
  await scene.close();
});

const opened = 'POST …/issues 201';
const updated = 'PATCH …/issues/1 200';
const commented = 'POST …/issues/1/comments 201';

describe('the one issue', () => {
  it('is not opened while no check blocks the upgrade', async () => {
    expect(
      await scene.writesOf([finding('hazards', 'warning'), finding('majors', 'failed', { ignored: 'x' })]),
    ).toEqual([]);
    expect(await scene.run([])).toMatchObject({ operation: 'none', number: undefined, url: undefined });
  });

  it('is opened when something turns red, and tells what, why and what to do', async () => {
    const result = await scene.run([finding('majors'), finding('clients', 'unknown'), finding('files', 'warning')]);
    expect(result).toEqual({
      operation: 'created',
      number: 1,
      url: `${scene.double.serverUrl}/octo-org/infrastructure/issues/1`,
      warnings: [],
    });
    expect(scene.issue).toMatchObject({
      title: 'CircleCI Server is not ready for PostgreSQL 14 (circleci-server)',
      author: 'github-actions[bot]',
      state: 'open',
    });
    const { body } = scene.issue;
    expect(body).toContain('**✗ 2 checks of 4 block the upgrade**');
    expect(body).toContain('[this workflow run](https://github.com/octo-org/infrastructure/actions/runs/7/attempts/1)');
    expect(body).toContain('See to majors.');
    expect(body).toContain('clients was seen');
    expect(body).toContain('\n1 check passed.\n');
    expect(scene.comments).toEqual([]);
  });

  it('is not written to while the statuses stay, whatever was measured', async () => {
    await scene.run([finding('majors')]);
    const { body } = scene.issue;
    const later = { runUrl: 'https://github.com/octo-org/infrastructure/actions/runs/8/attempts/1' };
    expect(await scene.writesOf([finding('majors', 'failed', { evidence: ['another number'] })], later)).toEqual([]);
    expect(scene.issue.body).toBe(body);
  });

  it('is commented and rewritten when another check turns red, then not again', async () => {
    await scene.run([finding('majors')]);
    const now = [finding('majors'), finding('clients', 'unknown')];
    expect(await scene.writesOf(now)).toEqual([commented, updated]);
    expect(scene.comments).toHaveLength(1);
    expect(scene.comments[0]).toMatch(/\*\*Red now:\*\*\n\n- .*\(`clients`\): unknown; `clients was seen`\n/);
    expect(scene.comments[0]).not.toContain('majors`)');
    expect(scene.issue.body).toContain('2 checks of 3 block');
    expect(await scene.writesOf(now)).toEqual([]);
  });

  it('tells a status that changed, and what is green again', async () => {
    await scene.run([finding('majors', 'unknown'), finding('clients'), finding('files'), finding('volume')]);
    await scene.run([
      finding('majors'),
      finding('clients', 'passed'),
      finding('files', 'warning'),
      finding('volume', 'failed', { ignored: 'we know' }),
    ]);
    expect(scene.comments[0]).toContain('(`majors`): failed (was unknown); `majors was seen`');
    expect(scene.comments[0]).toContain('(`clients`): passed');
    expect(scene.comments[0]).toContain('(`files`): warning, which does not block');
    expect(scene.comments[0]).toContain('(`volume`): failed, ignored, which does not block');
    expect(scene.issue.body).toContain('is ignored: we know');
    await scene.run([finding('majors'), finding('clients', 'passed'), finding('files', 'warning')]);
    expect(scene.comments).toHaveLength(1);
  });

  it('is rewritten without a comment when only something changes that blocks nothing', async () => {
    await scene.run([finding('majors')]);
    expect(await scene.writesOf([finding('majors'), finding('files', 'warning')])).toEqual([updated]);
    expect(scene.issue.body).toContain('files was seen');
  });

  it('goes by "fail-on"', async () => {
    const warned = [finding('files', 'warning')];
    expect(await scene.writesOf(warned)).toEqual([]);
    expect(await scene.writesOf(warned, { failOn: 'warning' })).toEqual([opened]);
    expect((await scene.run(warned)).operation).toBe('closed');
  });

  it('is closed with a comment when nothing is red any more, and opened again with another', async () => {
    await scene.run([finding('majors')]);
    expect(await scene.run([])).toMatchObject({ operation: 'closed', number: 1 });
    expect(scene.issue).toMatchObject({ state: 'closed', stateReason: 'completed' });
    expect(scene.issue.body).toContain('**✓ No check blocks the upgrade**');
    expect(scene.comments[0]).toContain('**Green again:**');
    expect(scene.comments[0]).toContain('No check blocks the upgrade any more');
    expect(await scene.writesOf([])).toEqual([]);
    expect(await scene.run([finding('majors')])).toMatchObject({ operation: 'reopened', number: 1 });
    expect(scene.issue).toMatchObject({ state: 'open', stateReason: 'reopened' });
    expect(scene.comments).toHaveLength(2);
    expect(await scene.writesOf([finding('majors')])).toEqual([]);
  });

  it('is closed when PostgreSQL 14 serves', async () => {
    await scene.run([finding('majors')]);
    expect((await scene.run([], { findings: [] })).operation).toBe('closed');
    expect(scene.issue.body).toContain('**✓ PostgreSQL 14 serves already**');
    expect(scene.comments[0]).toContain('no longer part of the checks');
    expect(scene.comments[0]).toContain('PostgreSQL 14 serves, as');
  });

  it('gets labels and assignees when it is opened, and not again', async () => {
    const more = { labels: ['postgresql', 'ops'], assignees: ['ada'] };
    await scene.run([finding('majors')], more);
    expect(scene.issue).toMatchObject(more);
    scene.issue.labels = [];
    expect(await scene.writesOf([finding('majors')], more)).toEqual([]);
  });

  it('is opened without assignees that GitHub does not know', async () => {
    const result = await scene.run([finding('majors')], { assignees: ['nobody'] });
    expect(result.operation).toBe('created');
    expect(result.warnings.join()).toContain('without its assignees');
    expect(scene.issue.assignees).toEqual([]);
  });

  it('is one for each namespace, by its UID', async () => {
    await scene.run([finding('majors')]);
    await scene.run([finding('majors')], { namespaceUid: 'the same name elsewhere' });
    expect(scene.issues).toHaveLength(2);
    expect((await scene.run([], { namespaceUid: 'the same name elsewhere' })).number).toBe(2);
    expect(scene.issues.map((issue) => issue.state)).toEqual(['open', 'closed']);
  });
});

describe('what people do', () => {
  function fillUp(): void {
    const { body } = scene.issue;
    scene.issue.body = `${body ?? ''}${'x'.repeat(65_536 - (body?.length ?? 0))}`;
  }

  it('to the text outside of the markers stays to the letter', async () => {
    await scene.run([finding('majors')]);
    scene.issue.body = `Ada looks into it.\r\n\r\n${scene.issue.body?.replaceAll('\n', '\r\n') ?? ''}\r\n- [ ] call the vendor\r\n`;
    expect(await scene.writesOf([finding('majors')])).toEqual([]);
    await scene.run([finding('clients')]);
    expect(scene.issue.body).toMatch(/^Ada looks into it\.\r\n\r\n<!-- /);
    expect(scene.issue.body).toMatch(/ end -->\r\n- \[ \] call the vendor\r\n$/);
    expect(scene.issue.body).toContain('See to clients.');
    expect(scene.issue.body).not.toContain('See to majors.');
  });

  it('to the title stays', async () => {
    await scene.run([finding('majors')]);
    scene.issue.title = 'Upgrade PostgreSQL';
    await scene.run([finding('clients')]);
    expect(scene.issue.title).toBe('Upgrade PostgreSQL');
  });

  it('closing it while it is red holds until something else turns red', async () => {
    await scene.run([finding('majors'), finding('clients')]);
    scene.issue.state = 'closed';
    expect(await scene.run([finding('majors'), finding('clients')])).toMatchObject({ operation: 'none', number: 1 });
    expect(scene.log.text).toContain('closed it by hand');
    // Noted in silence, so that its return is something new.
    expect(await scene.writesOf([finding('majors')])).toEqual([updated]);
    expect(scene.issue.state).toBe('closed');
    expect((await scene.run([finding('majors'), finding('clients')])).operation).toBe('reopened');
    expect(scene.issue.state).toBe('open');
  });

  it('closing it while it is red does not keep it from being opened again after it was green', async () => {
    await scene.run([finding('majors')]);
    scene.issue.state = 'closed';
    expect(await scene.writesOf([])).toEqual([updated]);
    expect((await scene.run([finding('majors')])).operation).toBe('reopened');
  });

  it('opening it again while it is green holds until it was red once more', async () => {
    await scene.run([finding('majors')]);
    await scene.run([]);
    scene.issue.state = 'open';
    expect(await scene.writesOf([])).toEqual([]);
    expect(await scene.writesOf([finding('majors')])).toEqual([commented, updated]);
    expect((await scene.run([])).operation).toBe('closed');
  });

  it('deleting our comments is no reason to make them again', async () => {
    await scene.run([finding('majors')]);
    await scene.run([finding('majors'), finding('clients')]);
    await scene.run([finding('clients')]);
    scene.double.state.comments.splice(1);
    expect(await scene.writesOf([finding('clients')])).toEqual([]);
  });

  it('taking our markers away gets them another issue', async () => {
    await scene.run([finding('majors')]);
    scene.issue.body = 'Mine now.';
    expect(await scene.run([finding('majors')])).toMatchObject({ operation: 'created', number: 2 });
    expect(scene.issue.body).toBe('Mine now.');
  });

  it('writing much leaves room for the verdict at least', async () => {
    await scene.run([finding('majors')]);
    fillUp();
    expect((await scene.run([finding('majors'), finding('clients')])).operation).toBe('updated');
    expect(scene.issue.body).toContain('2 checks of 3 block');
    expect(scene.issue.body).toContain("What to do about `majors`, `clients` is in the run's summary.");
    expect(scene.issue.body?.length).toBeLessThanOrEqual(65_536);
    expect(await scene.writesOf([finding('majors'), finding('clients')])).toEqual([]);
  });

  it('writing so much that there is no room at all is told, and nothing is written', async () => {
    await scene.run([finding('majors')]);
    fillUp();
    const many = Array.from({ length: 60 }, (_, i) => finding(`check-${String(i)}`));
    const result = await scene.run(many);
    expect(result).toMatchObject({ operation: 'none', number: 1 });
    expect(result.warnings.join()).toContain('leaves no room');
    expect(scene.comments).toEqual([]);
  });
});

describe('what others opened', () => {
  it('is never taken for ours, even with our markers', async () => {
    await scene.run([finding('majors')]);
    const forged = { ...scene.issue, number: 1, author: 'mallory' };
    scene.issues.splice(0, 1, forged);
    const before = { ...forged };
    expect(await scene.run([finding('majors')])).toMatchObject({ operation: 'created', number: 2 });
    expect(await scene.run([])).toMatchObject({ operation: 'closed', number: 2 });
    expect(scene.issues[0]).toEqual(before);
  });

  it('nor are their comments with our markers', async () => {
    await scene.run([finding('majors')]);
    await scene.run([finding('clients')]);
    const [ours] = scene.double.state.comments;
    if (ours === undefined) throw new Error('no comment');
    const body = ours.body.replace(/"change":\d+/, '"change":99');
    scene.double.state.comments.push({ ...ours, id: 9999, author: 'mallory', body });
    expect(await scene.writesOf([finding('clients')])).toEqual([]);
    expect(await scene.writesOf([finding('files')])).toEqual([commented, updated]);
  });

  it('does not hide ours, however many there are', async () => {
    for (let number = 1; number <= 205; number++)
      scene.issues.push({
        ...{ number, author: 'github-actions[bot]', title: 'Nightly', body: null, state: 'closed', stateReason: null },
        ...{ labels: [], assignees: [] },
      });
    await scene.run([finding('majors')]);
    expect(await scene.writesOf([finding('majors')])).toEqual([]);
    expect(scene.issues).toHaveLength(206);
  });
});
