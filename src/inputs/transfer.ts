/** How pg_upgrade takes a file over: by a reflink, by a hard link, or by copying it. */
export const transferModes = ['clone', 'link', 'copy'] as const;

/** The input `transfer`; with `auto` the Job takes the first mode that the volume can do. */
export const transferChoices = ['auto', ...transferModes] as const;

export type Transfer = (typeof transferChoices)[number];

/** Whether the mode that ran, as the Job tells it, is one that was asked for. */
export function isAsPlanned(planned: Transfer, ran: string | undefined): boolean {
  return planned === 'auto' ? transferModes.some((mode) => mode === ran) : planned === ran;
}
