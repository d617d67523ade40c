// Everybody whom the action talks to echoes what they were sent, in every form. No byte that leaves the process holds a secret.
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { dump } from 'js-yaml';
import type { ServerResponse } from 'node:http';
import { startBundle, type Circumstances, type InputValues } from '../bundle.ts';
import { BareRepository } from '../github/bare-repository.ts';
import { GitHubDouble } from '../github/double.ts';
import { issuesToken, jobToken } from '../github/token.ts';
import { leaksIn } from '../leaks.ts';
import { encodings } from '../secret-forms.ts';
import type { Fault } from '../scenario/api-server.ts';
import { namespace, probeLog } from '../scenario/release.ts';
import { Scenario } from '../scenario/scenario.ts';
import { withoutMasks } from '../scenario/workflow-commands.ts';

jest.setTimeout(300_000);

const githubToken = 'ghs_0123456789abcdef0123456789abcdef0123';
/** No shape tells it: only who knows it can mask it. */
const plainToken = 'kQ7vZx2mPw9rTb4nYc6jHd8sLf3gAe5u';
const file = 'deploy/values.yaml';
const values =
  'postgresql:\n  image:\n    registry: cciserver.azurecr.io\n    repository: server-postgres\n    tag: 12.16.3\n';

let git: BareRepository;
let github: GitHubDouble;
beforeAll(async () => {
  git = BareRepository.make({ [file]: values });
  github = await GitHubDouble.start(git, { repository: 'admins/server' });
  github.tokens.set(githubToken, { ...jobToken, ...issuesToken, contents: 'write', pullRequests: 'write' });
});
afterAll(async () => {
  await github.stop();
  git.remove();
});

/** A text with the secrets, in each form, in sentences, JSON, statements and over several lines. */
function echoOf(...secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) =>
    Object.entries(encodings(secret)).map(([form, text]) => `${form} ${text} end`),
  );
  const pairs = secrets.flatMap((secret) => [
    `Basic ${btoa(`u:${secret}`)}`,
    `https://u:${encodeURIComponent(secret)}@host/`,
  ]);
  return [...forms, ...pairs, JSON.stringify({ forms }), JSON.stringify(JSON.stringify({ forms }))].join('\n');
}

/** What the request held, in the server's own words. */
function sent(response: ServerResponse): string {
  const authorization = response.req.headers.authorization ?? '';
  const headers = response.req.rawHeaders.join('\n');
  return `${headers}\n${echoOf(authorization.replace(/^\S+ /, ''))}`;
}

