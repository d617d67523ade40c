import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Log } from '../ports/runner.ts';
import { bounded } from './api-error.ts';
import { secretsOf, secretsOfOptions, type Secret } from './kubeconfig-secrets.ts';
import type { TokenFileUser } from './token-file.ts';

/** Is told a secret, and what it is, for people. */
export type Mask = (secret: string, name: string) => void;

/**
 * The kubeconfig as it was last read. Tokens expire while an upgrade runs: the
 * library reads a token file once, and keeps what a program brought until the
 * time that the program named, by this machine's clock, or for ever. So the
 * API server's own word (401) is what has all of it read again: the kubeconfig's
 * file, the token file, the program.
 */
export class Credentials {
  private current: KubeConfig;

  /**
   * @param read reads the kubeconfig; it throws when there is none that can be used
   * @param mask is told each secret before it is used
   */
  constructor(
    private readonly read: () => KubeConfig,
    private readonly mask: Mask,
    private readonly log: Log,
  ) {
    this.current = this.load();
  }

  get config(): KubeConfig {
    return this.current;
  }

  /** Has everything read again, unless that has been done since `refused` was the current one. */
  renew(refused: KubeConfig): void {
    if (this.current === refused) this.current = this.load();
  }

  /** What programs and files bring, they bring with each call: it is known as soon as the library knows it, whoever calls. */
  private load(): KubeConfig {
    const config = this.read();
    this.hide(secretsOf(config));
    const apply = config.applyToHTTPSOptions.bind(config);
    config.applyToHTTPSOptions = async (options) => {
      try {
        await apply(options);
      } catch (error) {
        throw this.failure(error);
      }
      this.hide([...secretsOf(config), ...secretsOfOptions(options as RequestOptions, this.origin)]);
    };
    return config;
  }

  private hide(secrets: readonly Secret[]): void {
    for (const { value, name } of secrets) this.mask(value, name);
  }

  /** What a program said may be long, and its answer, which the parser quotes, is a secret. */
  private failure(error: unknown): unknown {
    if (error instanceof SyntaxError) return new Error(`${this.origin} can't be read: it is not JSON`);
    if (error instanceof Error && !('code' in error)) error.message = bounded(this.log.redact(error.message));
    return error;
  }

  /** Where the credentials come from, for people; never what they are. */
  get origin(): string {
    const user: TokenFileUser | null = this.current.getCurrentUser();
    const named = `user "${user?.name ?? ''}" of the kubeconfig`;
    const program = (user?.exec as { command?: string } | undefined)?.command;
    const file =
      user?.tokenFile ?? (user?.authProvider as { config?: { tokenFile?: string } } | undefined)?.config?.tokenFile;
    if (program !== undefined) return `the credentials from the program ${program} for ${named}`;
    if (file !== undefined) return `the token in the file ${file}`;
    if (user?.token !== undefined) return `the token of ${named}`;
    if (user?.certData !== undefined || user?.certFile !== undefined) return `the client certificate of ${named}`;
    return named;
  }
}
