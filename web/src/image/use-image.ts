import type { ImportedImage } from '@firmproof/protocol/image';
import { useCallback, useEffect, useRef, useState } from 'react';

export type ImageState =
  | { readonly state: 'none' }
  | { readonly state: 'hashing'; readonly name: string; readonly done: number }
  | { readonly state: 'known'; readonly name: string; readonly image: ImportedImage }
  | { readonly state: 'failed'; readonly name: string; readonly message: string };

type FromWorker = { doneBytes?: number; image?: ImportedImage; failure?: string };

/** Hashes a chosen file in a worker; the bytes never leave the computer. A new choice ends the old one's work. */
export function useImage(): { readonly chosen: ImageState; readonly choose: (file: File) => void } {
  const [chosen, setChosen] = useState<ImageState>({ state: 'none' });
  const worker = useRef<Worker>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);
  const choose = useCallback((file: File) => {
    worker.current?.terminate();
    const { name } = file;
    setChosen({ state: 'hashing', name, done: 0 });
    const next = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.current = next;
    next.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.image) setChosen({ state: 'known', name, image: data.image });
      else if (data.failure !== undefined) setChosen({ state: 'failed', name, message: data.failure });
      else setChosen({ state: 'hashing', name, done: (data.doneBytes ?? 0) / Math.max(file.size, 1) });
      if (data.image || data.failure !== undefined) next.terminate();
    };
    next.onerror = () =>
      setChosen({ state: 'failed', name, message: 'the part of these pages that hashes did not load' });
    next.postMessage(file);
  }, []);
  return { chosen, choose };
}

/** Whether the file is the image that is approved; null while nothing is known. */
export function isSameImage(
  chosen: ImageState,
  approved: { readonly digest: string; readonly cid: string | null },
): boolean | null {
  if (chosen.state !== 'known') return null;
  const { digest, cid } = chosen.image;
  return digest === approved.digest && (approved.cid === null || cid === approved.cid);
}