const refusing: Fault = (response) => {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Forbidden', code: 403 };
  response.writeHead(403, {
    'content-type': 'application/json',
    warning: `299 - "${encodeURIComponent(sent(response))}"`,
  });
  response.end(JSON.stringify({ ...status, message: `denied the request: ${sent(response)}` }));
};
/** In the middle of the first characters that are shown, so that a cut may go through it. */
const page: Fault = (response) => {
  const { authorization = '' } = response.req.headers;
  response
    .writeHead(400, { 'content-type': 'text/html' })
    .end(`<pre>${'x'.repeat(165)} ${authorization} ${sent(response)}</pre>`);
};
const loginPage: Fault = (response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<pre>${sent(response)}</pre>`);
};

interface World {
  readonly inputs: InputValues;
  readonly circumstances?: Circumstances;
  /** By name, besides those of every world. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** All that came out of the run, and what GitHub got, must not hold a secret of the world; and something was echoed. */
async function search(scenario: Scenario, { inputs, circumstances = {}, secrets = {} }: World): Promise<string> {
  const kubeconfig = scenario.file('kubeconfig', scenario.kubeconfig());
  github.requests.length = 0;
  const environment = {
    GITHUB_API_URL: github.apiUrl,
    GITHUB_SERVER_URL: github.serverUrl,
    RUNNER_DEBUG: '1',
    ...circumstances.environment,
  };
  const end = await startBundle(
    { namespace, kubeconfig, probes: 'none', 'github-token': githubToken, ...inputs },
    { ...circumstances, environment },
  ).end;
  const texts = github.requests
    .filter(({ path }) => !path.endsWith('/git/blobs'))
    .map(({ path, body }) => `${path} ${JSON.stringify(body)}`);
  const places = {
    stdout: withoutMasks(end.stdout),
    stderr: end.stderr,
    summary: end.summary,
    outputs: JSON.stringify(end.outputs),
    state: JSON.stringify(end.state),
    report: end.reportText,
    github: texts.join('\n'),
  };
  const known = { password: scenario.postgresql.password, token: scenario.api.token, githubToken, ...secrets };
  expect(leaksIn(places, known)).toEqual([]);
  // Half of a secret is one, too.
  for (const secret of [scenario.api.token, plainToken, githubToken])
    for (const [place, text] of Object.entries(places))
      expect([place, text.includes(secret.slice(0, 16))]).toEqual([place, false]);
  // A summary is Markdown, a report is JSON, and the log is there.
  if (end.reportText !== '') JSON.parse(end.reportText);
  const all = Object.values(places).join('\n');
  expect(all).toContain('***');
  return all;
}

const modes: readonly InputValues[] = [
  { mode: 'precheck', issue: 'true' },
  { mode: 'upgrade', confirm: namespace },
  { mode: 'rollback', confirm: namespace },
  { mode: 'status' },
];

describe.each(modes)('in $mode', (inputs) => {
  test.each([
    ['an API server that refuses', refusing, /statefulsets/],
    ['a proxy with a page of its own', page, /statefulsets/],
    ['a login page', loginPage, /namespaces\/[^/]+$/],
    [
      'a server that knows nobody',
      ((response) => {
        response
          .writeHead(401, { 'content-type': 'application/json' })
          .end(JSON.stringify({ kind: 'Status', message: sent(response), code: 401 }));
      }) satisfies Fault,
      /namespaces/,
    ],
  ])('%s', async (_who, fault, path) => {
    await using scenario = await Scenario.begin();
    scenario.api.token = plainToken;
    scenario.api.answer('GET', path, fault);
    await search(scenario, { inputs });
  });
});

// The other modes don't ask it where there is no journal.
test.each(modes.slice(0, 2))('in $mode, psql and the shell in the pod', async (inputs) => {
  await using scenario = await Scenario.begin();
  scenario.api.program = ({ command, input }) => {
    const echo = `${command.join(' ')}\n${input}\n${echoOf(scenario.postgresql.password)}`;
    return { exitCode: 2, stdout: echo, stderr: `sh: 1: ${echo}` };
  };
  scenario.api.answer('POST', /\/jobs$/, refusing);
  await search(scenario, { inputs });
});

test('in a precheck whose answers are found, findings, issue and pull request hold none', async () => {
  await using scenario = await Scenario.begin();
  const { postgresql, api } = scenario;
  const echo = echoOf(postgresql.password, api.token, githubToken);
  let asked = 0;
  postgresql.hazards = () => (asked++ > 8 ? [] : [{ object: echo, detail: echo.slice(0, 300), remedy: echo }]);
  api.answer('POST', /\/jobs$/, refusing);
  const ended = { name: 'probe', state: { terminated: { exitCode: 1, message: echo } } };
  const running = { name: 'postgresql', state: { running: {} } };
  api.podStatus = ({ metadata }) =>
    metadata.labels?.['postgresql-upgrade/probe'] === 'start'
      ? { phase: 'Running', message: echo, containerStatuses: [running] }
      : { phase: 'Failed', message: echo, containerStatuses: [ended] };
  api.podLog = (pod) => {
    const log = probeLog(pod.metadata.labels?.['postgresql-upgrade/probe'] ?? '');
    return `${log}\n2026-01-01T00:00:00Z broken\t${echo.replaceAll('\n', ' ')}\n`;
  };
  const all = await search(scenario, {
    inputs: { mode: 'precheck', issue: 'true', 'values-file': file, probes: 'pods' },
  });
  expect(all).toContain('denied the request');
  expect(github.state.issues.length).toBeGreaterThan(0);
});

test('GitHub that echoes what it was sent', async () => {
  await using scenario = await Scenario.begin();
  const message = `Bad credentials: ${echoOf(githubToken)}`;
  for (const method of ['GET', 'POST', 'PATCH'])
    github.play(method, /.*/, { status: 403, body: { message, errors: [{ message }] } }, 3);
  await search(scenario, { inputs: { mode: 'values', 'values-file': file } });
  github.play('GET', /.*/, { status: 502, body: `${'x'.repeat(480)} ${githubToken} ${message}` }, 9);
  await search(scenario, { inputs: { mode: 'values', 'values-file': file } });
});

describe('a program that brings credentials', () => {
  const variables = {
    INPUT_SECRET: 'input-of-the-action-77',
    ACTIONS_RUNTIME_TOKEN: 'runtime-token-of-the-runner',
    GITHUB_TOKEN: 'token-of-the-environment-9',
    STATE_x: 'state-of-the-action-5',
  };
  const user = (program: string) => ({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: program,
      interactiveMode: 'Never',
      env: [{ name: 'CLIENT_SECRET', value: 'c1ient-secret-of-the-program' }],
    },
  });

  test.each([
    [
      'says all that it has and fails',
      'env >&2; echo "password=hunter2-hunter2" >&2; echo "$CLIENT_SECRET" >&2; exit 1',
    ],
    ['prints what is not JSON', `echo "${plainToken}"; env`],
    ['prints half of its JSON', `printf '{"status":{"token":"${plainToken}'`],
    ['never ends its error', `yes "Authorization: Bearer ${plainToken} $CLIENT_SECRET" | head -c 3000000 >&2; exit 1`],
  ])('that %s', async (_what, script) => {
    await using scenario = await Scenario.begin();
    const program = scenario.file('login', `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o700);
    const secrets = { plainToken, hunter: 'hunter2-hunter2', ofProgram: 'c1ient-secret-of-the-program', ...variables };
    const kubeconfig = dump(scenario.kubeconfig({ user: user(program) }));
    const all = await searchWithoutMask(scenario, {
      inputs: { mode: 'status', kubeconfig },
      circumstances: { environment: variables },
      secrets,
    });
    expect(all.length).toBeLessThan(100_000);
  });

  test('gets none of the inputs, and what it needs', async () => {
    await using scenario = await Scenario.begin();
    const seen = scenario.file('seen', '');
    const answer = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: scenario.api.token },
    });
    const program = scenario.file('login', `#!/bin/sh\nenv >${seen}\necho '${answer}'\n`);
    chmodSync(program, 0o700);
    const needed = {
      AWS_PROFILE: 'prod',
      GOOGLE_APPLICATION_CREDENTIALS: '/x',
      AZURE_TENANT_ID: 't',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x',
    };
    await startBundle(
      { namespace, mode: 'status', kubeconfig: dump(scenario.kubeconfig({ user: user(program) })) },
      { environment: { ...variables, ...needed } },
    ).end;
    const { readFileSync } = await import('node:fs');
    const environment = readFileSync(seen, 'utf8');
    expect(environment).not.toMatch(/^(INPUT_|STATE_|ACTIONS_RUNTIME|GITHUB_TOKEN)/m);
    for (const value of Object.values(variables)) expect(environment).not.toContain(value);
    for (const [name, value] of Object.entries(needed)) expect(environment).toContain(`${name}=${value}\n`);
    expect(environment).toMatch(/^PATH=/m);
    expect(environment).toMatch(/^HOME=/m);
  });
});

