// A campaign is a list of cases; a case is one fault that strikes, and the new run which has to converge after it.

/** What one case came to. Changes are the writer's; seconds is the time that the converging run took. */
export interface Outcome {
  proof: string;
  acknowledged: number;
  lost: number;
  seconds: number;
}

export interface Case {
  readonly campaign: string;
  readonly name: string;
  /** Fills the outcome as it goes; whatever it throws is the problem. */
  readonly run: (outcome: Outcome) => Promise<void>;
}

export type Ended = Outcome & Pick<Case, 'campaign' | 'name'> & { readonly problem: string };

/** Runs one case, whatever becomes of it, and prints where the fault struck. */
export async function attempt({ campaign, name, run }: Case): Promise<Ended> {
  const outcome: Outcome = { proof: '', acknowledged: 0, lost: 0, seconds: 0 };
  let problem = '';
  try {
    await run(outcome);
    if (outcome.proof === '') throw new Error('no proof of where the fault struck');
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  const verdict = problem === '' ? 'passed' : 'failed';
  console.log(
    `${verdict} ${outcome.seconds.toFixed(1).padStart(5)} s  ${campaign}: ${name}\n        struck: ${outcome.proof}`,
  );
  if (problem !== '') console.log(problem.replace(/^/gm, '        '));
  return { campaign, name, ...outcome, problem };
}

/** A row for each campaign. */
export function table(ended: readonly Ended[]): string {
  const rows = [['campaign', 'cases', 'converged', 'acknowledged changes', 'lost', 'longest time to convergence']];
  for (const campaign of new Set(ended.map((one) => one.campaign))) {
    const ofIt = ended.filter((one) => one.campaign === campaign);
    const sum = (count: (one: Ended) => number) => String(ofIt.reduce((total, one) => total + count(one), 0));
    rows.push([
      campaign,
      String(ofIt.length),
      sum((one) => Number(one.problem === '')),
      sum((one) => one.acknowledged),
      sum((one) => one.lost),
      `${Math.max(...ofIt.map((one) => one.seconds)).toFixed(1)} s`,
    ]);
  }
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const printed = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' | ')
      .trimEnd(),
  );
  return [printed[0], widths.map((width) => '-'.repeat(width)).join('-|-'), ...printed.slice(1)].join('\n');
}
