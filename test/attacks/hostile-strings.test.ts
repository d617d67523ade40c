import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { githubRunner } from '../../src/adapters/runner.ts';
import { findMarked } from '../../src/github/markers.ts';
import { bodyFor, commentFor } from '../../src/issue/text.ts';
import { readChange, readIssue } from '../../src/issue/markers.ts';
import { tellUnfinished } from '../../src/post.ts';
import type { Facts } from '../../src/facts/facts.ts';
import type { Finding } from '../../src/findings/finding.ts';
import { judge } from '../../src/prechecks/judge.ts';
import { newText } from '../../src/pull-request/text.ts';
import { shellRemedy } from '../../src/text/remedy.ts';
import { logFindings } from '../../src/report/log-findings.ts';
import { annotateFindings } from '../../src/report/annotate-findings.ts';
import type { Report } from '../../src/report/report-shape.ts';
import { renderSummary } from '../../src/report/summary.ts';
import type { Log } from '../../src/ports/runner.ts';
import { FakeClock } from '../unit/fake-clock.ts';
import { FakeCrypto } from '../unit/fake-crypto.ts';
import { FakeRunner } from '../unit/fake-runner.ts';
import * as objects from '../unit/objects.ts';
import {
  databaseFacts,
  facts,
  files,
  known,
  libraries,
  restoreTest,
  restoreResult,
  unread,
  upgradeProbe,
} from '../unit/prechecks/facts.ts';
import { report } from '../unit/report/reports.ts';
import { foreignIn } from './github-markdown.ts';
import { hostileTexts } from './hostile-text.ts';
import { commandsIn } from './workflow-commands.ts';

const seed = Number(process.env['HOSTILE_SEED'] ?? 20261129);
const count = 5200;
const docs = 'https://github.com/octo-org/action/blob/main/docs/checks.md';
const runUrl = 'https://github.com/octo-org/infrastructure/actions/runs/7/attempts/1';
const phase = { id: 'x', title: '', startedAt: '2026-01-02T03:04:05.000Z', seconds: 1, outcome: 'done' as const };

type Take = () => string;

/** A server whose databases, roles, tables, pods, nodes, hosts and messages are all named by others. */
async function hostileFacts(take: Take): Promise<Facts> {
  const target = await objects.target();
  const [database, other] = [take(), take()];
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  const row = () => ({ object: take(), detail: take(), remedy: `DROP TABLE ${quoted(take())};` });
  const found = {
    'reg-type-columns': known({ total: 2, rows: [row(), row()] }),
    'unlogged-tables': known({ total: 1, rows: [row()] }),
  };
  const client = () => ({
    ...{ pid: 1, database: take(), user: take(), application: take(), address: take(), state: take() },
  });
  const failure = { object: take(), message: take(), details: [take()], statement: take() };
  return await facts({
    target: {
      ...target,
      ...{ podName: take(), name: take() },
      container: { ...target.container, name: take(), image: `${take()}:14` },
    },
    user: known(take()),
    access: { address: take(), version: 'v1.34.0', weaknesses: [] },
    server: unread(take(), 'psql-failed'),
    databases: known([
      databaseFacts('template1'),
      databaseFacts(database, { collate: take() }),
      databaseFacts(other, { allowsConnections: false }),
    ]),
    obstacles: known([
      { kind: 'prepared transaction', gid: take(), database: take(), owner: take() },
      { kind: 'replication slot', name: take(), type: 'logical', database: take(), usedBy: take() },
    ]),
    extensions: known({ [database]: [{ name: take(), version: take(), shadows: [take()] }] }),
    libraries: known({
      ...libraries,
      used: { [database]: [{ library: take(), uses: 1, names: [take()], drop: [`DROP FUNCTION ${quoted(take())};`] }] },
    }),
    upgradeProbe: known({ ...upgradeProbe, initdb: { [take()]: take() } }),
    hazards: known({ server: known({}), databases: { [database]: known(found) } }),
    files: known({
      ...files,
      foreignFiles: [take()],
      walLink: take(),
      strayTablespaces: [take()],
      entries: [`/x/${take()}/data-14`],
    }),
    otherVolumeUsers: known([take()]),
    clients: known([client(), client()]),
    neighbours: known([
      { kind: 'Deployment', name: take(), isApplication: false, pods: 1, addresses: [], nodes: [], uses: [take()] },
    ]),
    nodes: known([{ metadata: { name: take() }, spec: { unschedulable: true } }]),
    refused: known([take()]),
    restoreTest: known({ ...restoreTest, places: [restoreResult(database, { failures: [failure], dump: [take()] })] }),
    md5Roles: known([take()]),
  });
}

