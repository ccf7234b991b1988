import { describe, expect, it } from 'vitest';
import { bytes, perSecond, plural, time } from '../../src/cli/amounts.ts';
import { RateMeter } from '../../src/cli/flow/rate-meter.ts';
import { inputTemplate } from '../../src/cli/input-template.ts';
import { duration } from '../../src/cli/option-values.ts';

describe('What a person reads', () => {
  it('has amounts in units that fit', () => {
    expect([0, 1023, 1536, 200 * 2 ** 20].map(bytes)).toEqual(['0 bytes', '1023 bytes', '1.5 KiB', '200 MiB']);
    expect([plural(1, 'line'), plural(12345, 'line')]).toEqual(['1 line', '12,345 lines']);
    expect([perSecond(7.36), perSecond(1234)]).toEqual(['7.4/s', '1,234/s']);
  });

  it('has times in two units at most', () => {
    const ms = [12, 1500, 42_000, 60_000, 125_000, 3_600_000, 5_400_000, 90_000_000];
    expect(ms.map(time)).toEqual(['12 ms', '1.5 s', '42 s', '1 min', '2 min 5 s', '1 h', '1 h 30 min', '1 d 1 h']);
  });
});

describe('What a person writes', () => {
  it('as a time may have a unit', () => {
    expect(['30', '1.5s', '500ms', '5m', '5min', '2h', '1d'].map(duration)).toEqual([
      30_000, 1500, 500, 300_000, 300_000, 7_200_000, 86_400_000,
    ]);
    expect(() => duration('soon')).toThrow('Expected a time');
  });

  it('as a template gets the fields of each record', () => {
    const fill = inputTemplate('{"texts": ["{{body}}"], "note": "from {{name}}", "count": "{{ n }}", "fixed": 1}');
    expect(fill({ body: 'B', name: 'N', n: 3 })).toEqual({
      input: { texts: ['B'], note: 'from N', count: 3, fixed: 1 },
    });
    expect(fill({ body: 'B' })).toEqual({ missing: 'name' });
    expect(inputTemplate('["{{text}}"]')('line')).toEqual({ input: ['line'] });
    expect(() => inputTemplate('{"texts": []}')).toThrow('no place');
    expect(() => inputTemplate('{')).toThrow('not JSON');
  });
});

describe('A rate', () => {
  it('is of the last half minute', () => {
    let now = 0;
    const meter = new RateMeter(() => now);
    const at = (seconds: number, records: number) => {
      now = seconds * 1000;
      meter.note({ records, bytes: records * 10 });
    };
    at(0, 0);
    expect(meter.perSecond).toBeUndefined();
    for (let second = 1; second <= 100; second += 1) at(second, second * 5);
    for (let second = 101; second <= 140; second += 1) at(second, 500 + (second - 100));
    expect(meter.perSecond?.records).toBeCloseTo(1, 1);
    expect(meter.perSecond?.bytes).toBeCloseTo(10, 0);
  });
});
