import type { Commands, Remedy } from '../src/text/remedy.ts';

/** The commands of a remedy for one program, as they are copied; '' where it has none. */
export function commandsFor(program: Commands['in'], remedy: Remedy | undefined): string {
  return (remedy?.commands ?? [])
    .filter((block) => block.in === program)
    .flatMap(({ lines }) => lines)
    .join('\n');
}
