import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { faults, rateLimited } from '../../github/faults.ts';
import { thrownBy } from '../thrown.ts';
import { branch, path, Scene, values } from './scene.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

describe('a token that may not', () => {
  it('open pull requests leaves the branch, both settings and a link that opens it', async () => {
    scene.double.state.repository.actionsMayOpenPullRequests = false;
    const error = await thrownBy(() => scene.publish());
    expect(error.code).toBe('github-pull-requests-not-permitted');
    expect(error.message).toContain(`The commit is on branch ${branch}`);
    const { serverUrl } = scene.double;
    expect(error.remedy.text).toContain(
      `${serverUrl}/octo-org/infrastructure/compare/main...${branch}?expand=1&title=`,
    );
    expect(error.remedy.text).toContain(`${serverUrl}/octo-org/infrastructure/settings/actions`);
    expect(error.remedy.text).toContain(`${serverUrl}/organizations/octo-org/settings/actions`);
    expect(scene.diff).toHaveLength(2);
    expect(scene.double.attempts.filter((line) => line.includes('/pulls'))).toHaveLength(1);

    // Opened by a person with the link, whose text holds our markers: the next run fills them.
    const link = new URL(/http\S+/.exec(error.remedy.text)?.[0] ?? '');
    scene.double.state.repository.actionsMayOpenPullRequests = true;
    await scene.github.createPullRequest({
      title: link.searchParams.get('title') ?? '',
      body: `Opened by hand.\n\n${link.searchParams.get('body') ?? ''}`,
      head: branch,
      base: 'main',
      draft: false,
    });
    expect(await scene.publish()).toMatchObject({ operation: 'updated', number: 1, warnings: [] });
    expect(scene.pull.body).toMatch(/^Opened by hand\./);
    expect(scene.pull.body).toContain('+    tag: 14.20');
  });

  it.each([
    ['POST', /git\/blobs/, faults.notAccessible, 'github-permission-missing', /contents: write, pull-requests: write/],
    ['POST', /\/pulls$/, faults.notAccessible, 'github-permission-missing', /compare\/main\.\.\.circleci/],
    ['GET', /infrastructure$/, faults.badCredentials, 'github-unauthorized', /Renew the token/],
    ['GET', /infrastructure$/, faults.notFound, 'github-not-found', /may not see the repository/],
    ['POST', /git\/refs/, faults.rule, 'github-rule', /rules/],
  ])('%s %s is told once, with what to do', async (method, where, fault, code, remedy) => {
    scene.double.play(method, where, fault, 99);
    const error = await thrownBy(() => scene.publish());
    expect(error.code).toBe(code);
    expect(error.remedy.text).toMatch(remedy);
    expect(scene.double.requests.filter((r) => r.method === method && where.test(r.path))).toHaveLength(1);
    expect(scene.clock.pauses).toEqual([]);
  });

  it('see the branch is an error, never "there is none"', async () => {
    scene.double.play('GET', /git\/ref\/heads\/circleci/, faults.notAccessible);
    expect((await thrownBy(() => scene.publish())).code).toBe('github-permission-missing');
    expect(scene.double.attempts).toEqual([]);
  });
});

describe('what passes', () => {
  it.each(['unresolvable', 'noCommits'] as const)('%s right after the push is tried again, and told', async (name) => {
    scene.double.play('POST', /\/pulls$/, faults[name], 2);
    expect((await scene.publish()).operation).toBe('created');
    expect(scene.clock.pauses).toEqual([1000, 2000]);
    expect(scene.log.text.match(/before the next attempt/g)).toHaveLength(2);
  });

  it('ends after five times, with the link', async () => {
    scene.double.play('POST', /\/pulls$/, faults.unresolvable, 99);
    expect((await thrownBy(() => scene.publish())).remedy.text).toContain('compare/main...');
    expect(scene.clock.pauses).toEqual([1000, 2000, 4000, 8000]);
  });

  it.each([
    ['GET', /git\/trees/, faults.badGateway],
    ['GET', /\/pulls$/, faults.unavailable],
    ['GET', /git\/blobs/, faults.serverError],
    ['GET', /git\/blobs/, faults.cut],
    ['POST', /git\/blobs$/, faults.badGateway],
    ['POST', /git\/commits$/, faults.lost],
  ])('%s %s broken on the way is tried again', async (method, where, fault) => {
    scene.double.play(method, where, fault, 2);
    expect((await scene.publish()).operation).toBe('created');
    expect(scene.clock.pauses).toEqual([1000, 2000]);
    expect(scene.diff).toHaveLength(2);
  });

  it('a server that stays broken ends the run with its address', async () => {
    scene.double.play('GET', /infrastructure$/, faults.cut, 99);
    const error = await thrownBy(() => scene.publish());
    expect(error.code).toBe('github-unreachable');
    expect(error.message).toContain(scene.double.apiUrl);
    expect(scene.clock.pauses).toHaveLength(4);
  });
});

describe('a write whose answer is lost', () => {
  it.each([
    ['POST', /git\/refs$/],
    ['POST', /\/pulls$/],
  ])('%s %s is looked up, not made twice', async (method, where) => {
    scene.double.play(method, where, faults.lost);
    const result = await scene.publish();
    expect(result.number).toBe(1);
    expect(scene.double.state.pullRequests).toHaveLength(1);
    expect(scene.git.git(['rev-list', '--count', `main..${branch}`])).toBe('1');
    expect(scene.log.text).toContain('It is unknown whether GitHub carried it out');
  });

  it('and a moved branch too', async () => {
    await scene.publish({ tag: '14.19' });
    scene.double.play('PATCH', /git\/refs/, faults.lost);
    expect((await scene.publish()).operation).toBe('updated');
    expect(scene.git.git(['rev-list', '--count', `main..${branch}`])).toBe('2');
  });
});