function hostileReport(take: Take, findings: readonly Finding[]): Report {
  return report({
    verdict: 'failed',
    namespace: take(),
    findings: [...findings.filter(({ status }) => status !== 'passed'), { ...ignored, ignored: take() }],
    error: {
      code: 'x',
      message: `psql in pod ${take()}: ${take()}`,
      remedy: shellRemedy(`Look at \`${take()}\` and ${take()}.`, `kubectl get ${take()}`),
    },
    warnings: [take(), `PersistentVolume ${take()} holds it: \`kubectl get pv ${take()}\`.`],
    backup: take(),
    versions: { before: take(), after: take() },
    phases: (['done', 'failed', 'done'] as const).map((outcome) => ({ ...phase, title: take(), outcome })),
    nextSteps: [shellRemedy(take(), `kubectl get ${take()}`)],
    status: { state: 'unfinished', evidence: [take(), take()], safe: take(), next: shellRemedy(take(), take()) },
    issue: { operation: 'none', number: 7, url: runUrl },
    pullRequest: { operation: 'created', number: 7, url: runUrl, headSha: undefined, changes: [] },
    plan: {
      downtimeSeconds: 1,
      ...{ predictedSeconds: 1, lowSeconds: 1, highSeconds: 2 },
      steps: [
        {
          ...{ id: 'x', title: take(), isDowntime: true, seconds: 1, basis: take() },
          moves: [
            { does: 'run', what: take() },
            { does: 'create', manifest: { ...jobKind, metadata: { name: take() } }, until: take() },
          ],
        },
      ],
    },
  });
}

const jobKind = { apiVersion: 'batch/v1', kind: 'Job' };
const ignored: Finding = { check: 'majors', title: 'The majors', status: 'failed', evidence: ['x'], docs };

/** What is printed meanwhile by the real adapter, and how often it was told to begin and end groups and to annotate. */
async function printed(body: (log: Log) => Promise<void>): Promise<{ output: string; meant: string[] }> {
  let output = '';
  const meant: string[] = [];
  const { log } = githubRunner({ names: [], get: () => '' });
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    output += String(chunk);
    return true;
  });
  try {
    await body({
      redact: (text) => text,
      info: (line) => {
        log.info(line);
      },
      debug: (line) => {
        meant.push('debug');
        log.debug(line);
      },
      async group(title, work) {
        meant.push('group');
        const result = await log.group(title, work);
        meant.push('endgroup');
        return result;
      },
      annotate(level, title, message, place) {
        meant.push(level);
        log.annotate(level, title, message, place);
      },
    });
  } finally {
    write.mockRestore();
  }
  return { output, meant };
}

