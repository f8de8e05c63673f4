import * as z from 'zod';

const dayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const timeOfDaySchema = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'is a time of day, as 02:30');

export const maintenanceSchema = z
  .object({
    windows: z
      .array(
        z
          .object({
            /** The days on which the window opens; it may close on the next one. */
            days: z
              .array(z.enum(dayNames))
              .min(1)
              .default([...dayNames]),
            from: timeOfDaySchema,
            /** The same as `from` is a whole day. */
            to: timeOfDaySchema,
          })
          .strict(),
      )
      .min(1)
      .max(32),
    /** Of the times above: a device has no time zone to ask. */
    utcOffset: z
      .string()
      .regex(/^[+-](?:0\d|1[0-4]):[0-5]\d$/, 'is an offset, as +01:00')
      .default('+00:00'),
    /** Whether images are downloaded inside the windows only. They are always activated there only. */
    downloads: z.enum(['inside', 'anytime']).default('inside'),
  })
  .strict();
export type Maintenance = z.infer<typeof maintenanceSchema>;

const daySeconds = 86_400;
const weekSeconds = 7 * daySeconds;
/** 1970 began on a Thursday; weeks begin on Monday. */
const firstMondaySeconds = 3 * daySeconds;

const modulo = (value: number, by: number) => ((value % by) + by) % by;
const secondsOf = (time: string) => Number(time.slice(0, 2)) * 3600 + Number(time.slice(3, 5)) * 60;

/** 0 inside a window; else how long it is until the next one opens. */
export function secondsToWindow({ windows, utcOffset }: Maintenance, nowSeconds: number): number {
  const offset = secondsOf(utcOffset.slice(1)) * (utcOffset.startsWith('-') ? -1 : 1);
  const now = modulo(nowSeconds + offset + firstMondaySeconds, weekSeconds);
  const waits = windows.flatMap(({ days, from, to }) => {
    const length = modulo(secondsOf(to) - secondsOf(from), daySeconds) || daySeconds;
    return days.map((day) => {
      const opens = dayNames.indexOf(day) * daySeconds + secondsOf(from);
      return modulo(now - opens, weekSeconds) < length ? 0 : modulo(opens - now, weekSeconds);
    });
  });
  return Math.min(...waits);
}
