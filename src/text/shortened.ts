/**
 * As much of a text as a place has room for; it says how much is left out.
 * @param most characters
 * @param where the rest is, if anywhere: `, in the log`
 */
export function shortened(text: string, most: number, where = ''): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).toWellFormed()} … (${String(text.length - most)} more characters${where})`;
}
