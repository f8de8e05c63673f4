import * as z from 'zod';

/** Text for people on one line of a terminal: no control or format characters, nor line separators. */
export const lineSchema = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);

/** The same in several lines. */
export const linesSchema = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^(?:\n|[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+$/u);
