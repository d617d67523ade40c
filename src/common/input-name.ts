/** `pvcName` → `pvc-name`: how the input is called in a workflow. */
export function inputName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
