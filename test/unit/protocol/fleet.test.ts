import {
  type FleetChange,
  FleetTally,
  fleetDays,
  parseProductId,
  parseVersion,
  type Receipt,
} from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { receiptOf, type SigningDevice, signingDevice } from '../../support/enrolled-device.ts';

const product = parseProductId(`0x${'ab'.repeat(32)}`);
const day = 86_400;
const [one, two] = [parseVersion('1.0.0'), parseVersion('1.1.0')];
const image = 'aa'.repeat(32);

const said = (device: SigningDevice, counter: number, onDay: number, version: string, more: Partial<Receipt> = {}) => ({
  receipt: receiptOf(device, product, {
    counter,
    time: onDay * day + 5,
    running: { version: parseVersion(version), image: null },
    ...more,
  }),
  receivedAt: 100 * day,
  keyDigest: device.keyDigest,
});

const outcome = (version: string, result: 'confirmed' | 'failed', code?: string) =>
  ({
    kind: 'outcome',
    outcome: { result, version, image, before: { version: one, image: null }, ...(code && { code }) },
  }) as never;

describe('receipts are counted', () => {
  test('by the version that a device runs at the end of each day', () => {
    const tally = new FleetTally();
    const [a, b] = [signingDevice(), signingDevice()];
    for (const one of [
      said(a, 1, 3, '1.0.0'),
      said(a, 2, 4, '1.0.0'),
      said(a, 3, 6, '1.1.0', outcome('1.1.0', 'confirmed')),
    ])
      expect(tally.take(one)).toBe(true);
    for (const one of [said(b, 1, 4, '1.0.0'), said(b, 2, 6, '1.0.0', outcome('1.1.0', 'failed', 'unhealthy'))])
      tally.take(one);
    expect(tally.devices).toBe(2);
    expect(tally.timeline(product)).toEqual({
      product,
      days: [
        { day: 3, running: [{ version: one, devices: 1 }] },
        { day: 4, running: [{ version: one, devices: 2 }] },
        {
          day: 6,
          running: [
            { version: one, devices: 1 },
            { version: two, devices: 1 },
          ],
        },
      ],
      outcomes: [
        { version: two, result: 'confirmed', code: null, receipts: 1 },
        { version: two, result: 'failed', code: 'unhealthy', receipts: 1 },
      ],
    });
  });

  test('never twice, and never later than they were received', () => {
    const tally = new FleetTally();
    const device = signingDevice();
    expect(tally.take(said(device, 5, 3, '1.0.0'))).toBe(true);
    expect(tally.take(said(device, 5, 4, '1.1.0'))).toBe(false);
    expect(tally.take(said(device, 4, 4, '1.1.0'))).toBe(false);
    expect(tally.take({ ...said(device, 6, 900, '1.1.0'), receivedAt: 7 * day })).toBe(true);
    expect(tally.timeline(product).days.map((one) => one.day)).toEqual([3, 7]);
  });

  test('so that no device is lost or doubled, whatever they say', () => {
    const steps = fc.array(fc.record({ day: fc.nat(20), version: fc.constantFrom(one, two), device: fc.nat(4) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const tally = new FleetTally();
        const devices = Array.from({ length: 5 }, () => signingDevice());
        const sorted = [...list].sort((a, b) => a.day - b.day);
        for (const [index, step] of sorted.entries())
          tally.take(said(devices[step.device] as SigningDevice, index + 1, step.day, step.version));
        const last = tally.timeline(product).days.at(-1)?.running ?? [];
        expect(last.reduce((sum, { devices: some }) => sum + some, 0)).toBe(tally.devices);
      }),
    );
  });

  test('with at most so many days: what is older stays in the first of them', () => {
    const changes = Array.from({ length: 1200 }, (_, index): FleetChange => ({ day: index, version: one, devices: 1 }));
    const days = fleetDays(changes);
    expect(days).toHaveLength(1000);
    expect(days[0]).toEqual({ day: 200, running: [{ version: one, devices: 201 }] });
  });
});
