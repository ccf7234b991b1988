import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { MillraceError } from '@millrace/shared/errors';
import { modelName } from '@millrace/shared/tasks/inference/model-name';
import { z } from 'zod';
import { type ReadFile, readThrough } from './file-hash.ts';
import { JsonFolder } from './json-folder.ts';
import { type ModelSettings, type OwnSettings, readModelSettings, readOwnSettings } from './model-settings.ts';
import { checkPin, checkPresence, type Pins, readPins } from './pins.ts';
import { chooseWeights, type Dtype, dtypes, isNetwork } from './weights.ts';

/** A model's folder as far as texts are concerned: what its tokenizer needs, without its network. */
export interface ModelTexts {
  readonly name: string;
  /** Where it is. */
  readonly path: string;
  /** config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly settings: ModelSettings;
  /** Whether its files are pinned, and so were found to be the ones that were. */
  readonly pinned: boolean;
  /** SHA-256 of the files that decide about a result, as one. */
  readonly filesHash: string;
}

/** A model's folder whose files were all found and verified. */
export interface ModelFolder extends ModelTexts {
  readonly dtype: Dtype;
  /** Its networks and the files with their weights, by path in the folder. */
  readonly weights: readonly string[];
  /** Bytes of the networks with their weights, and of the files beside them. */
  readonly bytes: { readonly weights: number; readonly rest: number };
  /** Whether several texts may share a forward pass without a change of their results beyond rounding. */
  readonly batches: boolean;
}

/** Where models are, and which one is meant. */
interface Place {
  readonly modelsDir: string;
  readonly model: string;
}

/** Folders in folders that are looked into. */
const deepest = 3;

/**
 * Operators of this name take one scale for the activations of a whole batch, so that a text's result depends on its batch
 * mates (cosine alone and in a batch down to 0.97).
 */
const batchQuantization = 'DynamicQuantize';

/**
 * Finds and verifies a model's files, its network among them.
 * @throws MillraceError MODEL_NOT_AVAILABLE with what is missing, MODEL_DAMAGED with the file that is not the one that was pinned.
 */
export async function openModel(place: Place): Promise<ModelFolder> {
  const seen = await look(place);
  const small = await hashFiles(seen, smallFiles(seen.paths));
  const own = await readOwnSettings(seen.json);
  const { dtype, files } = chooseWeights(seen.paths, own.dtype) ?? refuseWeights(seen.json, own);
  const weights = await hashFiles(seen, files);
  const quantizesBatch = [...weights.values()].some(({ found }) => found);
  return {
    ...(await describe(seen, own, new Map([...small, ...weights]))),
    dtype,
    weights: files,
    bytes: { weights: sumBytes(weights), rest: sumBytes(small) },
    batches: own.batches ?? !quantizesBatch,
  };
}

/** The same without the network, for who only needs its tokenizer. @throws MillraceError as openModel does. */
export async function openModelTexts(place: Place): Promise<ModelTexts> {
  const seen = await look(place);
  const small = await hashFiles(seen, smallFiles(seen.paths));
  return await describe(seen, await readOwnSettings(seen.json), small);
}

interface Seen {
  readonly model: string;
  readonly folder: string;
  readonly json: JsonFolder;
  /** Its files, by their path in it, sorted. */
  readonly paths: readonly string[];
  readonly pins: Pins | undefined;
}

async function look({ modelsDir, model }: Place): Promise<Seen> {
  // The doors have checked the name, but not every caller comes through one.
  if (!modelName.safeParse(model).success) throw noName(model);
  const folder = path.join(modelsDir, model);
  const paths = await listFiles(folder);
  const json = new JsonFolder(model, folder);
  if (!paths.includes('config.json')) throw notThere(model);
  const pins = await readPins(model, folder);
  if (pins !== undefined) checkPresence(model, pins, paths);
  if (!paths.includes('tokenizer.json')) json.refuse('tokenizer.json', 'is not there');
  return { model, folder, json, paths, pins };
}

function noName(model: string): MillraceError {
  return new MillraceError(
    'MODEL_NOT_AVAILABLE',
    `${JSON.stringify(model)} is no name of a model, which is that of a folder.`,
  );
}

/** Why a model that is not below MODELS_DIR cannot be used. */
export function notThere(model: string): MillraceError {
  return new MillraceError(
    'MODEL_NOT_AVAILABLE',
    `There is no model ${model} (no ${model}/config.json) below MODELS_DIR: put it there, or let workers load it from the hub with ALLOW_REMOTE_MODELS.`,
  );
}

async function listFiles(folder: string, below = ''): Promise<string[]> {
  const entries = await readdir(path.join(folder, below), { withFileTypes: true }).catch(() => []);
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  const lists = visible.map(async (entry) => {
    const at = below === '' ? entry.name : `${below}/${entry.name}`;
    if (!(await isFolder(entry, path.join(folder, at)))) return [at];
    return at.split('/').length < deepest ? await listFiles(folder, at) : [];
  });
  return (await Promise.all(lists)).flat().sort();
}

async function isFolder(entry: Dirent, at: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return await stat(at).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Whether a file decides about results beside the networks: settings, vocabularies, templates. */
export function isSmallFile(path: string): boolean {
  return /\.(json|txt|jinja)$/.test(path) && path.split('/').length <= deepest;
}

function smallFiles(paths: readonly string[]): string[] {
  return paths.filter(isSmallFile);
}

/** Reads files through, and holds each against its pin. @throws MillraceError MODEL_NOT_AVAILABLE, MODEL_DAMAGED. */
async function hashFiles({ model, folder, json, pins }: Seen, files: readonly string[]): Promise<Hashed> {
  const read = new Map<string, ReadFile>();
  for (const file of files) {
    const words = isNetwork(file) ? batchQuantization : undefined;
    const found = await readThrough(path.join(folder, file), words).catch((error: Error) =>
      json.refuse(file, `cannot be read: ${error.message}`),
    );
    if (pins !== undefined) checkPin(model, pins, { file, sha256: found.sha256 });
    read.set(file, found);
  }
  return read;
}

type Hashed = ReadonlyMap<string, ReadFile>;

async function describe({ model, folder, json, pins }: Seen, own: OwnSettings, files: Hashed): Promise<ModelTexts> {
  return {
    name: model,
    path: folder,
    config: (await json.read('config.json', z.record(z.string(), z.unknown()))) ?? {},
    settings: await readModelSettings(json, own),
    pinned: pins !== undefined,
    filesHash: hashOf(files),
  };
}

/** Of the lines that sha256sum would write of them. */
function hashOf(files: Hashed): string {
  const hash = createHash('sha256');
  for (const [file, { sha256 }] of files) hash.update(`${sha256}  ${file}\n`);
  return hash.digest('hex');
}

function sumBytes(files: Hashed): number {
  return [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}

function refuseWeights(json: JsonFolder, { dtype }: OwnSettings): never {
  if (dtype !== undefined) json.refuse('onnx/', `has no network of dtype ${dtype}, which millrace.json asks for`);
  return json.refuse('onnx/', `has no model.onnx nor one of ${dtypes.join(', ')}`);
}
