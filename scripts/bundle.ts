// Bundles src/index.ts into a directory, the Kubernetes part as a chunk of its
// own, and writes the licences of everything that went in.
// Decision: docs/decisions/0020-bundle.md
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import spdx from 'spdx-license-list/full.js';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: bundle.ts DIRECTORY');

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as Package;
const { metafile } = await build({
  entryPoints: ['src/index.ts'],
  outdir: directory,
  bundle: true,
  splitting: true,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  charset: 'utf8',
  define: { ACTION_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
  // CommonJS packages inside call require() of Node's own modules.
  banner: {
    js: "import { createRequire as createNodeRequire } from 'node:module';\nconst require = createNodeRequire(import.meta.url);",
  },
});
await writeFile(path.join(directory, 'package.json'), '{ "type": "module" }\n');

const used = Object.keys(metafile.inputs).flatMap(
  (file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [],
);
const licences = await Promise.all([...new Set(used)].sort().map(licenceOf));
await writeFile(path.join(directory, 'licenses.txt'), licences.join('\n\n'));

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
}

/** @throws Error for a package whose licence text is nowhere to be found: its terms could not be kept */
async function licenceOf(folder: string): Promise<string> {
  const described = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as Package;
  const { name, version, license } = described;
  const file = (await readdir(folder)).find((entry) => /^(un)?licen[cs]e|^copying/i.test(entry));
  const text =
    file === undefined ? await standardText(folder, described) : await readFile(path.join(folder, file), 'utf8');
  return `${name} ${version}, ${license ?? 'licence not named'}\n${'-'.repeat(72)}\n${text.trim()}\n`;
}

/** For a package that names its licence and ships no text: SPDX's text, under the copyright line of the package's README or its author. */
async function standardText(folder: string, { name, license = '', author }: Package): Promise<string> {
  const standard = spdx[license]?.licenseText;
  const readme = (await readdir(folder)).find((entry) => /^readme/i.test(entry));
  const claimed = readme && /^copyright .*\d{4}.*$/im.exec(await readFile(path.join(folder, readme), 'utf8'))?.[0];
  const holder = typeof author === 'string' ? author.replace(/ *[<(].*/, '') : author?.name;
  const copyright = claimed ?? (holder && `Copyright ${holder}`);
  if (standard === undefined || copyright === undefined)
    throw new Error(`${name} ships no licence text, and none can be told from "${license}"`);
  return standard.replace(/^.*(?:<year>|\[year\]).*$/m, copyright);
}
