import { ConfigurationError } from '../common/errors.ts';

/**
 * What git takes as the name of a branch (git check-ref-format), less what no
 * shell would like.
 * @throws ConfigurationError for any other name
 */
export function checkBranchName(name: string, input: string): void {
  const fits = /^[\w#+=%@][\w#+=%@./-]{0,199}$/.test(name);
  if (fits && !/\.\.|\/\/|\/\.|@\{|\.lock(\/|$)|[./]$|^@$|^refs\//.test(name)) return;
  throw new ConfigurationError(
    'branch-name-invalid',
    `Input "${input}" is ${JSON.stringify(name.slice(0, 200))}, which is not the name of a branch.`,
    `Set "${input}" to letters, digits, "-", "_", "." and "/".`,
  );
}

/**
 * A path as git has it: no "./", no backslashes, nothing outside of the repository.
 * @throws ConfigurationError for any other path
 */
export function checkPath(path: string): void {
  const segments = path.split('/');
  if (!path.includes('\\') && segments.every((s) => s !== '' && s !== '.' && s !== '..')) return;
  throw new ConfigurationError(
    'values-file-path',
    `Input "values-file" is ${JSON.stringify(path.slice(0, 200))}, which is not a path in the repository.`,
    'Give the path from the root of the repository, such as environments/production/values.yaml.',
  );
}
