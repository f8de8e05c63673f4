import {
  type Bytes32,
  growDeviceTree,
  inSteps,
  isFirmproofError,
  leavesOf,
  type ProductId,
  parseDeviceList,
} from '../index.ts';

/** The devices that a proposal anchors: the root of the server's list, computed here; null for a list that cannot be read. */
export type DevicesSaid =
  | { readonly root: Bytes32; readonly count: number; readonly sample: readonly string[] }
  | { readonly root: null; readonly why: string };

const sampleDevices = 3;

/** Computed once, when the list has come: of a hundred thousand devices it takes seconds. */
export async function readDevices(text: string, product: ProductId): Promise<DevicesSaid> {
  try {
    const devices = parseDeviceList(text);
    const { root, count } = await inSteps(growDeviceTree(leavesOf({ product, devices })));
    return { root, count, sample: devices.slice(0, sampleDevices).map(({ device }) => device) };
  } catch (error) {
    if (isFirmproofError(error)) return { root: null, why: error.message };
    throw error;
  }
}
