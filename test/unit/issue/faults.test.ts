import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { faults, rateLimited } from '../../github/faults.ts';
import { issuesToken, jobToken, type Token } from '../../github/token.ts';
import { token } from '../github/connect.ts';
import { thrownBy } from '../thrown.ts';
import { finding, IssueScene } from './scene.ts';

jest.setTimeout(30_000);

let scene: IssueScene;
beforeEach(async () => {
  scene = await IssueScene.open();
});
afterEach(async () => {
  await scene.close();
});

const red = [finding('majors')];
const redder = [finding('majors'), finding('clients')];

/** Nothing is left to do, nothing is there twice. */
async function expectSettled(findings: typeof red, comments: number): Promise<void> {
  expect(await scene.writesOf(findings)).toEqual([]);
  expect(scene.issues.filter(({ state }) => state === 'open')).toHaveLength(findings.length === 0 ? 0 : 1);
  expect(scene.comments).toHaveLength(comments);
}

describe('a write whose answer is lost is looked up, not made twice', () => {
  it('when the issue is opened', async () => {
    scene.double.play('POST', /\/issues$/, faults.lost);
    expect(await scene.run(red)).toMatchObject({ number: 1 });
    expect(scene.log.text).toContain('It is unknown whether GitHub carried it out');
    expect(scene.issues).toHaveLength(1);
    await expectSettled(red, 0);
  });

  it.each([
    ['the comment', 'POST', /\/comments$/],
    ['the text', 'PATCH', /\/issues\/1$/],
  ])('when %s is written', async (_what, method, where) => {
    await scene.run(red);
    scene.double.play(method, where, faults.lost);
    await scene.run(redder);
    await expectSettled(redder, 1);
    scene.double.play(method, where, faults.lost);
    await scene.run([]);
    await expectSettled([], 2);
  });
});

describe('a run that dies', () => {
  it('between comment and text leaves a comment that is not repeated', async () => {
    await scene.run(red);
    scene.double.play('PATCH', /\/issues\/1$/, faults.notAccessible);
    expect((await thrownBy(() => scene.run(redder))).code).toBe('github-permission-missing');
    expect(scene.comments).toHaveLength(1);
    expect((await scene.run(redder)).operation).toBe('updated');
    await expectSettled(redder, 1);
  });

  it('there, and facts that are what they were before, are told', async () => {
    await scene.run(red);
    scene.double.play('PATCH', /\/issues\/1$/, faults.notAccessible);
    await thrownBy(() => scene.run(redder));
    await scene.run(red);
    expect(scene.comments.at(-1)).toContain('(`clients`): no longer part of the checks');
    await expectSettled(red, 2);
    await scene.run([]);
    await expectSettled([], 3);
  });

  it('when it was closing leaves an issue that the next one closes', async () => {
    await scene.run(red);
    scene.double.play('PATCH', /\/issues\/1$/, faults.notAccessible);
    await thrownBy(() => scene.run([]));
    expect(scene.issue.state).toBe('open');
    expect((await scene.run([])).operation).toBe('closed');
    await expectSettled([], 1);
  });
});

describe('two runs at once', () => {
  it.each([2, 3])('(%d of them) that open an issue keep the oldest', async (runs) => {
    const results = await Promise.all(Array.from({ length: runs }, () => scene.run(red)));
    expect(new Set(results.map(({ number }) => number))).toEqual(new Set([1]));
    expect(scene.issues.map(({ state }) => state)).toEqual(['open', ...scene.issues.slice(1).map(() => 'closed')]);
    await expectSettled(red, 0);
  });

  it('of which the other one opens its issue after we have read, and before we open ours, keep the other one', async () => {
    await scene.run(red);
    const [others] = scene.issues.splice(0);
    if (others === undefined) throw new Error('no issue');
    scene.double.play('POST', /\/issues$/, { meanwhile: () => scene.issues.push(others) });
    expect(await scene.run(red)).toMatchObject({ number: 1 });
    expect(scene.issues.map(({ state }) => state)).toEqual(['open', 'closed']);
    await expectSettled(red, 0);
  });

  it('of which the other one comments after we have read, and before we do, leave one comment', async () => {
    await scene.run(red);
    await scene.run(redder);
    const [others] = scene.double.state.comments.splice(0);
    const before = { ...scene.issue };
    if (others === undefined) throw new Error('no comment');
    scene.issue.body = before.body?.replace(/"change":1/, '"change":0').replace(/,"clients":"failed"/, '') ?? '';
    scene.double.play('POST', /\/comments$/, { meanwhile: () => scene.double.state.comments.push(others) });
    expect((await scene.run(redder)).operation).toBe('updated');
    expect(scene.double.state.comments).toEqual([others]);
    await expectSettled(redder, 1);
  });

  it('whose lists did not show each other yet are settled by the next run', async () => {
    // A list that is a moment old: the second run does not see the first one's issue, neither before nor after its own.
    await scene.run(red);
    scene.double.play('GET', /\/issues$/, { status: 200, body: [] });
    scene.double.play('GET', /\/issues$/, { status: 200, body: [] });
    expect(await scene.run(red)).toMatchObject({ operation: 'created', number: 2 });
    expect(await scene.run(red)).toMatchObject({ operation: 'updated', number: 1 });
    expect(scene.issues.map(({ state, stateReason }) => [state, stateReason])).toEqual([
      ['open', null],
      ['closed', 'not_planned'],
    ]);
    expect(scene.issues[1]?.body).toBe('Two runs opened an issue at the same moment. The action keeps #1.');
    await expectSettled(red, 0);
  });

  it.each([2, 3])('(%d of them) that see the same change tell it once', async (runs) => {
    await scene.run(red);
    const results = await Promise.all(Array.from({ length: runs }, () => scene.run(redder)));
    expect(new Set(results.map(({ number }) => number))).toEqual(new Set([1]));
    await expectSettled(redder, 1);
  });

  it('of which one opens the issue again while the other one only rewrites its text, leave state and text of one of them', async () => {
    await scene.run(red);
    const { body } = scene.issue;
    await scene.run([]);
    scene.double.play('PATCH', /\/issues\/1$/, {
      meanwhile: () => {
        Object.assign(scene.issue, { state: 'open', stateReason: 'reopened', body });
      },
    });
    await scene.run([finding('files', 'warning')]);
    expect(scene.issue.state).toBe('closed');
    expect(scene.issue.body).toContain('No check blocks the upgrade');
    await scene.run([]);
    expect(scene.issue.state).toBe('closed');
  });

  it('that see different things come to what the last run sees', async () => {
    await scene.run(red);
    await Promise.all([scene.run(redder), scene.run([])]);
    await scene.run(redder);
    await expectSettled(redder, scene.comments.length);
    expect(scene.issue.state).toBe('open');
    await scene.run([]);
    await expectSettled([], scene.comments.length);
  });
});

