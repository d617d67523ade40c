import { comments, filler } from './filler.ts';
import type { Picks } from './picks.ts';

/** What an edit of a generated file has to end with. */
export type Expected = 'edited' | 'refused';

export interface GeneratedFile {
  readonly text: string;
  readonly expected: Expected;
  readonly kind: string;
  /** Keys of the mapping that are there and get another value; only these are replaced. */
  readonly digest: boolean;
}

interface Part {
  readonly lines: string[];
  readonly kind: string;
  readonly expected?: Expected;
  readonly digest?: boolean;
  /** Lines at the top and at the end of the document. */
  readonly top?: string[];
  readonly bottom?: string[];
}

const oldTags = [
  '12',
  '12.16',
  '12.10',
  '0755',
  '1e3',
  'yes',
  '12.16.2000-abc',
  '~',
  '"12.16"',
  "'12.16'",
  '!!str 12',
  '&t 12',
  '',
];
const oldNames = [
  'server-postgres',
  '"circleci/server-postgres"',
  "'bitnami/postgresql'",
  '~',
  '',
  '&r server-postgres',
];
const oldRegistries = ['docker.io', '"cciserver.azurecr.io"', "'localhost:5000'", 'null', ''];
const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** A values.yaml of any form that has, or lacks, the image. */
export function generatedFile(pick: Picks): GeneratedFile {
  const step = pick.upTo(7) + 1;
  const column = pick.rarely(6) ? pick.upTo(3) + 1 : 0;
  const part = target(pick, column, step);
  const some = (name: string) =>
    Array.from({ length: pick.upTo(2) }, (_, index) => filler(pick, `${name}${String(index)}`, column, step)).flat();
  const at = (texts: string[] = []) => texts.map((text) => ' '.repeat(column) + text);
  const body = [...at(part.top), ...some('before'), ...part.lines, ...some('after'), ...at(part.bottom)];
  if (body.every((line) => line.trim() === '')) body.push(`${' '.repeat(column)}only: 1`);
  const others = (name: string) => filler(pick, name, 0, step);
  const [documents, several] = pick.one<() => [string[], boolean]>([
    () => [body, false],
    () => [body, false],
    () => [body, false],
    () => [['---', ...body], false],
    () => [['# head', '---  # first', ...body], false],
    () => [[...others('first'), '---', ...body], true],
    () => [[...body, '---', ...others('second')], true],
    () => [[...body, '...', '---', ...others('second'), '---'], true],
  ])();
  const endOfLine = pick.one(['\n', '\n', '\r\n', 'mixed']);
  const ended = documents.map((line) => line + (endOfLine === 'mixed' ? pick.one(['\n', '\r\n']) : endOfLine)).join('');
  const text = pick.rarely(4) ? ended.replace(/\r?\n$/, '') : ended;
  // Where no document has the image, nobody can tell in which one it belongs.
  const ambiguous = several && part.kind === 'nothing';
  return {
    text: pick.rarely(5) ? `\ufeff${text}` : text,
    expected: ambiguous ? 'refused' : (part.expected ?? 'edited'),
    kind: part.kind,
    digest: part.digest ?? false,
  };
}

