import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paginate } from '../../src/operations/paging.ts';

const machine = (id: string, name?: string) => ({ id, name });
const nameOf = ({ name }: { name: string | undefined }) => name;
const machines = [machine('3', 'dc02'), machine('2', 'DC01'), machine('1', 'dc02'), machine('4')];
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a list', () => {
  test('is sorted by name without regard to case, then by id; what has no name comes first', () => {
    expect(paginate(machines, nameOf, { limit: 10 })).toEqual({
      rows: 4,
      total: 4,
      page: [machine('4'), machine('2', 'DC01'), machine('1', 'dc02'), machine('3', 'dc02')],
    });
  });

  test('goes on after the last key, also when that item is gone by then', () => {
    const first = paginate(machines, nameOf, { limit: 3 });
    expect(first.page.map(({ id }) => id)).toEqual(['4', '2', '1']);
    expect(first.cursor).toBe(cursorOf({ v: 1, after: ['dc02', '1'] }));
    const less = machines.filter(({ id }) => id !== '1');
    expect(paginate(less, nameOf, { limit: 3, cursor: first.cursor })).toEqual({
      rows: 1,
      total: 3,
      page: [machine('3', 'dc02')],
    });
  });

  test('has no cursor on its last page', () => {
    expect(paginate(machines, nameOf, { limit: 4 }).cursor).toBeUndefined();
    expect(paginate([], nameOf, { limit: 4 })).toEqual({ rows: 0, total: 0, page: [] });
  });

  test('holds at most 50 items in detail', () => {
    const many = Array.from({ length: 60 }, (_, index) => machine(String(index), 'x'));
    const page = paginate(many, nameOf, { limit: 200, detail: true });
    expect(page.page).toHaveLength(50);
    expect(page.cursor).toBeDefined();
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
    expect(() => paginate(machines, nameOf, { limit: 2, cursor })).toThrow(
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
          const next = paginate(items, nameOf, { limit, cursor });
          seen.push(...next.page.map(({ id }) => id));
          cursor = next.cursor;
        } while (cursor !== undefined);
        return seen.length === items.length && new Set(seen).size === items.length;
      }),
    );
  });
});
