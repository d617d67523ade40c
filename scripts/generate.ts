// Writes what comes from the sources' tables: action.yml, and in docs/ and ARCHITECTURE.md the parts between the markers. `--check` only says whether they are up to date.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { startingEvents } from '../src/inputs/guards.ts';
import { modes, type Input } from '../src/inputs/input-types.ts';
import { inputTable } from '../src/inputs/inputs.ts';
import { sentence } from '../src/common/errors.ts';
import { inputName } from '../src/common/input-name.ts';
import { outputTable, type OutputName } from '../src/common/outputs.ts';
import { checkGroups } from '../src/prechecks/catalogue.ts';
import type { Check } from '../src/facts/check.ts';
import { resources } from '../src/ports/cluster.ts';
import { reportShape } from '../src/report/report-shape.ts';
import { modeManifests } from '../src/permissions/permission-manifests.ts';
import { admissionPolicies } from '../src/permissions/admission-policy.ts';
import { cleanupPermissions } from '../src/permissions/cleanup-permissions.ts';
import { permissions } from '../src/permissions/permissions.ts';
import { exampleNames } from '../src/target/server-names.ts';
import { inputGroups, outputTypes, type InputKey } from './reference.ts';
import { errorCodeLines } from './troubleshooting.ts';

/** When somebody would notice it without the check. */
const showing: Readonly<Record<NonNullable<Check['shows']>, string>> = {
  check: 'the checks of pg_upgrade find it too, but in the downtime',
  upgrade: 'the checks of pg_upgrade pass; the upgrade itself fails in the downtime',
  job: 'the upgrade Job refuses to begin, in the downtime',
  start: 'the new server does not start, or refuses its clients, after the upgrade',
  never: 'the upgrade reports nothing',
};

/** Who says what the check's `says` quotes. */
const saying: Readonly<Record<NonNullable<Check['shows']>, string>> = {
  check: 'pg_upgrade or its log says',
  upgrade: 'pg_upgrade or its log says',
  job: 'The upgrade Job says',
  start: 'PostgreSQL 14 says',
  never: 'PostgreSQL may say later',
};

const vendorPage = 'https://circleci.com/docs/server-admin/latest/operator/upgrade-postgres/';

const generated = new Map<string, string>([
  ['action.yml', actionYaml()],
  ['docs/checks.md', checksPage()],
  ['docs/permissions.md', await permissionsPage()],
  ['docs/report.schema.json', reportSchema()],
  ['docs/inputs.md', await inputsPage()],
  ['docs/who-may-start-it.md', between(await readFile('docs/who-may-start-it.md', 'utf8'), 'events', events())],
  [
    'docs/troubleshooting.md',
    between(await readFile('docs/troubleshooting.md', 'utf8'), 'codes', [...errorCodeLines(), '']),
  ],
  ['ARCHITECTURE.md', between(await readFile('ARCHITECTURE.md', 'utf8'), 'layers', await layerDiagram())],
]);