function target(pick: Picks, column: number, step: number): Part {
  const outer = ' '.repeat(column);
  const middle = ' '.repeat(column + step);
  const inner = ' '.repeat(column + 2 * step);
  const quote = pick.one(['', '', '"', "'"]);
  const key = (name: string) => `${quote}${name}${quote}:${pick.one([' ', ' ', '   '])}`;
  const comment = () => pick.one(comments);
  const postgresql = `${outer}${key('postgresql').trimEnd()}${comment()}`;
  const image = `${middle}${key('image').trimEnd()}${comment()}`;
  const sibling = () => (pick.rarely(3) ? filler(pick, 'sibling', column + step, step, 1) : []);
  const extra = () => (pick.rarely(3) ? filler(pick, 'pullPolicy', column + 2 * step, step, 2) : []);
  const values = () => ({ registry: pick.one(oldRegistries), repository: pick.one(oldNames), tag: pick.one(oldTags) });
  const block = (fields: [string, string][], more: string[] = []) => [
    postgresql,
    ...sibling(),
    image,
    ...extra(),
    ...fields.map(([name, value]) => `${inner}${key(name)}${value}${comment()}`),
    ...more,
  ];
  const fields = Object.entries(values());
  const kept = fields.filter(() => pick.upTo(3) > 0);
  const mapping = kept.length > 0 ? kept : fields;
  const flow = (pairs: [string, string][]) => {
    const separator = pick.one([', ', ',', ' , ']);
    return `{${pick.one(['', ' '])}${pairs.map(([name, value]) => `${key(name)}${value === '' ? '~' : value}`).join(separator)}${pick.one(['', ' ', ', '])}}`;
  };
  const hazard = (kind: string, value: string, rest: Partial<Part> = {}): Part => ({
    kind,
    expected: 'refused',
    lines: block([['tag', value]]),
    ...rest,
  });
  const forms: (() => Part)[] = [
    () => ({ kind: 'block', lines: block(mapping) }),
    () => ({ kind: 'block', lines: block(mapping) }),
    () => ({ kind: 'block', lines: block(fields) }),
    () => ({
      kind: 'flow image',
      lines: [postgresql, ...sibling(), `${middle}${key('image')}${flow(mapping)}${comment()}`],
    }),
    () => ({ kind: 'flow', lines: [`${outer}${key('postgresql')}{${key('image')}${flow(mapping)}}${comment()}`] }),
    () => ({
      kind: 'flow lines',
      lines: [
        postgresql,
        `${middle}${key('image')}{`,
        ...mapping.map(([name, value]) => `${inner}${key(name)}${value === '' ? '~' : value},${comment()}`),
        `${inner}}`,
      ],
    }),
    () => ({
      kind: 'reference',
      lines: [
        postgresql,
        `${middle}${key('image')}${pick.one(['postgres:12', '"cciserver.azurecr.io/server-postgres:12.16"', `host:5000/x@${sha}`, `'a/b:1@${sha}'`])}${comment()}`,
        ...sibling(),
      ],
    }),
    () => ({ kind: 'no image', lines: [postgresql, ...filler(pick, 'persistence', column + step, step, 1)] }),
    () => ({
      kind: 'empty image',
      lines: [
        postgresql,
        ...sibling(),
        `${middle}${key('image')}${pick.one(['', '~', 'null', '{}', '{ }'])}${comment()}`,
      ],
    }),
    () => ({
      kind: 'empty postgresql',
      lines: [`${outer}${key('postgresql')}${pick.one(['', '~', 'null', '{}', '{ }'])}${comment()}`],
    }),
    () => ({ kind: 'nothing', lines: [] }),
    () => ({ kind: 'empty digest', digest: true, lines: block([...fields, ['digest', pick.one(['', '""', '~'])]]) }),
    () => ({ kind: 'digest in tag', lines: block([...fields.slice(0, 2), ['tag', `12@${sha}`]]) }),
    () => ({
      kind: 'anchors elsewhere',
      top: ['anchored: &d {x: 12, y: &e [1]}'],
      bottom: ['used: *d', 'merged:', `${' '.repeat(step)}<<: *d`, 'both: [*d, *e]'],
      lines: block(mapping),
    }),
    () => ({
      kind: 'merge above',
      top: ['anchored: &d {pullPolicy: Never, tag: 1}'],
      lines: block(fields).toSpliced(-3, 0, `${inner}<<: *d`),
    }),
  ];
  const hazards: (() => Part)[] = [
    () => hazard('alias', '*t', { top: ['anchored: &t 12'] }),
    () =>
      hazard('alias', '', {
        top: ['anchored: &t {tag: 12}'],
        lines: [postgresql, `${middle}${key('image')}*t${comment()}`],
      }),
    () => hazard('shared value', '&s 12', { bottom: ['used: *s'] }),
    () =>
      hazard('shared mapping', '', {
        lines: [`${outer}${key('postgresql')}&s`, `${middle}image:`, `${inner}tag: 12`],
        bottom: ['used: {<<: *s}'],
      }),
    () => hazard('merged only', '', { top: ['anchored: &m {tag: 12}'], lines: [postgresql, image, `${inner}<<: *m`] }),
    () =>
      hazard('merge below', '', {
        top: ['anchored: &m {tag: 12}'],
        lines: [...block([['tag', '12']]), `${inner}<<: *m`],
      }),
    () => hazard('block scalar', '', { lines: [postgresql, image, `${inner}tag: >-`, `${inner} 12`] }),
    () => hazard('template', pick.one(['{{ .Values.tag }}', '"{{ .Values.tag }}"', '${TAG}'])),
    () =>
      hazard('twice', '', {
        lines: block([
          ['tag', '12'],
          ['tag', '13'],
        ]),
      }),
    () => hazard('tagged', pick.one(['!!int 12', '!secret x', '!!float 12.1'])),
    () =>
      hazard('digest', '', {
        lines: block([
          ['tag', '12'],
          ['digest', sha],
        ]),
      }),
    () => hazard('not a mapping', '', { lines: [`${outer}${key('postgresql')}${pick.one(['[1]', 'text', '"12"'])}`] }),
    () =>
      hazard('not an image', '', {
        lines: [postgresql, `${middle}${key('image')}${pick.one(['[1]', '"a b"', '12'])}`],
      }),
  ];
  return pick.one(pick.rarely(4) ? hazards : forms)();
}
