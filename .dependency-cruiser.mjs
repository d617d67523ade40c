// Which folder of src may import which (scripts/layers.json), and that there are no cycles.
import { readFileSync } from 'node:fs';

const layers = JSON.parse(readFileSync(new URL('scripts/layers.json', import.meta.url), 'utf8'));
const inFolders = (folders) => `^src/(${folders.join('|')})/`;
const upTo = (layer) => layers.slice(0, layer).flatMap(({ folders }) => folders);

/** A folder imports itself and the layers below it. */
const downwards = layers.flatMap(({ folders }, layer) =>
  folders.map((folder) => ({
    name: `${folder}-imports-downwards`,
    severity: 'error',
    from: { path: inFolders([folder]) },
    to: {
      path: `^src/([^/]+\\.ts$|(adapters|${[...upTo(layer), ...folders.filter((f) => f !== folder)].join('|')})/)`,
    },
  })),
);

export default {
  forbidden: [
    ...downwards,
    {
      name: 'adapters-know-ports-only',
      severity: 'error',
      from: { path: inFolders(['adapters']) },
      to: { path: '^src/', pathNot: inFolders(['adapters', 'ports', 'redaction', 'common', 'text']) },
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-cycle-of-folders', severity: 'error', scope: 'folder', from: {}, to: { circular: true } },
    { name: 'no-orphan', severity: 'error', from: { orphan: true, pathNot: '^src/index\\.ts$' }, to: {} },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^src/',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