/** A run that may have nothing to mask, since nothing was told. */
async function searchWithoutMask(scenario: Scenario, world: World): Promise<string> {
  scenario.api.answer('GET', /.*/, refusing);
  const kubeconfig = world.inputs['kubeconfig'] ?? '';
  const end = await startBundle({ namespace, ...world.inputs, kubeconfig }, world.circumstances).end;
  const places = { stdout: withoutMasks(end.stdout), stderr: end.stderr, summary: end.summary, report: end.reportText };
  expect(leaksIn(places, world.secrets ?? {})).toEqual([]);
  expect(places.stdout).toContain('::error');
  return Object.values(places).join('\n');
}

test('an address with a user and a password in it is told without them', async () => {
  await using scenario = await Scenario.begin();
  const { cluster = {} } = scenario.kubeconfig().clusters[0] ?? {};
  const password = 'pa55-in-the-address';
  const server = scenario.api.address.replace('://', `://admin:${password}@`);
  const kubeconfig = dump(scenario.kubeconfig({ cluster: { ...cluster, server } }));
  const end = await startBundle({ namespace, kubeconfig, probes: 'none' }).end;
  expect(
    leaksIn({ stdout: withoutMasks(end.stdout), summary: end.summary, report: end.reportText }, { password }),
  ).toEqual([]);
  expect(end.stdout).toContain(`Cluster: ${scenario.api.address} (context production)`);
});
