import { around, imageNames as name, lines, wantedImage } from './wanted-image.ts';

const { tag } = wantedImage;
const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;

type Row = readonly [title: string, before: string, after: string];

/** Files in which the image is written, or missing, in every way, and what an edit makes of them. */
export const forms: readonly Row[] = [
  ...[1, 3, 5, 8].map((step): Row => {
    const [one, two] = [' '.repeat(step), ' '.repeat(2 * step)];
    return [
      `keys missing, indented by ${String(step)}`,
      lines('postgresql:', `${one}image:`, `${two}tag: '12'`, `${two}pullPolicy: Always`),
      lines(
        'postgresql:',
        `${one}image:`,
        `${two}tag: '${tag}'`,
        `${two}registry: 'docker.io'`,
        `${two}repository: 'circleci/server-postgres'`,
        `${two}pullPolicy: Always`,
      ),
    ];
  }),
  [
    'only other keys',
    lines('postgresql:', '  image:', '    pullSecrets:', '      - a', 'b: 1'),
    lines('postgresql:', '  image:', '    pullSecrets:', '      - a', ...name, `    tag: ${tag}`, 'b: 1'),
  ],
  [
    'an empty image',
    lines('postgresql:', '  image: # of 12', '  b: 1'),
    lines('postgresql:', '  image: # of 12', ...name, `    tag: ${tag}`, '  b: 1'),
  ],
  [
    'an image that is null',
    lines('postgresql:', '  image: null   # none'),
    lines('postgresql:', '  image:   # none', ...name, `    tag: ${tag}`),
  ],
  [
    'an image that is {}',
    lines('postgresql:', '  image: {} # none'),
    lines('postgresql:', `  image: {registry: docker.io, repository: circleci/server-postgres, tag: ${tag}} # none`),
  ],
  [
    'an image that is { }',
    lines('postgresql:', '  image: { }'),
    lines('postgresql:', `  image: { registry: docker.io, repository: circleci/server-postgres, tag: ${tag} }`),
  ],
  [
    'an empty postgresql',
    lines('a:', '   b: 1', 'postgresql:', '# end'),
    lines(
      'a:',
      '   b: 1',
      'postgresql:',
      '   image:',
      '      registry: docker.io',
      '      repository: circleci/server-postgres',
      `      tag: ${tag}`,
      '# end',
    ),
  ],
  [
    'a postgresql without an image',
    lines('postgresql:', '  auth:', '    user: x', '    # its comment', '', '# of b', 'b: 1'),
    lines(
      'postgresql:',
      '  auth:',
      '    user: x',
      '    # its comment',
      '  image:',
      ...name,
      `    tag: ${tag}`,
      '',
      '# of b',
      'b: 1',
    ),
  ],
  [
    'no postgresql',
    lines('a: 1', '# end'),
    lines('a: 1', 'postgresql:', '  image:', ...name, `    tag: ${tag}`, '# end'),
  ],
  [
    'no postgresql, and no line end',
    'a: 1',
    lines('a: 1', 'postgresql:', '  image:', ...name, `    tag: ${tag}`).trimEnd(),
  ],
  [
    'no postgresql after a block scalar',
    lines('a: |+', '  x', ''),
    lines('a: |+', '  x', '', 'postgresql:', '  image:', ...name, `    tag: ${tag}`),
  ],
  [
    'no postgresql after a block scalar without a line end',
    'a: |\n  x',
    `${lines('postgresql:', '  image:', ...name, `    tag: ${tag}`)}a: |\n  x`,
  ],
  [
    'an indented root',
    lines('  a: 1'),
    lines('  a: 1', '  postgresql:', '    image:', ...name.map((line) => `  ${line}`), `      tag: ${tag}`),
  ],
  ['an empty file', '', lines('postgresql:', '  image:', ...name, `    tag: ${tag}`)],
  ['a byte order mark alone', '\ufeff', `\ufeff${lines('postgresql:', '  image:', ...name, `    tag: ${tag}`)}`],
  ['comments only', '# none', lines('# none', 'postgresql:', '  image:', ...name, `    tag: ${tag}`).trimEnd()],
  [
    'a document start only',
    '---\r\n',
    lines('---', 'postgresql:', '  image:', ...name, `    tag: ${tag}`).replaceAll('\n', '\r\n'),
  ],
  [
    'JSON',
    '{"postgresql": {"image": {"tag": "12"}}}',
    `{"postgresql": {"image": {"tag": "${tag}", "registry": "docker.io", "repository": "circleci/server-postgres"}}}`,
  ],
  [
    'JSON without spaces',
    '{"postgresql":{"image":null}}',
    `{"postgresql":{"image":{"registry": "docker.io", "repository": "circleci/server-postgres", "tag": "${tag}"}}}`,
  ],
  [
    'JSON on lines',
    lines('{', '\t"postgresql": {', '\t\t"image": {', '\t\t\t"tag": "12"', '\t\t}', '\t}', '}'),
    lines(
      '{',
      '\t"postgresql": {',
      '\t\t"image": {',
      `\t\t\t"tag": "${tag}",`,
      '\t\t\t"registry": "docker.io",',
      '\t\t\t"repository": "circleci/server-postgres"',
      '\t\t}',
      '\t}',
      '}',
    ),
  ],
  [
    'a flow mapping on lines, with comments',
    lines('postgresql: {', '  image: {', '    tag: 12, # old', '    pullPolicy: Always', '  }', ' }'),
    lines(
      'postgresql: {',
      '  image: {',
      '    registry: docker.io,',
      '    repository: circleci/server-postgres,',
      `    tag: ${tag}, # old`,
      '    pullPolicy: Always',
      '  }',
      ' }',
    ),
  ],
  [
    'a key without a value in a flow mapping',
    'postgresql: {image}\n',
    `postgresql: {image: {registry: docker.io, repository: circleci/server-postgres, tag: ${tag}}}\n`,
  ],
  [
    'an emptied flow mapping',
    '{}',
    `{postgresql: {image: {registry: docker.io, repository: circleci/server-postgres, tag: ${tag}}}}`,
  ],
  [
    'a reference',
    lines('postgresql:', '  image: cciserver.azurecr.io/server-postgres:12.16 # x'),
    lines('postgresql:', `  image: docker.io/circleci/server-postgres:${tag} # x`),
  ],
  [
    'a reference without a registry',
    lines('postgresql:', "  image: 'circleci/server-postgres:12'"),
    lines('postgresql:', `  image: 'circleci/server-postgres:${tag}'`),
  ],
  [
    'a reference with a port',
    lines('postgresql:', '  image: localhost:5000/server-postgres'),
    lines('postgresql:', `  image: docker.io/circleci/server-postgres:${tag}`),
  ],
  [
    'a reference with a digest',
    lines('postgresql:', `  image: "docker.io/circleci/server-postgres:12@${sha}"`),
    lines('postgresql:', `  image: "docker.io/circleci/server-postgres:${tag}"`),
  ],
  [
    'a reference in a flow mapping',
    '{postgresql: {image: postgres:12}}',
    `{postgresql: {image: "circleci/server-postgres:${tag}"}}`,
  ],
  [
    'the registry within the repository',
    lines('postgresql:', '  image:', '    repository: localhost:5000/x', '    tag: 12'),
    lines('postgresql:', '  image:', '    repository: docker.io/circleci/server-postgres', `    tag: ${tag}`),
  ],
  [
    'the path within the registry',
    lines(
      'postgresql:',
      '  image:',
      '    registry: docker.io/circleci',
      '    repository: server-postgres',
      '    tag: 12',
    ),
    lines(
      'postgresql:',
      '  image:',
      '    registry: docker.io/circleci',
      '    repository: server-postgres',
      `    tag: ${tag}`,
    ),
  ],
  ['an empty digest', around('    tag: 12', [], ['    digest: ""']), around(`    tag: ${tag}`, [], ['    digest: ""'])],
  [
    'a merge above',
    around('    tag: 12', ['a: &a {tag: 11}']).replace('image:\n', 'image:\n    <<: *a\n'),
    around(`    tag: ${tag}`, ['a: &a {tag: 11}']).replace('image:\n', 'image:\n    <<: *a\n'),
  ],
  ['a second document without it', `${around('    tag: 12')}---\na: 1\n`, `${around(`    tag: ${tag}`)}---\na: 1\n`],
  [
    'an empty second document',
    'a: 1\n---\n',
    `${lines('a: 1', 'postgresql:', '  image:', ...name, `    tag: ${tag}`)}---\n`,
  ],
];
