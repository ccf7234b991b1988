import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Millrace, RunOutcome } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface RunsUnderTest {
  readonly name: string;
  /** A new client of one and the same mill, which cleans texts and embeds them. */
  readonly open: () => Millrace;
}

const clean = (text: string) => ({ texts: [text], format: 'html' as const });

/** What runs have to do alike wherever they are. */
export function describeRuns({ name, open }: RunsUnderTest): void {
  describe(`A run by ${name}`, () => {
    let mill: Millrace;
    beforeAll(() => {
      mill = open();
    });
    afterAll(() => mill.close());

    it('gives what became of each input, in order; one that is wrong fails alone', async () => {
      async function* inputs() {
        for (let index = 0; index < 40; index += 1) {
          yield index % 10 === 7 ? { ...clean('x'), format: 'pdf' as 'html' } : clean(`<b>${index}</b>\u2028`);
        }
      }
      const metadata = { corpus: 'books' };
      const run = await mill.runs.submit('text.clean', inputs(), { metadata, tags: ['corpus'], priority: 'normal' });
      expect(run.type).toBe('text.clean');
      const outcomes = await collect(run.results());
      expect(outcomes.map(({ index }) => index)).toEqual(Array.from({ length: 40 }, (_, index) => index));
      for (const outcome of outcomes) {
        if (outcome.index % 10 === 7) {
          expect(outcome).toMatchObject({ status: 'failed', error: { code: 'INVALID_INPUT' } });
          expect(outcome.status === 'failed' && outcome.error.message).toContain('format');
        } else expect(outcome).toMatchObject({ status: 'succeeded', output: { texts: [`${outcome.index}`] } });
      }
      const view = await run.read();
      expect(view).toMatchObject({ id: run.id, type: 'text.clean', state: 'completed', priority: 'normal', metadata });
      expect(view).toMatchObject({ counts: { total: 40, succeeded: 36, failed: 4 }, errors: [], blocked: null });
      expect(Date.parse(view.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(view.createdAt));
    });

    it('gives vectors of float32', async () => {
      const run = await mill.runs.submit('inference.embed', [{ texts: ['a', 'b'] }, { texts: ['c'] }]);
      const [first, second] = await collect(run.results());
      const vectors = await mill.embed(['a', 'b', 'c']);
      if (first?.status !== 'succeeded' || second?.status !== 'succeeded') throw new Error('both succeed');
      const given = [...first.output.embeddings, ...second.output.embeddings];
      expect(given.every((vector) => vector instanceof Float32Array)).toBe(true);
      for (const [index, vector] of given.entries()) {
        for (const [at, value] of vector.entries()) expect(value).toBeCloseTo(vectors[index]?.[at] ?? 9, 4);
      }
    });

    it('takes lines of JSON as bytes, and begins nothing when one is none', async () => {
      const text = `${JSON.stringify(clean('ä'))}\n\n${JSON.stringify(clean('b'))}`;
      const bytes = Buffer.from(text);
      const pieces = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
      const run = await mill.runs.submit('text.clean', { jsonl: Readable.from(pieces) });
      expect(await collect(run.results())).toMatchObject([{ output: { texts: ['ä'] } }, { output: { texts: ['b'] } }]);
      const { runs } = await mill.runs.list();
      const wrong = mill.runs.submit('text.clean', { jsonl: Readable.from([Buffer.from('{}\nno json\n')]) });
      await expect(wrong).rejects.toMatchObject({ code: 'INVALID_REQUEST', problems: [{ path: 'line 2' }] });
      const missing = mill.runs.submit('text.clean', { jsonl: '/no/such/file' });
      await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
      expect((await mill.runs.list()).runs[0]?.id).toBe(runs[0]?.id);
    });

    it('is not begun when its source breaks, its options are wrong, or it is called off', async () => {
      function* broken() {
        yield clean('a');
        throw new Error('the source ran dry');
      }
      const before = (await mill.runs.list()).runs[0]?.id;
      await expect(mill.runs.submit('text.clean', broken())).rejects.toThrow('the source ran dry');
      const signal = AbortSignal.abort(new Error('called off'));
      await expect(mill.runs.submit('text.clean', [clean('a')], { signal })).rejects.toThrow('called off');
      const wrong = [{ completionWindow: 'a week' }, { metadata: { priority: 'x' } }];
      for (const options of wrong) {
        const refused = mill.runs.submit('text.clean', [clean('a')], options);
        await expect(refused).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
      }
      expect((await mill.runs.list()).runs[0]?.id).toBe(before);
    });

    it('of nothing fails, and says so', async () => {
      const run = await mill.runs.submit('text.clean', []);
      expect(await run.ended()).toMatchObject({ state: 'failed', errors: [{ code: 'empty_file' }] });
      await expect(collect(run.results())).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    });

    it('is found again by its id, and listed', async () => {
      const ids: string[] = [];
      for (const text of ['a', 'b', 'c']) ids.unshift((await mill.runs.submit('text.clean', [clean(text)])).id);
      const first = await mill.runs.list({ limit: 2 });
      expect(first.runs.map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect(first.after).toBe(ids[1]);
      const rest = await mill.runs.list({ limit: 100, ...(first.after === null ? {} : { after: first.after }) });
      expect(rest.runs[0]?.id).toBe(ids[2]);
      expect(rest.after).toBeNull();
      const found = await mill.runs.get(ids[1] ?? '', 'text.clean');
      expect(await collect(found.results())).toMatchObject([{ index: 0, output: { texts: ['b'] } }]);
      const untyped = await mill.runs.get(ids[2] ?? '');
      expect(untyped.type).toBe('text.clean');
      expect(await untyped.ended()).toMatchObject({ state: 'completed' });
      const otherwise = mill.runs.get(ids[0] ?? '', 'text.redact');
      await expect(otherwise).rejects.toMatchObject({ code: 'INVALID_REQUEST', problems: [{ path: 'type' }] });
      for (const id of ['batch_none', '..', '']) {
        await expect(mill.runs.get(id)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
      }
      await expect(mill.runs.list({ limit: 0 })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    });

    it('is followed from its present state to its end, until that is called off', async () => {
      await mill.pause('text');
      const run = await mill.runs.submit(
        'text.clean',
        Array.from({ length: 20 }, (_, index) => clean(`${index}`)),
      );
      const abort = new AbortController();
      const views = run.follow({ signal: abort.signal, everyMs: 20 });
      expect((await views.next()).value).toMatchObject({ id: run.id, endedAt: null });
      const called = expect(collect(views)).rejects.toThrow('seen enough');
      abort.abort(new Error('seen enough'));
      await called;
      await expect(run.ended({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
      const waiting = expect(run.ended({ signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more');
      await waiting;
      await mill.resume('text');
      const seen = await collect(run.follow({ everyMs: 20 }));
      const done = seen.map(({ counts }) => counts.succeeded + counts.failed);
      expect(done).toEqual([...done].sort((one, other) => one - other));
      expect(seen.at(-1)).toMatchObject({ state: 'completed', counts: { total: 20, succeeded: 20, failed: 0 } });
    });

    it('is cancelled: inputs that had no turn are failures', async () => {
      await mill.pause('text');
      const tag = randomUUID();
      const inputs = Array.from({ length: 20 }, (_, index) => clean(`${index}`));
      const run = await mill.runs.submit('text.clean', inputs, { tags: [tag] });
      await expect.poll(async () => (await mill.list({ tag, limit: 200 })).tasks.length).toBe(20);
      const results = collect(run.results());
      await run.cancel();
      expect(await run.ended()).toMatchObject({ state: 'cancelled', counts: { total: 20, succeeded: 0, failed: 0 } });
      const expected = inputs.map((_, index) => ({ index, status: 'failed', error: { code: 'CANCELLED' } }));
      expect(await results).toMatchObject(expected);
      await mill.resume('text');
      // Those that are stored are forgotten by and by.
      const states = async () => (await mill.list({ tag, limit: 200 })).tasks.map(({ state }) => state);
      await expect.poll(async () => (await states()).filter((state) => state !== 'cancelled')).toEqual([]);
      await expect(run.cancel()).rejects.toMatchObject({ code: 'RUN_ENDED' });
    });

    it('goes on when the client that began it is closed', async () => {
      const own = open();
      const { id } = await own.runs.submit('text.clean', [clean('a'), clean('b')]);
      await own.close();
      await expect(own.runs.get(id)).rejects.toMatchObject({ code: 'CLOSED' });
      const run = await mill.runs.get(id, 'text.clean');
      expect(await collect(run.results())).toMatchObject([{ output: { texts: ['a'] } }, { output: { texts: ['b'] } }]);
    });
  });
}

async function collect<T extends RunOutcome<unknown> | object>(iterable: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of iterable) all.push(one);
  return all;
}
