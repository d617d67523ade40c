// GitHub's API as a program of its own, for the workflow runner:
//   server.ts --repo DIR [--port N] [--host H] [--public-url URL] [--name OWNER/REPO] [--api-path /api/v3]
//             [--token TOKEN] [--actions-may-not] [--fault NAME=METHOD:PATTERN[:TIMES]]... [--requests FILE]
//             [--tls-cert FILE --tls-key FILE]
// DIR is a bare repository. Prints the API's URL in one line when it listens; ends on SIGTERM or SIGINT.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BareRepository } from './bare-repository.ts';
import { GitHubDouble } from './double.ts';
import { faults, type Fault } from './faults.ts';
import { jobToken } from './token.ts';

const { values } = parseArgs({
  options: {
    repo: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'public-url': { type: 'string' },
    name: { type: 'string', default: 'octo-org/infrastructure' },
    'api-path': { type: 'string', default: '' },
    token: { type: 'string', multiple: true },
    'actions-may-not': { type: 'boolean', default: false },
    fault: { type: 'string', multiple: true },
    requests: { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
  },
});
if (values.repo === undefined) throw new Error('usage: server.ts --repo DIR [--port N] …');

const [cert, key] = [values['tls-cert'], values['tls-key']];
const double = await GitHubDouble.start(new BareRepository(values.repo), {
  repository: values.name,
  apiPath: values['api-path'],
  host: values.host,
  port: Number(values.port),
  ...(values['public-url'] === undefined ? {} : { publicUrl: values['public-url'] }),
  ...(cert === undefined || key === undefined
    ? {}
    : { tls: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') } }),
});
for (const token of values.token ?? []) double.tokens.set(token, jobToken);
if (values['actions-may-not']) double.state.repository.actionsMayOpenPullRequests = false;
for (const text of values.fault ?? []) {
  const [, name = '', method = '', pattern = '', times = '1'] = /^(\w+)=([A-Z]+):(.*?)(?::(\d+))?$/.exec(text) ?? [];
  const fault = (faults as Readonly<Record<string, Fault>>)[name];
  if (fault === undefined) throw new Error(`--fault ${text}: one of ${Object.keys(faults).join(', ')}`);
  double.play(method, new RegExp(pattern), fault, Number(times));
}
const file = values.requests;
if (file !== undefined) {
  writeFileSync(file, '');
  // One line of JSON each: method, path, status, and what did not keep to GitHub's description.
  double.onAnswered = ({ method, path, status, body }) => {
    const violations = double.violations.splice(0);
    appendFileSync(file, `${JSON.stringify({ method, path, status, body, violations })}\n`);
  };
}
console.log(double.apiUrl);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void double.stop().then(() => process.exit());
  });
}
