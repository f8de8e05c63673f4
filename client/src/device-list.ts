import {
  type BatchDevice,
  batchDeviceSchema,
  maximumBatchDevices,
  parseDeviceList,
  parseJson,
} from '@firmproof/protocol';
import { z } from 'zod';

/** What an array of as many devices as a list may name has of JSON, with generous blanks. */
const maximumJsonBytes = maximumBatchDevices * 512;

/**
 * A list of devices from a file: CSV with the header device,keyDigest,salt, or a JSON array of objects with these members.
 * @throws FirmproofError `device-list-malformed`
 */
export function parseDeviceFile(text: string): readonly BatchDevice[] {
  if (!text.trimStart().startsWith('[')) return parseDeviceList(text.replaceAll('\r\n', '\n'));
  return parseJson(text, z.array(batchDeviceSchema).max(maximumBatchDevices), {
    code: 'device-list-malformed',
    maximumBytes: maximumJsonBytes,
    what: 'the list of devices',
  });
}
