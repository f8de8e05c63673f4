import { anchorInterface } from '@firmproof/contracts';
import { type Address, deviceAnchorAddress, FirmproofError } from '@firmproof/protocol';
import type { AnchorRequest } from '@firmproof/protocol/approval';
import { hexQuantity, type Rpc } from '@firmproof/protocol/node';

export type DeviceAnchor = ReturnType<typeof createDeviceAnchor>;

/** The device anchor, as seen through one RPC node: what it says of products of one registry. */
export function createDeviceAnchor({ rpc, registry }: { readonly rpc: Rpc; readonly registry: Address }) {
  async function read<Result>(name: string, args: readonly unknown[], block: string): Promise<Result> {
    const data = anchorInterface.encodeFunctionData(name, args);
    const answer = await rpc<string>('eth_call', [{ to: deviceAnchorAddress, data }, block]);
    return anchorInterface.decodeFunctionResult(name, answer)[0] as Result;
  }

  return {
    /**
     * What is asked must be about this registry, of an anchor that is there: a call to an address without code succeeds.
     * @throws FirmproofError `approval-invalid`, `device-anchor-missing`
     */
    async requireUsable({ body }: AnchorRequest): Promise<void> {
      if (body.message.registry !== registry)
        throw new FirmproofError('approval-invalid', `the approval is for registry ${body.message.registry}`);
      if ((await rpc<string>('eth_getCode', [deviceAnchorAddress, 'latest'])) === '0x')
        throw new FirmproofError('device-anchor-missing', `there is no contract at ${deviceAnchorAddress}`);
    },

    /** Whether the chain shows the request fulfilled, whoever relayed it. */
    async shows({ kind, body }: AnchorRequest, at: number | 'latest'): Promise<boolean> {
      const block = at === 'latest' ? at : hexQuantity(at);
      const { product } = body.message;
      switch (kind) {
        case 'anchor-devices': {
          const args = [registry, product, body.message.root];
          return (await read<{ anchoredAt: bigint }>('batch', args, block)).anchoredAt > 0n;
        }
        case 'revoke-device':
          return (await read<bigint>('revokedAt', [registry, product, body.message.leaf], block)) > 0n;
      }
    },
  };
}
