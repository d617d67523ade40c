import type { Log, Runner } from '../ports/runner.ts';
import { changeLeaves } from './leaves.ts';
import type { Redactor } from './redactor.ts';

/** What tells, without a redactor before it. */
export interface BareRunner extends Omit<Runner, 'log' | 'mask' | 'unmasked'> {
  readonly log: Omit<Log, 'redact'>;
  /** Has the runner mask this line as it stands. */
  mask(line: string): void;
}

/**
 * The runner behind a redactor: nothing reaches it that was not redacted, whoever says it, and each secret that is masked is known to both from then on.
 * The runner masks the secret once more, by itself, and so what later steps of the job print.
 * Decision: docs/decisions/0027-secrets.md
 */
export function redacted(runner: BareRunner, redactor: Redactor): Runner {
  const { log } = runner;
  const redact = (text: string) => redactor.redact(text);
  return {
    ...runner,
    log: {
      info: (line) => {
        log.info(redact(line));
      },
      debug: (line) => {
        log.debug(redact(line));
      },
      group: (title, body) => log.group(redact(title), body),
      annotate: (level, title, message, place) => {
        log.annotate(level, redact(title), redact(message), place && { ...place, file: redact(place.file) });
      },
      redact: (text) => redactor.redactMarkdown(text),
    },
    mask(secret, options) {
      const lines = redactor.add(secret, options);
      for (const line of lines) runner.mask(line);
      // The runner looks for a value as it stands.
      for (const line of lines) runner.mask(btoa(String.fromCharCode(...new TextEncoder().encode(line))));
    },
    unmasked: () => redactor.unmasked,
    output: (name, value) => {
      runner.output(name, redact(value));
    },
    saveState: (name, value) => {
      runner.saveState(name, redact(value));
    },
    summarize: (markdown) => runner.summarize(redactor.redactMarkdown(markdown)),
    writeReport: (name, report) => runner.writeReport(name, changeLeaves(report, redact)),
  };
}