const stale: string[] = [];
for (const [file, content] of generated) {
  const current = await readFile(file, 'utf8').catch(() => '');
  if (current === content) continue;
  stale.push(file);
  if (!process.argv.includes('--check')) {
    await mkdir('docs', { recursive: true });
    await writeFile(file, content);
  }
}
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(', ')}. Run: npm run generate`);
  process.exit(1);
}

function reportSchema(): string {
  const title = 'Report of the CircleCI Server PostgreSQL upgrade';
  // Absent fields are those that do not apply; a later version of the same "schema" may add some.
  return `${JSON.stringify({ title, ...z.toJSONSchema(reportShape, { io: 'input' }) }, undefined, 2)}\n`;
}

function actionYaml(): string {
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const inputs = Object.entries(inputTable).flatMap(([key, input]) => [
    `  ${inputName(key)}:`,
    `    description: ${quote(input.description)}`,
    `    required: ${String(input.required)}`,
    ...(input.default === '' ? [] : [`    default: ${quote(input.default)}`]),
  ]);
  const outputs = Object.entries(outputTable).flatMap(([key, description]) => [
    `  ${inputName(key)}:`,
    `    description: ${quote(description)}`,
  ]);
  return [
    '# Generated from src/inputs/input-table.ts and src/common/outputs.ts by: npm run generate',
    'name: CircleCI Server PostgreSQL upgrade',
    "description: 'Upgrades the PostgreSQL of a self-hosted CircleCI Server from PostgreSQL 12 to PostgreSQL 14 with pg_upgrade: checks, backup, upgrade, way back'",
    'author: CircleCI Server administrators',
    'branding:',
    '  icon: database',
    '  color: blue',
    'inputs:',
    ...inputs,
    'outputs:',
    ...outputs,
    'runs:',
    '  using: node24',
    '  main: dist/index.js',
    '  post: dist/index.js',
    '  post-if: always()',
    '',
  ].join('\n');
}

async function inputsPage(): Promise<string> {
  const listed = inputGroups.flatMap((group) => group.inputs);
  const missing = Object.keys(inputTable).filter((key) => listed.filter((one) => one === key).length !== 1);
  if (missing.length > 0) throw new Error(`not exactly once in scripts/reference.ts: ${missing.join(', ')}`);
  const inputs = inputGroups.flatMap(({ title, when, inputs: keys }) => [
    '',
    `### ${title}`,
    '',
    when,
    '',
    '| input | type | default | used by | |',
    '| --- | --- | --- | --- | --- |',
    ...keys.map(inputRow),
  ]);
  const outputs = [
    '| output | type | |',
    '| --- | --- | --- |',
    ...Object.entries(outputTable).map(
      ([key, description]) => `| \`${inputName(key)}\` | ${outputTypes[key as OutputName]} | ${description} |`,
    ),
  ];
  const page = await readFile('docs/inputs.md', 'utf8');
  return between(between(page, 'inputs', [...inputs, '']), 'outputs', outputs);
}

function inputRow(key: InputKey): string {
  const input: Input<unknown> = inputTable[key];
  const standard = input.required ? '**required**' : input.default === '' ? '' : `\`${input.default}\``;
  const type = input.type.replaceAll('|', '\\|');
  return `| \`${inputName(key)}\` | ${type} | ${standard} | ${usedBy(input)} | ${input.description} |`;
}

function events(): string[] {
  return [
    '| event | `rehearse`, `upgrade`, `rollback`, `cleanup` | `precheck`, `status`, `values`, a dry run | who causes it |',
    '| --- | --- | --- | --- |',
    ...Object.entries(startingEvents).map(
      ([name, { changes, who }]) => `| \`${name}\` | ${changes ? 'yes' : 'no'} | yes | ${who} |`,
    ),
    '| any other | no | no | |',
  ];
}

/** Modes, and the inputs without which it is not used. */
function usedBy({ modes: some, needs }: Input<unknown>): string {
  const by = some.length === modes.length ? 'every mode' : some.map((mode) => `\`${mode}\``).join(', ');
  return needs.length === 0 ? by : `${by}; with ${needs.map((condition) => `\`${condition}\``).join(' or ')}`;
}

/** The layers that lint holds, the highest first. */
async function layerDiagram(): Promise<string[]> {
  const shape = z.array(z.strictObject({ folders: z.array(z.string()), is: z.string() }));
  const layers = shape.parse(JSON.parse(await readFile('scripts/layers.json', 'utf8')));
  const nodes = layers.map(({ folders, is }, i) => `  l${String(i)}["<b>${folders.join(' · ')}</b><br>${is}"]`);
  const chain = layers.map((_, i) => `l${String(i)}`).join(' --> ');
  return [
    '',
    '```mermaid',
    'flowchart TB',
    '  entry["<b>index.ts · run.ts · post.ts</b>"]',
    ...nodes,
    '  adapters["<b>adapters</b><br>the only ones that touch the outside"]',
    `  entry --> ${chain}`,
    `  entry --> adapters --> l${String(layers.findIndex(({ folders }) => folders.includes('ports')))}`,
    '```',
    '',
  ];
}

