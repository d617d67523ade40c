import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { ConfigurationError, describe } from '../common/errors.ts';
import { readTokenFiles } from './token-file.ts';
import { expectSafeWire } from './wire.ts';

const remedy =
  'Give "kubeconfig" the path of a kubeconfig or its content, set KUBECONFIG, or run on a runner inside the cluster.';

/**
 * Finds the cluster's address and credentials.
 * @param given the input: a path, the content of a kubeconfig, or ''
 * @param context a context's name, or '' for the current one
 * @param environment KUBECONFIG of the runner, or ''
 * @throws ConfigurationError when there is none, it can't be read, or it leads over an unsafe wire
 */
export function loadKubeconfig(given: string, context: string, environment: string): KubeConfig {
  const config = new KubeConfig();
  try {
    load(config, given, environment);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    // The parser's further lines quote the text, tokens included.
    const reason = describe(error).split('\n', 1).join();
    throw new ConfigurationError('kubeconfig-unreadable', `The kubeconfig can't be read: ${reason}.`, remedy);
  }
  if (context !== '') selectContext(config, context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new ConfigurationError(
      'kubeconfig-no-cluster',
      'The kubeconfig names no cluster for its current context.',
      'Set "context" to one of its contexts, or give a kubeconfig with a current-context.',
    );
  }
  expectSafeWire(cluster, config.getCurrentUser());
  return config;
}

/** Bytes; a kubeconfig with a hundred clusters has some hundred kilobytes. */
const largest = 4 * 1024 * 1024;

function load(config: KubeConfig, given: string, environment: string): void {
  if (given.includes('\n') || given.trimStart().startsWith('{')) {
    config.loadFromString(given);
    readTokenFiles(config, given, '.');
  } else if (given !== '') {
    loadFile(config, given, 'The input "kubeconfig"');
  } else if (environment !== '') {
    loadFiles(config, environment);
  } else if (existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token')) {
    config.loadFromCluster();
  } else {
    throw new ConfigurationError(
      'kubeconfig-missing',
      'There is no kubeconfig: the input "kubeconfig" and KUBECONFIG are empty, and the runner is not in a cluster.',
      remedy,
    );
  }
}

function loadFile(config: KubeConfig, file: string, origin: string): void {
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new ConfigurationError(
      'kubeconfig-not-found',
      `${origin} is neither the path of a file nor a kubeconfig: ${shownPath(file)}`,
      remedy,
    );
  }
  if (statSync(file).size > largest) {
    throw new ConfigurationError(
      'kubeconfig-too-large',
      `${origin} is a file of ${String(statSync(file).size)} bytes, and no kubeconfig has more than ${String(largest)}: ${shownPath(file)}`,
      remedy,
    );
  }
  config.loadFromFile(file);
  readTokenFiles(config, readFileSync(file, 'utf8'), path.dirname(file));
}

/** What looks like a path, or is too short for a credential, may be shown. */
function shownPath(text: string): string {
  const isPath = /^(\/|\.{1,2}\/|~)/.test(text) || /^[-\w./]+\.(ya?ml|json|conf|config)$/.test(text);
  return text.length <= (isPath ? 200 : 16) ? text : `(${String(text.length)} characters that are not shown)`;
}

/** KUBECONFIG may name several files, merged as kubectl does. */
function loadFiles(config: KubeConfig, list: string): void {
  const [first = '', ...others] = list.split(path.delimiter).filter((file) => file !== '');
  loadFile(config, first, 'KUBECONFIG');
  for (const file of others) {
    const other = new KubeConfig();
    loadFile(other, file, 'KUBECONFIG');
    config.mergeConfig(other, true);
  }
}

function selectContext(config: KubeConfig, context: string): void {
  const names = config.getContexts().map((c) => c.name);
  if (!names.includes(context)) {
    throw new ConfigurationError(
      'kubeconfig-no-context',
      `The kubeconfig has no context "${context}".`,
      `Set "context" to one of: ${names.join(', ')}.`,
    );
  }
  config.setCurrentContext(context);
}