describe('somebody quicker', () => {
  it('made the same branch: it is read again', async () => {
    scene.double.play('POST', /git\/refs/, faults.refExists);
    expect((await scene.publish()).operation).toBe('created');
    expect(scene.log.text).toContain('Reading again');
  });

  it.each(['notFastForward', 'conflict'] as const)('moved the branch (%s): it is read again', async (name) => {
    await scene.publish({ tag: '14.19' });
    scene.double.play('PATCH', /git\/refs/, faults[name]);
    expect((await scene.publish()).operation).toBe('updated');
    expect(scene.diff).toHaveLength(2);
  });

  it('opened the pull request: it is updated', async () => {
    scene.double.play('POST', /\/pulls$/, {
      meanwhile: () => {
        scene.double.state.pullRequests.push({ ...blank, head: branch, headSha: scene.git.head(branch) ?? '' });
      },
    });
    const result = await scene.publish();
    expect(result.number).toBe(1);
    expect(result.warnings.join()).toContain('markers');
    expect(scene.double.state.pullRequests).toHaveLength(1);
  });
});

describe('rate limits', () => {
  it.each([
    ['a secondary one with a time', faults.secondaryLimit, 7000],
    ['a secondary one without', faults.secondaryLimitUntimed, 60_000],
    ['too many requests', faults.tooMany, 3000],
  ])('%s is waited for, also by a write', async (_, fault, pause) => {
    scene.double.play('POST', /\/pulls$/, fault);
    expect((await scene.publish()).operation).toBe('created');
    expect(scene.clock.pauses).toEqual([pause]);
    expect(scene.log.text).toContain(`Waiting ${String(pause / 1000)} s before the next attempt`);
  });

  it('the primary one is waited for when it ends soon', async () => {
    scene.double.play('GET', /git\/ref/, rateLimited(new Date(scene.clock.now().getTime() + 90_000)));
    await scene.publish();
    expect(scene.clock.pauses).toEqual([91_000]);
  });

  it('and told with its end when it does not', async () => {
    scene.double.play('GET', /git\/ref/, rateLimited(new Date(scene.clock.now().getTime() + 3_600_000)));
    const error = await thrownBy(() => scene.publish());
    expect(error).toMatchObject({ code: 'github-rate-limited' });
    expect(error.remedy.text).toContain('2026-01-02T04:04:06');
    expect(scene.clock.pauses).toEqual([]);
  });
});

describe('what hangs on the pull request', () => {
  it('is a warning when it fails, and the rest is done', async () => {
    scene.double.play('POST', /labels/, faults.notAccessible);
    const result = await scene.publish({
      labels: ['upgrade'],
      assignees: ['ada', 'stranger'],
      reviewers: ['github-actions[bot]'],
      teamReviewers: ['platform'],
    });
    expect(result.operation).toBe('created');
    expect(result.warnings).toHaveLength(3);
    expect(result.warnings.join('\n')).toMatch(/labels upgrade.*\n.*stranger.*\n.*author/s);
    expect(scene.pull).toMatchObject({ labels: [], assignees: ['ada'], reviewers: [], teamReviewers: ['platform'] });
  });

  it('is completed by the next run, without regard to case', async () => {
    await scene.publish({ labels: ['Upgrade'] });
    const result = await scene.publish({ labels: ['upgrade', 'database'], reviewers: ['ben'] });
    expect(result.operation).toBe('updated');
    expect(scene.pull).toMatchObject({ labels: ['Upgrade', 'database'], reviewers: ['ben'] });
  });

  it('does not ask again who has reviewed, until there is a new commit', async () => {
    await scene.publish({ reviewers: ['ben'] });
    Object.assign(scene.pull, { reviewers: [], reviews: ['ben'] });
    scene.forget();
    expect((await scene.publish({ reviewers: ['ben'] })).operation).toBe('none');
    expect(scene.double.attempts).toEqual([]);
    await scene.publish({ reviewers: ['ben'], tag: '14.21' });
    expect(scene.pull.reviewers).toEqual(['ben']);
  });

  it('is not a draft where there are none', async () => {
    scene.double.state.repository.drafts = false;
    const result = await scene.publish({ draft: true });
    expect(result).toMatchObject({ operation: 'created' });
    expect(result.warnings.join()).toContain('draft');
    expect(scene.pull.draft).toBe(false);
  });
});

describe('slow and cancelled', () => {
  it('an answer that does not come is given up and asked for again', async () => {
    const slow = await Scene.open({ answerLimit: 1500 });
    try {
      slow.double.play('GET', /infrastructure$/, { delay: 5000 });
      await slow.publish();
      expect(slow.log.text).toContain('no answer within 1.5 s');
    } finally {
      await slow.close();
    }
  });

  it('a cancelled run ends without another call', async () => {
    scene.double.play('POST', /git\/trees/, {
      meanwhile: () => {
        scene.cancel();
      },
    });
    expect((await thrownBy(() => scene.publish())).code).toBe('cancelled');
    expect(scene.git.head(branch)).toBeUndefined();
    expect(scene.git.file('main', path)).toBe(values('12.16'));
  });
});

const blank = {
  number: 1,
  author: 'ada',
  base: 'main',
  title: 'By hand',
  body: null,
  draft: false,
  state: 'open' as const,
  mergedAt: null,
  baseSha: '0'.repeat(40),
  labels: [],
  assignees: [],
  reviewers: [],
  teamReviewers: [],
  reviews: [],
};