function between(text: string, name: string, lines: readonly string[]): string {
  const [start, end] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`];
  const [before, rest] = text.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`a page lacks the markers ${start} and ${end}`);
  return `${before}${start}\n${lines.join('\n')}\n${end}${after}`;
}

function checksPage(): string {
  const index = checkGroups.map(({ title, checks }) => {
    const links = checks.map(({ id }) => `[${id}](#${id})`).join(' · ');
    return `| [${title}](#${anchor(title)}) | ${links} |`;
  });
  return [
    '# The checks',
    '',
    'Generated from `src/prechecks/` and `src/hazards/` by `npm run generate`. `precheck` and `upgrade` run the same checks. A check answers `passed`, `warning`,',
    '`failed` or `unknown`. `unknown` means that the action could not find out. It blocks an upgrade as `failed` does.',
    'Each finding says what to do, with the names and the commands for your server. Commands for psql go into a session in the pod: `kubectl -n NAMESPACE exec -it postgresql-0 -c postgresql -- psql -U postgres`. It asks for the password of Secret `postgresql` (key `postgres-password`). Never paste them into a shell. [Beyond the checks](beyond-the-checks.md) lists what no running server can show.',
    '',
    '| subject | checks |',
    '| --- | --- |',
    ...index,
    '',
    ...checkGroups.flatMap(({ title, checks }) => [`## ${title}`, '', ...checks.flatMap(section)]),
  ].join('\n');
}

function section({ id, title, expected, why, says, shows, advice }: Check): string[] {
  return [
    `### ${id}`,
    '',
    `**${title}**. Expected: ${sentence(expected)}`,
    '',
    why.replace("vendor's upgrade page", `vendor's [upgrade page](${vendorPage})`),
    '',
    ...(shows === undefined ? [] : [`Without this check ${showing[shows]}.`, '']),
    ...(says === undefined ? [] : [`${saying[shows ?? 'upgrade']}: \`${says}\``, '']),
    `**What to do:** ${sentence(advice)}`,
    '',
  ];
}

/** As GitHub makes it of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

/** Of the numbered names of probes only the first, which says that there are more. */
function namesForPeople(names: readonly string[] | undefined): string {
  if (names === undefined) return 'all';
  const probe = /^postgres-upgrade-probe-.*-(\d+)$/;
  const shown = names.filter((name) => [undefined, '1'].includes(probe.exec(name)?.[1]));
  const more = shown.length < names.length ? ' and further numbers' : '';
  return `${shown.map((name) => `\`${name}\``).join(' ')}${more}`;
}

async function permissionsPage(): Promise<string> {
  const table = [...permissions, ...cleanupPermissions].map((p) => {
    const { group } = resources[p.resource];
    const checks = (p.informs ?? []).map((id) => `\`${id}\``).join(', ');
    const told = [checks === '' ? '' : `${p.without ?? 'unknown'}: ${checks}`, p.else ?? ''].filter(
      (text) => text !== '',
    );
    const without = p.informs === undefined ? 'the run is refused' : told.join('; ');
    const names = namesForPeople(p.names?.(exampleNames));
    return `| ${p.mode} | ${p.verb} | ${p.resource}${p.subresource === undefined ? '' : `/${p.subresource}`} | ${names} | ${group || 'core'} | ${p.why} | ${without} |`;
  });
  const page = await readFile('docs/permissions.md', 'utf8');
  const block = (lines: readonly string[]) => ['', '```yaml', ...lines, '```', ''];
  const parts: [string, string[]][] = [
    [
      'table',
      [
        '',
        '| from mode | verb | resource | names | API group | why | without it |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        ...table,
        '',
      ],
    ],
    ['precheck', block(modeManifests('precheck', exampleNames))],
    ['upgrade', block(modeManifests('upgrade', exampleNames))],
    ['cleanup', block(modeManifests('cleanup', exampleNames))],
    ['policies', block(admissionPolicies('NAMESPACE', 'postgresql-upgrade'))],
    ['policies-cleanup', block(admissionPolicies('NAMESPACE', 'postgresql-cleanup', 'cleanup'))],
  ];
  return parts.reduce((text, [name, lines]) => between(text, name, lines), page);
}
