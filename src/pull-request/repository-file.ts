import { ConfigurationError } from '../common/errors.ts';
import type { GitHub } from '../ports/github.ts';
import { notUtf8 } from '../values/source.ts';

export interface RepositoryFile {
  readonly mode: string;
  readonly sha: string;
}

/**
 * Finds a file in a commit, directory by directory: unlike a recursive listing
 * this works in a repository of any size, and says what is in the way.
 * @returns undefined when nothing has this path
 * @throws ConfigurationError when it is a directory, a symbolic link or in a submodule
 */
export async function findFile(github: GitHub, commit: string, path: string): Promise<RepositoryFile | undefined> {
  const segments = path.split('/');
  let sha = await github.treeOf(commit);
  for (const [index, segment] of segments.entries()) {
    const here = segments.slice(0, index + 1).join('/');
    const { entries, truncated } = await github.tree(sha);
    const entry = entries.find((e) => e.path === segment);
    if (entry === undefined && truncated) throw refusal(here, 'is in a directory with more entries than GitHub lists');
    if (entry === undefined) return undefined;
    const last = index === segments.length - 1;
    const kind = kinds[entry.mode] ?? 'a file';
    if (last && kind !== 'a file') throw refusal(here, `is ${kind}, not a file`);
    if (last) return { mode: entry.mode, sha: entry.sha };
    if (kind !== 'a directory') throw refusal(here, `is ${kind}, not a directory`);
    sha = entry.sha;
  }
  return undefined;
}

const kinds: Readonly<Record<string, string>> = {
  '040000': 'a directory',
  '120000': 'a symbolic link',
  '160000': 'a submodule',
};

/**
 * Text of a file, without the loss of a byte.
 * @throws ConfigurationError when it is not UTF-8
 */
export async function readText(github: GitHub, file: RepositoryFile, path: string): Promise<string> {
  const content = await github.blob(file.sha);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw notUtf8(path);
  }
}

function refusal(path: string, is: string): ConfigurationError {
  return new ConfigurationError(
    'values-file-kind',
    `${path} ${is}.`,
    'Set "values-file" to the path of the file itself, from the root of the repository.',
  );
}
