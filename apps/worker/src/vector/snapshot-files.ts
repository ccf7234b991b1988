import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { syncFolder } from '@millrace/shared/sync-folder';
import type { Collection } from '@millrace/shared/tasks/vector/collection';
import type { Metadata } from '@millrace/shared/tasks/vector/metadata';
import { z } from 'zod';
import type { IndexBackend } from './backends/vector-index.ts';
import { PointStore } from './point-store.ts';
import type { LoadedReplica, Replica } from './replica.ts';

const fileFacts = z.object({ bytes: z.int(), crc32: z.int() });

/** What a snapshot says of itself; written last, so that one without it is torn. */
const manifestSchema = z.object({
  format: z.literal(2),
  generation: z.string(),
  backend: z.string(),
  version: z.int(),
  mark: z.int(),
  points: z.int(),
  slots: z.int(),
  /** Slots that the index knows and that have no point. */
  dead: z.array(z.int()),
  files: z.object({ points: fileFacts, vectors: fileFacts, index: fileFacts.optional() }),
});
type Manifest = z.infer<typeof manifestSchema>;
type FileName = 'points' | 'vectors' | 'index';

/** One line of `points`, as JSON: slot, id, version and mark of its write, metadata, whether the index knows it. */
type Line = readonly [
  slot: number,
  id: string,
  version: number,
  mark: number,
  metadata: Metadata | null,
  isIndexed: boolean,
];

/** Points written or read before searches have their turn. */
const pointsPerTurn = 500;

/**
 * Writes a replica as it is now into a folder: beside it first, then moved, so that the folder is there whole or not at all.
 * The replica goes on: it is searched and changed meanwhile, and only its index waits.
 */
export async function writeSnapshot(
  replica: Replica,
  { folder, backend }: { folder: string; backend: string },
): Promise<void> {
  const draft = path.join(path.dirname(folder), `.draft-${path.basename(folder)}`);
  await mkdir(draft, { recursive: true });
  try {
    await replica.build.whileFrozen(async () => {
      const manifest = await writeFiles(replica, draft, backend);
      await writeFile(path.join(draft, 'manifest.json'), JSON.stringify(manifest), { flush: true });
    });
    await rename(draft, folder);
    await syncFolder(path.dirname(folder));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Everything that is read of the replica is read before the first pause: from then on it changes. */
async function writeFiles(replica: Replica, draft: string, backend: string): Promise<Manifest> {
  const { store, build, moment, collection } = replica;
  const alive = [...store.aliveSlots()].sort((a, b) => a - b);
  const lines = alive.map((slot) => ({
    slot,
    id: store.idOf(slot),
    stamp: store.stampOf(slot),
    metadata: store.metadataOf(slot),
    isIndexed: !build.tail.has(slot),
  }));
  const facts = { ...moment, points: alive.length, slots: store.slotCount, dead: [...build.deadSlots] };
  const hasIndex = build.indexed > 0 && !build.index.exact;
  if (hasIndex) await build.index.save(path.join(draft, 'index'));
  const points = await writePieces(path.join(draft, 'points'), lines, (line) => {
    const { slot, id, stamp, metadata, isIndexed } = line;
    return Buffer.from(
      `${JSON.stringify([slot, id, stamp.version, stamp.mark, metadata, isIndexed] satisfies Line)}\n`,
    );
  });
  // The slot of a point that is deleted meanwhile is not used again while the index waits: its vector stays.
  const vectors = await writePieces(path.join(draft, 'vectors'), lines, ({ slot }) => {
    const { buffer, byteOffset, byteLength } = store.vectorOf(slot);
    return Buffer.from(buffer, byteOffset, byteLength);
  });
  const index = hasIndex ? { index: await factsOf(path.join(draft, 'index')) } : {};
  return { format: 2, generation: collection.generation, backend, ...facts, files: { points, vectors, ...index } };
}

async function writePieces<T>(
  file: string,
  entries: readonly T[],
  encode: (entry: T) => Buffer,
): Promise<z.infer<typeof fileFacts>> {
  const stream = createWriteStream(file, { flush: true });
  let bytes = 0;
  let sum = 0;
  for (let start = 0; start < entries.length; start += pointsPerTurn) {
    const piece = Buffer.concat(entries.slice(start, start + pointsPerTurn).map(encode));
    bytes += piece.length;
    sum = crc32(piece, sum);
    if (!stream.write(piece)) await new Promise<void>((resolve) => stream.once('drain', resolve));
    await turn();
  }
  stream.end();
  await finished(stream);
  return { bytes, crc32: sum };
}

/**
 * Reads a snapshot of a collection.
 * @throws Error that says which file is damaged, or of what else it is.
 */
export async function readSnapshot(
  folder: string,
  { collection, backend }: { collection: Collection; backend: IndexBackend },
): Promise<LoadedReplica> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')));
  if (manifest.generation !== collection.generation) throw new Error('it is of another collection');
  if (manifest.backend !== backend.name) throw new Error(`its index is made by ${manifest.backend}`);
  for (const [name, facts] of Object.entries(manifest.files)) {
    if (facts === undefined) continue;
    const found = await factsOf(path.join(folder, name));
    if (found.bytes !== facts.bytes || found.crc32 !== facts.crc32) throw new Error(`its file ${name} is damaged`);
  }
  const store = new PointStore(collection.dimensions);
  const indexed = await readPoints(folder, { manifest, store, dimensions: collection.dimensions });
  const params = { collection, vectorOf: (slot: number) => store.vectorOf(slot) };
  const labels = [...indexed, ...manifest.dead];
  const index =
    labels.length === 0
      ? backend.create(params)
      : await backend.load(path.join(folder, 'index'), { ...params, labels, removed: manifest.dead });
  const { version, mark } = manifest;
  return { moment: { version, mark }, store, index, indexed: labels };
}

/** Gives the slots that the index knows. The checksums are right, so what is in the files is what was written. */
async function readPoints(
  folder: string,
  { manifest, store, dimensions }: { manifest: Manifest; store: PointStore; dimensions: number },
): Promise<number[]> {
  const indexed: number[] = [];
  const vectors = await open(path.join(folder, 'vectors' satisfies FileName));
  // A handle, for the folder may be pruned by another worker meanwhile.
  const points = await open(path.join(folder, 'points' satisfies FileName));
  try {
    const block = Buffer.alloc(pointsPerTurn * dimensions * 4);
    let read = 0;
    for await (const text of points.readLines()) {
      const row = read % pointsPerTurn;
      if (row === 0) await vectors.read(block, 0, block.length, read * dimensions * 4);
      const [slot, id, version, mark, metadata, isIndexed] = JSON.parse(text) as Line;
      const start = block.byteOffset + row * dimensions * 4;
      const vector = new Float32Array(block.buffer.slice(start, start + dimensions * 4));
      store.restore(slot, { id, stamp: { version, mark }, vector, metadata });
      if (isIndexed) indexed.push(slot);
      read += 1;
      if (row === pointsPerTurn - 1) await turn();
    }
    if (read !== manifest.points) throw new Error(`it has ${read} points of ${manifest.points}`);
  } finally {
    await Promise.all([vectors.close(), points.close()]);
  }
  store.freeUnused(manifest.slots, new Set(manifest.dead));
  return indexed;
}

async function factsOf(file: string): Promise<z.infer<typeof fileFacts>> {
  const { size } = await stat(file);
  let sum = 0;
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 20 })) sum = crc32(piece as Buffer, sum);
  return { bytes: size, crc32: sum };
}
