import { describe, expect, test } from 'vitest';
import { fields, printable, table } from '../../../client/src/cli/output.ts';

describe('what others have written', () => {
  test('commands nothing of a terminal', () => {
    expect(printable('a\u001b[2J\u001b[1;1Hb\u0007\r\u202etxt\u2069\tc\nd é 👩‍💻')).toBe(
      'a\ufffd[2J\ufffd[1;1Hb\ufffd\ufffd\ufffdtxt\ufffd\tc\nd é 👩‍💻',
    );
  });

  test('looks like no other line', () => {
    const notes = 'Fixes.\nimage    another one\n\u001b[1A✓ The image: it is the one';
    const lines = fields([
      ['image', 'abc'],
      ['notes', notes],
    ]).split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines.slice(2)) expect(line).toMatch(/^ {7}\S/);
    expect(table(['name'], [['a\nb']])).toBe('name\na b');
  });
});
