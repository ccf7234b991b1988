import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyState, type OutputFormat, openFormat, outputFormatOf } from '../../src/cli/writers/open-format.ts';
import type { RowFormat, SettledRecord } from '../../src/cli/writers/row-format.ts';

const fault = { code: 'INVALID_INPUT', message: 'bad' };

/** Records with vectors, or without where one is undefined. */
function records(vectors: readonly (Float32Array | undefined)[], first = 0): SettledRecord[] {
  return vectors.map((vector, at) => ({
    index: first + at,
    id: undefined,
    outcome: vector === undefined ? fault : { vector, fields: {} },
  }));
}

/** What a file holds after some parts, as a run writes it. */
function written(format: RowFormat, parts: readonly (readonly SettledRecord[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => format.encode(part)));
  const head = format.finalHead();
  return Buffer.concat([head, body.subarray(head.length)]);
}

/** Reads version 1.0 of NumPy's format. */
function readNpy(file: Buffer): { shape: number[]; data: Float32Array } {
  expect(file.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00');
  const headBytes = 10 + file.readUInt16LE(8);
  expect(headBytes % 64).toBe(0);
  const head = file.subarray(10, headBytes).toString('latin1');
  const [, shape = ''] = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \((.*?)\), \} *\n$/.exec(head) ?? [];
  const body = file.subarray(headBytes);
  return {
    shape: shape.split(',').map(Number),
    data: new Float32Array(body.buffer.slice(body.byteOffset, body.byteOffset + body.length)),
  };
}

const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const vector = fc.array(float, { minLength: 3, maxLength: 3 }).map((numbers) => Float32Array.from(numbers));

describe('Rows', () => {
  it('as JSON lines have the very same float32', () => {
    fc.assert(
      fc.property(fc.array(vector, { minLength: 1 }), (vectors) => {
        const text = written(openFormat('jsonl', emptyState), [records(vectors)]).toString('utf8');
        const lines = text.trimEnd().split('\n');
        const read = lines.map((line) => Float32Array.from(JSON.parse(line).embedding as number[]));
        // JSON has no negative zero apart from 0.
        expect(read.map((row) => [...row].map((value) => value + 0))).toEqual(
          vectors.map((row) => [...row].map((value) => value + 0)),
        );
      }),
    );
  });

  it('as .npy and raw are one for each record, NaN for one that failed, in whatever parts they come', () => {
    const parts = fc.array(fc.array(fc.option(vector, { nil: undefined }), { maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(parts, (vectors) => {
        const all = vectors.flat();
        const dimensions = all.some((row) => row !== undefined) ? 3 : 0;
        const expected = all.flatMap((row) => [...(row ?? Array(dimensions).fill(Number.NaN))]);
        const npy = readNpy(
          written(
            openFormat('npy', emptyState),
            vectors.map((part) => records(part)),
          ),
        );
        expect(npy.shape).toEqual([all.length, dimensions]);
        expect([...npy.data]).toEqual(expected);
        const raw = written(
          openFormat('raw', emptyState),
          vectors.map((part) => records(part)),
        );
        expect(raw.equals(Buffer.from(Float32Array.from(expected).buffer))).toBe(true);
      }),
    );
  });

  it('go on in another process as if it were the same', () => {
    const vectors = [undefined, Float32Array.of(1, 2), undefined, Float32Array.of(3, 4)];
    for (const name of ['npy', 'raw', 'jsonl'] satisfies OutputFormat[]) {
      for (let cut = 0; cut <= vectors.length; cut += 1) {
        const [before, behind] = [records(vectors.slice(0, cut)), records(vectors.slice(cut), cut)];
        const first = openFormat(name, emptyState);
        const head = first.encode(before);
        const second = openFormat(name, JSON.parse(JSON.stringify(first.state)));
        const whole = Buffer.concat([head, second.encode(behind)]);
        const patched = Buffer.concat([second.finalHead(), whole.subarray(second.finalHead().length)]);
        expect(patched.equals(written(openFormat(name, emptyState), [records(vectors)])), `${name} ${cut}`).toBe(true);
      }
    }
  });

  it('of two lengths do not go into one file', () => {
    const format = openFormat('raw', emptyState);
    format.encode(records([Float32Array.of(1, 2)]));
    expect(() => format.encode(records([Float32Array.of(1)]))).toThrow('A vector has 1 numbers, those before it 2');
  });

  it('as JSON lines have index, id and what else there is; those that failed are left out', () => {
    const text = Buffer.from(
      openFormat('jsonl', emptyState).encode([
        { index: 0, id: 'a', outcome: { vector: Float32Array.of(0.5), fields: { text: 'x', tokens: 3 } } },
        { index: 1, id: undefined, outcome: fault },
        { index: 2, id: 7, outcome: { vector: undefined, fields: { output: { rows: [Float32Array.of(0.5)] } } } },
      ]),
    ).toString('utf8');
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { index: 0, id: 'a', text: 'x', tokens: 3, embedding: [0.5] },
      { index: 2, id: 7, output: { rows: [[0.5]] } },
    ]);
  });

  it('have the format that the name of the file says', () => {
    expect(['a.npy', 'a.f32', 'a.bin', 'a.jsonl', 'a'].map(outputFormatOf)).toEqual([
      'npy',
      'raw',
      'raw',
      'jsonl',
      'jsonl',
    ]);
  });
});