it('an issue that no list shows yet is not opened twice', async () => {
  scene.double.play('GET', /\/issues$/, { status: 200, body: [] }, 2);
  expect(await scene.run(red)).toMatchObject({ operation: 'created', number: 1 });
  expect(scene.issues).toHaveLength(1);
});

it('a text that a person changes between our reading and our writing again is not lost', async () => {
  await scene.run(red);
  scene.double.play('PATCH', /\/issues\/1$/, {
    ...faults.badGateway,
    meanwhile: () => {
      scene.issue.body = `Ada was here.\n${scene.issue.body ?? ''}`;
    },
  });
  await scene.run(redder);
  expect(scene.issue.body).toMatch(/^Ada was here\.\n<!-- /);
  expect(scene.issue.body).toContain('2 checks of 3');
});

describe('a token that may not', () => {
  const tokens: [string, Token][] = [
    ['see issues', jobToken],
    ['write issues', { ...issuesToken, issues: 'read' }],
    ['write issues, a fine-grained one', { ...issuesToken, login: 'sam', kind: 'fine-grained', issues: 'read' }],
  ];
  it.each(tokens)('%s is told which permission to add', async (_what, kind) => {
    scene.double.tokens.set(token, kind);
    const error = await thrownBy(() => scene.run(red));
    expect(error.code).toBe('github-permission-missing');
    expect(error.remedy.text).toContain('permissions: { issues: write }');
    expect(scene.clock.pauses).toEqual([]);
  });

  it('write there at all, a classic one, is told what GitHub hides', async () => {
    scene.double.tokens.set(token, { ...issuesToken, login: 'sam', kind: 'classic', scopes: [], issues: 'read' });
    const error = await thrownBy(() => scene.run(red));
    expect(error).toMatchObject({ code: 'github-not-found' });
    expect(error.remedy.text).toContain('may not write to it');
  });

  it('be told for whom it speaks writes nothing', async () => {
    scene.double.play('POST', /\/graphql$/, { status: 200, body: { data: null, errors: [{ message: 'Not now' }] } });
    const error = await thrownBy(() => scene.run(red));
    expect(error.message).toBe("Can't ask for whom the token speaks: Not now.");
    expect(scene.double.attempts).toEqual([]);
  });
});

it('a repository without issues is told', async () => {
  scene.double.state.repository.issues = false;
  const error = await thrownBy(() => scene.run(red));
  expect(error.code).toBe('github-issues-disabled');
  expect(error.remedy.text).toContain('Turn "Issues" on');
});

describe('what passes', () => {
  it.each([
    ['POST', /\/graphql$/, faults.badGateway],
    ['GET', /\/issues$/, faults.unavailable],
    ['GET', /\/issues\/1\/comments$/, faults.cut],
  ])('%s %s broken on the way is tried again', async (method, where, fault) => {
    await scene.run(red);
    scene.double.play(method, where, fault, 2);
    expect((await scene.run(redder)).operation).toBe('updated');
    expect(scene.clock.pauses).toEqual([1000, 2000]);
    await expectSettled(redder, 1);
  });

  it.each([
    ['POST', /\/issues$/],
    ['POST', /\/comments$/],
    ['PATCH', /\/issues\/1$/],
  ])('a rate limit of %s %s is waited for', async (method, where) => {
    scene.double.play(method, where, faults.secondaryLimit);
    await scene.run(red);
    await scene.run(redder);
    expect(scene.clock.pauses).toEqual([7000]);
    await expectSettled(redder, 1);
  });

  it('a limit that ends late is told with its end', async () => {
    scene.double.play('GET', /\/issues$/, rateLimited(new Date(scene.clock.now().getTime() + 3_600_000)));
    expect((await thrownBy(() => scene.run(red))).code).toBe('github-rate-limited');
  });
});

it('works with an app of your own, and on a GitHub Enterprise Server', async () => {
  await scene.close();
  scene = await IssueScene.open({ apiPath: '/api/v3' });
  scene.double.tokens.set(token, { ...issuesToken, login: 'upgrader[bot]', kind: 'app' });
  expect(await scene.run(red)).toMatchObject({ operation: 'created' });
  expect(scene.issue.author).toBe('upgrader[bot]');
  expect(scene.double.requests.map(({ path }) => path)).toContain('/api/graphql');
  await expectSettled(red, 0);
});
