/** How pg_upgrade transfers a file: by a reflink, by a hard link, or by copying it. */
export const transferModes = ['clone', 'link', 'copy'] as const;

/** The input `transfer`; with `auto` the Job takes the first mode that the volume can do. */
export const transferChoices = ['auto', ...transferModes] as const;

export type Transfer = (typeof transferChoices)[number];

/** Whether the mode that the Job reports is one that the input asked for. */
export function isAsPlanned(planned: Transfer, ran: string | undefined): boolean {
  return planned === 'auto' ? transferModes.some((mode) => mode === ran) : planned === ran;
}
