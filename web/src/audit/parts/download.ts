/** Hands a text to the browser as a file. */
export const downloadText = (name: string, type: string, ...parts: readonly string[]): void =>
  downloadBlob(name, new Blob([...parts], { type }));

/** Hands bytes to the browser as a file, whatever they say that they are: no browser opens them as a page. */
export const downloadBytes = (name: string, bytes: Uint8Array<ArrayBuffer>): void =>
  downloadBlob(name, new Blob([bytes], { type: 'application/octet-stream' }));

function downloadBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
