import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputFormatOf, openReader } from '../../src/cli/readers/open-reader.ts';
import { mostRecordBytes, type RecordReader } from '../../src/cli/readers/record-reader.ts';

const usual = { delimiter: undefined, header: true, wanted: [] };

/** Bytes in pieces of some sizes, again and again. */
async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function readAll(reader: RecordReader, input: string | Buffer, sizes: readonly number[] = [7]) {
  const bytes = Buffer.from(input as string, 'utf8');
  const found: { line: number; end: number; read: ReturnType<RecordReader['read']> }[] = [];
  for await (const records of reader.records(pieces(bytes, sizes))) {
    for (const record of records) found.push({ line: record.line, end: record.end, read: reader.read(record) });
  }
  return found;
}

async function valuesOf(reader: RecordReader, input: string | Buffer, sizes?: readonly number[]) {
  return (await readAll(reader, input, sizes)).map(({ read }) => ('value' in read ? read.value : read));
}

const sizesOfChunks = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

describe('Plain lines', () => {
  it('are cut the same wherever chunks end, in the middle of a character too', async () => {
    const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\n\r\ufeff]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1 }), sizesOfChunks, async (lines, sizes) => {
        const values = await valuesOf(openReader('lines', usual), `${lines.join('\n')}\n`, sizes);
        expect(values).toEqual(lines);
      }),
    );
  });

  it('end with or without a last line break, with a carriage return, and after a byte order mark', async () => {
    expect(await valuesOf(openReader('lines', usual), '\ufeffone\r\n\r\ntwo')).toEqual(['one', '', 'two']);
    expect(await valuesOf(openReader('lines', usual), '')).toEqual([]);
  });

  it('know their number and the byte behind them', async () => {
    const found = await readAll(openReader('lines', usual), 'a\nä\n\nb');
    expect(found.map(({ line, end }) => [line, end])).toEqual([
      [1, 2],
      [2, 5],
      [3, 6],
      [4, 7],
    ]);
  });

  it('that are no UTF-8 or too long are problems, and the next one is not', async () => {
    const long = Buffer.alloc(mostRecordBytes + 10, 'x');
    const input = Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), long, Buffer.from('\nfine\n')]);
    const values = await valuesOf(openReader('lines', usual), input, [1 << 20]);
    expect(values).toEqual([
      { problem: expect.stringContaining('not UTF-8') },
      { problem: expect.stringContaining('longer than 16 MiB') },
      'fine',
    ]);
  });
});

describe('JSON lines', () => {
  it('give their values; blank ones are no records, and what is not JSON is a problem', async () => {
    const found = await readAll(openReader('jsonl', usual), '{"a": 1}\n\n  \r\nnot json\n"text"');
    expect(found.map(({ line, read }) => [line, read])).toEqual([
      [1, { value: { a: 1 } }],
      [4, { problem: expect.stringContaining('not JSON') }],
      [5, { value: 'text' }],
    ]);
  });
});

describe('CSV', () => {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

  it('gives back whatever fields were written, wherever chunks end', async () => {
    const field = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', 'é') }));
    const rows = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, sizesOfChunks, async (written, sizes) => {
        const text = ['a,b,c', ...written.map((row) => row.map(quoted).join(','))].join('\r\n');
        const values = await valuesOf(openReader('csv', usual), text, sizes);
        expect(values).toEqual(written.map(([a, b, c]) => ({ a, b, c })));
      }),
    );
  });

  it('takes quotes in the middle of a field as they are, and empty fields', async () => {
    const values = await valuesOf(openReader('csv', usual), 'a,b\n5" disk,\n,"x"\n');
    expect(values).toEqual([
      { a: '5" disk', b: '' },
      { a: '', b: 'x' },
    ]);
  });

  it('counts the lines of the file, also those inside quotes', async () => {
    const found = await readAll(openReader('csv', usual), 'a\n"one\ntwo"\nthree\n');
    expect(found.map(({ line }) => line)).toEqual([2, 4]);
  });

  it('says what is wrong with a row, and goes on', async () => {
    const values = await valuesOf(openReader('csv', usual), 'a,b\n1\n"x"y,2\n3,4\n"open');
    expect(values).toEqual([
      { problem: 'malformed: 1 columns instead of 2' },
      { problem: 'malformed: something follows the closing quote of column 1' },
      { a: '3', b: '4' },
      { problem: 'malformed: a quote that is opened is never closed' },
    ]);
  });

  it('without a header calls the columns by number, and takes other delimiters', async () => {
    const options = { delimiter: ';', header: false, wanted: ['2'] };
    expect(await valuesOf(openReader('csv', options), 'x;y\n')).toEqual([{ 1: 'x', 2: 'y' }]);
    expect(await valuesOf(openReader('tsv', usual), 'a\tb\n1\t2\n')).toEqual([{ a: '1', b: '2' }]);
  });

  it('refuses a file that lacks the column, with those that it has', async () => {
    const reader = openReader('csv', { ...usual, wanted: ['text'] });
    await expect(readAll(reader, 'id,body\n1,2\n')).rejects.toThrow('no column "text"; it has "id", "body"');
  });

  it('refuses a delimiter that is none', () => {
    expect(() => openReader('csv', { ...usual, delimiter: '::' })).toThrow('--delimiter is "::"');
  });
});

describe('The name of a file', () => {
  it('says its format', () => {
    expect(['a.jsonl', 'a.NDJSON', 'a.csv', 'a.tsv', 'a.txt', '-', 'a'].map(inputFormatOf)).toEqual([
      'jsonl',
      'jsonl',
      'csv',
      'tsv',
      'lines',
      'lines',
      'lines',
    ]);
  });
});