/** What is wrong with all that a run writes with these texts in it. */
async function wrongIn(take: Take): Promise<string[]> {
  const wrong: string[] = [];
  const links = [docs, runUrl];
  const look = (where: string, markdown: string, comments: number): void => {
    // The issue's own number.
    const foreign = foreignIn(markdown, links, comments).filter((what) => what !== 'a reference:  #7');
    wrong.push(...foreign.map((what) => `${where}: ${what}`));
  };
  const all = await hostileFacts(take);
  let findings: Finding[] = [];
  const { output, meant } = await printed(async (log) => {
    ({ findings } = judge(all, {}, docs, log));
    await logFindings(findings, {}, take(), log);
    annotateFindings(findings, { failOn: 'failed', mode: 'precheck', dryRun: false }, log);
    await log.group(take(), () => Promise.resolve());
    log.debug(take());
    log.info(new Error(take()).stack ?? '');
    log.annotate('error', take(), take(), { file: take(), line: 1 });
    for (let i = 0; i < 5; i++) log.info(take());
  });
  const commands = commandsIn(output);
  if (commands.map(({ name }) => name).join() !== meant.join())
    wrong.push(
      ...commands
        .filter(({ line, name }) => !line.startsWith(`::${name}`))
        .map(({ line }) => `log: ${JSON.stringify(line)}`),
      `log: ${String(commands.length)} commands, ${String(meant.length)} meant`,
    );
  // eslint-disable-next-line no-control-regex -- these are looked for
  const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.exec(output);
  if (unseen !== null) wrong.push(`log: a control character ${JSON.stringify(unseen[0])}`);

  look('summary', renderSummary(hostileReport(take, findings)), 0);
  const issue = {
    ...{ namespace: take(), namespaceUid: 'uid', cluster: take(), findings, failOn: 'failed' as const },
    ...{ labels: [], assignees: [], runUrl },
  };
  const told = { change: 1, red: { [take()]: take(), majors: 'failed' } };
  const body = bodyFor(issue, undefined, 0) ?? '';
  look('issue', body, 2);
  if (readIssue(body)?.before !== '' || readIssue(body)?.after !== '') wrong.push('issue: forged markers');
  const comment = commentFor(issue, { [take()]: take() }, told);
  look('comment', comment, 1);
  if (readChange(comment)?.change !== 1) wrong.push('comment: forged markers');
  const pullRequest = newText(
    {
      ...{ path: take(), image: take(), tag: '14', namespace: take(), base: '', branch: '' },
      ...{ labels: [], assignees: [], reviewers: [], teamReviewers: [], draft: false, runUrl },
      edit: (text) => ({ operation: 'none', text, changes: [], warnings: [] }),
      upgrade: {
        ...{ before: take(), after: take(), backup: take(), downtimeSeconds: 1 },
        phases: [{ ...phase, title: take() }],
      },
    },
    [{ line: 1, sign: '+', text: take() }],
  );
  look('pull request', pullRequest.body, 3);
  const marked = findMarked('circleci-server-postgresql-upgrade', pullRequest.body);
  if (marked?.before !== '' || marked.after !== '') wrong.push('pull request: forged markers');
  const post = new (class extends FakeRunner {
    override state(): string {
      return namespace;
    }
  })({ namespace: 'x' });
  const namespace = take();
  const connect = () => Promise.reject(new Error(take()));
  await tellUnfinished({ runner: post, clock: new FakeClock(), crypto: new FakeCrypto(), connect });
  look('post step', post.summary, 0);
  return wrong;
}

describe(`${String(count)} hostile strings (HOSTILE_SEED=${String(seed)})`, () => {
  const github = process.env['GITHUB_ACTIONS'];
  beforeAll(() => {
    delete process.env['GITHUB_ACTIONS'];
  });
  afterAll(() => {
    if (github !== undefined) process.env['GITHUB_ACTIONS'] = github;
  });

  test('are neither command nor link, image, mention, reference, HTML or marker in log, summary, issue and pull request', async () => {
    const texts = hostileTexts(count, seed);
    const wrong: string[] = [];
    let used = 0;
    const take = () => texts[used++ % texts.length] ?? '';
    while (used < texts.length) wrong.push(...(await wrongIn(take)));
    expect({ wrong: wrong.length, first: wrong.slice(0, 20) }).toEqual({ wrong: 0, first: [] });
    expect(used).toBeGreaterThanOrEqual(count);
  }, 120_000);
});

describe('the readers of the test', () => {
  test.each([
    ['::add-mask::a', 'add-mask'],
    [' \u2003::ERROR title=a::b', 'error'],
    ['a ##[group]b', 'group'],
    ['\u200b::error::x', 'error'],
    ['#\u00ad#[error]x', 'error'],
    ['a\r::warning::x', 'warning'],
  ])('take %j for a command', (line, name) => {
    expect(commandsIn(line)).toEqual([expect.objectContaining({ name })]);
  });

  test.each([': :error::x', 'a ::error::b', '::nothing::x', '::error', '# #[error]x'])('take %j for none', (line) => {
    expect(commandsIn(line)).toEqual([]);
  });

  test.each([
    ['@ada', 'a mention: @ada'],
    ['&#64;ada', 'a mention: @ada'],
    ['![x](y)', '<img>'],
    ['[x](https://evil.example)', 'a link to https://evil.example'],
    ['www.evil.example', 'a link to http://www.evil.example'],
    ['a@evil.example', 'a link to mailto:a@evil.example'],
    ['o/r#1', 'a reference: o/r#1'],
    ...[['<b>x</b>', '<b>'] as const, ['- [ ] a', '<input>'] as const],
    ...[['a[^1]\n\n[^1]: b', '<sup>'] as const, ['~~a~~', '<del>'] as const],
    ['$a$', 'a formula: $a$'],
    ['<!-- x -->', '1 comments instead of 0'],
    ['```mermaid\na\n```', '<code class>'],
  ])('see what GitHub sees in %j', (markdown, what) => {
    expect(foreignIn(markdown, [], 0)).toContain(what);
  });

  test('see nothing in code', () => {
    expect(foreignIn('`@ada #1 https://x.org`\n\n```\n@ada\n```', [], 0)).toEqual([]);
  });
});
