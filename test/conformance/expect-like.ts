import { expect } from 'vitest';

/** Compares two values: numbers may differ by the tolerance (0: not at all), everything else must be equal. */
export function expectLike(actual: unknown, expected: unknown, tolerance: number): void {
  if (tolerance === 0) expect(actual).toEqual(expected);
  else expect(differences(actual, expected, tolerance)).toEqual([]);
}

/** Where two values differ by more, as paths with both values. */
function differences(actual: unknown, expected: unknown, tolerance: number): string[] {
  if (typeof actual === 'number' && typeof expected === 'number')
    return Math.abs(actual - expected) <= tolerance ? [] : [`: ${actual}, not ${expected}`];
  if (!isObject(actual) || !isObject(expected))
    return Object.is(actual, expected) ? [] : [`: ${String(actual)}, not ${String(expected)}`];
  const keys = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...keys].flatMap((key) =>
    differences(actual[key], expected[key], tolerance).map((difference) => `.${key}${difference}`),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
