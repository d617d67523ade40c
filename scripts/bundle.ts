// Bundles src/index.ts into a directory, the Kubernetes part as a chunk of its
// own, and writes the licences of everything that went in.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: bundle.ts DIRECTORY');

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

async function licenceOf(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text =
    file === undefined ? '(no licence file in the package)' : await readFile(path.join(folder, file), 'utf8');
  return `${name} ${version}, ${license ?? 'licence not named'}\n${'-'.repeat(72)}\n${text.trim()}\n`;
}
