import type { KubeConfig } from '@kubernetes/client-node';
import type { TokenFileUser } from './token-file.ts';

/**
 * The kubeconfig as it was last read. Tokens expire while an upgrade runs: the
 * library reads a token file once, and keeps what a program brought until the
 * time that the program named, by this machine's clock, or for ever. So the
 * API server's own word (401) is what has all of it read again: the kubeconfig's
 * file, the token file, the program.
 */
export class Credentials {
  private current: KubeConfig;

  /** @param load reads the kubeconfig; it throws when there is none that can be used */
  constructor(private readonly load: () => KubeConfig) {
    this.current = load();
  }

  get config(): KubeConfig {
    return this.current;
  }

  /** Has everything read again, unless that has been done since `refused` was the current one. */
  renew(refused: KubeConfig): void {
    if (this.current === refused) this.current = this.load();
  }

  /** Where the credentials come from, for people; never what they are. */
  get origin(): string {
    const user: TokenFileUser | null = this.current.getCurrentUser();
    const named = `user "${user?.name ?? ''}" of the kubeconfig`;
    const program = (user?.exec as { command?: string } | undefined)?.command;
    const file =
      user?.tokenFile ?? (user?.authProvider as { config?: { tokenFile?: string } } | undefined)?.config?.tokenFile;
    if (program !== undefined) return `what the program ${program} brings for ${named}`;
    if (file !== undefined) return `the token in the file ${file}`;
    if (user?.token !== undefined) return `the token of ${named}`;
    if (user?.certData !== undefined || user?.certFile !== undefined) return `the client certificate of ${named}`;
    return named;
  }
}
