import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paginate } from '../../src/operations/paging.ts';

const machine = (id: string, name?: string) => ({ id, name });
const byName = {
  getName: ({ name }: { name: string | undefined }) => name,
  toRow: (row: ReturnType<typeof machine>) => row,
};
const machines = [machine('3', 'dc02'), machine('2', 'DC01'), machine('1', 'dc02'), machine('4')];
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a list', () => {
  test('is sorted by name without regard to case, then by id; what has no name comes first', () => {
    expect(paginate(machines, byName, { limit: 10 })).toEqual({
      rows: 4,
      total: 4,
      page: [machine('4'), machine('2', 'DC01'), machine('1', 'dc02'), machine('3', 'dc02')],
    });
  });

  test('goes on after the last key, also when that item is gone by then', () => {
    const first = paginate(machines, byName, { limit: 3 });
    expect(first.page.map(({ id }) => id)).toEqual(['4', '2', '1']);
    expect(first.cursor).toBe(cursorOf({ v: 1, after: ['dc02', '1'] }));
    const less = machines.filter(({ id }) => id !== '1');
    expect(paginate(less, byName, { limit: 3, cursor: first.cursor })).toEqual({
      rows: 1,
      total: 3,
      page: [machine('3', 'dc02')],
    });
  });

  test('has no cursor on its last page', () => {
    expect(paginate(machines, byName, { limit: 4 }).cursor).toBeUndefined();
    expect(paginate([], byName, { limit: 4 })).toEqual({ rows: 0, total: 0, page: [] });
  });

  test('ends before its rows are longer than 60,000 characters together, and goes on after the last one', () => {
    const many = Array.from({ length: 9 }, (_, index) => machine(String(index), 'x'));
    const listing = { ...byName, toRow: () => 'x'.repeat(9_998) };
    const first = paginate(many, listing, { limit: 9 });
    expect([first.rows, first.total, first.page.length]).toEqual([6, 9, 6]);
    expect(first.cursor).toBe(cursorOf({ v: 1, after: ['x', '5'] }));
    expect(paginate(many, listing, { limit: 9, cursor: first.cursor }).rows).toBe(3);
  });

  test('holds one row, however long that is', () => {
    const found = paginate(machines, { ...byName, toRow: () => 'x'.repeat(60_001) }, { limit: 9 });
    expect([found.rows, found.total]).toEqual([1, 4]);
  });

  test.each([
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('dc01').toString('base64url')],
    ['another version', cursorOf({ v: 2, after: ['a', 'b'] })],
    ['a key too much', cursorOf({ v: 1, after: ['a', 'b'], tenant: 'x' })],
    ['no pair', cursorOf({ v: 1, after: ['a'] })],
    ['a number', cursorOf({ v: 1, after: ['a', 1] })],
    ['other spelling', `${cursorOf({ v: 1, after: ['a', 'b'] })}=`],
    ['nothing', ''],
  ])('refuses a cursor that is %s', (_, cursor) => {
    expect(() => paginate(machines, byName, { limit: 2, cursor })).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: 'The cursor is not one of this server.' }),
    );
  });

  test('walked by its cursor gives every item once, whatever the names are', () => {
    const names = fc.option(fc.oneof(fc.string({ unit: 'binary', maxLength: 120 }), fc.constantFrom('dc01', 'DC01')), {
      nil: undefined,
    });
    fc.assert(
      fc.property(fc.array(names, { maxLength: 20 }), fc.integer({ min: 1, max: 7 }), (all, limit) => {
        const items = all.map((name, index) => machine(String(index), name));
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const next = paginate(items, byName, { limit, cursor });
          seen.push(...next.page.map(({ id }) => id));
          cursor = next.cursor;
        } while (cursor !== undefined);
        return seen.length === items.length && new Set(seen).size === items.length;
      }),
    );
  });
});
