/** How commands ended: by themselves, at their limit, or since the run was cancelled. */
export type CommandsEnd = { readonly exitCode: number } | { readonly endedBy: 'limit' | 'cancellation' };

/** Commands that the workflow asks for. */
export interface Commands {
  /** For bash; the first one that fails ends them. */
  readonly script: string;
  /** Variables besides those that the workflow gave to the step. */
  readonly variables: Readonly<Record<string, string>>;
  /** Milliseconds until they are ended. */
  readonly limit: number;
  /** Ends them. */
  readonly signal?: AbortSignal;
  /** Gets each line that they print, as it comes; for one that is very long a text that says so. */
  readonly onLine: (line: string) => void;
}

/**
 * Runs commands on the machine on which the action runs. They get no input, and nothing by which they could tell the runner anything.
 * @throws Error where bash can't be started
 */
export type RunCommands = (commands: Commands) => Promise<CommandsEnd>;
