import {
  type ActionMessage,
  FirmproofError,
  type ProductResource,
  parseBytes32,
  typedDataTypes,
} from '@firmproof/protocol';
import { TypedDataEncoder } from 'ethers';

/** The message as it was signed; that it is the one on chain is checked here. */
export function scheduledConfiguration(pending: ProductResource['pending']): ActionMessage<'Configure'> {
  if (!pending) throw new FirmproofError('nothing-scheduled', 'no change of this product is scheduled');
  if (configurationHash(pending.configuration) === pending.hash) return pending.configuration;
  throw new FirmproofError('server-lied', 'the server shows another configuration than the one that is scheduled');
}

/** What the registry keeps of a scheduled change. */
export const configurationHash = (message: ActionMessage<'Configure'>) =>
  parseBytes32(TypedDataEncoder.hashStruct('Configure', { Configure: typedDataTypes.Configure }, message));
