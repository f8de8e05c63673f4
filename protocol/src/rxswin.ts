import * as z from 'zod';

/**
 * A number that UN R156 (2.2) has vehicle makers give to the software behind one type approval: the regulation, `SWIN`, and what
 * the maker calls that state of it. It is read and compared as text.
 */
export const rxswinSchema = z
  .string()
  .regex(/^R[1-9][0-9]{0,2}SWIN [!-~]{1,48}$/, 'is no software identification number, as R79SWIN 0001')
  .meta({ description: 'As R79SWIN 0001: regulation, SWIN, a space, up to 48 printable ASCII characters.' });
export const maximumRxswins = 32;
