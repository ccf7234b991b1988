import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MillraceError } from '@millrace/shared/errors';
import { isSmallFile } from '../model-folder.ts';
import { pinFile } from '../pins.ts';
import { chooseWeights, dtypes } from '../weights.ts';
import type { Hub, HubFile } from './hub.ts';

/** Below MODELS_DIR, where a model is put together before it is one. */
export const incoming = '.incoming';

interface Download {
  readonly hub: Hub;
  readonly modelsDir: string;
  readonly model: string;
}

/**
 * Brings a model from the hub below MODELS_DIR: settings, tokenizer and one kind of ONNX file. Each file is held against what the
 * hub says of it, and pinned by what it is. The folder appears whole or not at all, so several workers may do this at once.
 * @throws MillraceError MODEL_NOT_AVAILABLE with the reason.
 */
export async function downloadModel({ hub, modelsDir, model }: Download): Promise<{ readonly bytes: number }> {
  const files = chooseFiles(model, await hub.list(model));
  const folder = path.join(modelsDir, incoming, `${model.replaceAll('/', '--')}.${randomBytes(6).toString('hex')}`);
  try {
    const pins: string[] = [];
    for (const file of files) pins.push(`${await save({ hub, model, folder }, file)}  ${file.path}\n`);
    await writeFile(path.join(folder, pinFile), pins.join(''));
    await publish(folder, path.join(modelsDir, model));
    return { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    const reason = `cannot be written below MODELS_DIR: ${(error as Error).message}`;
    throw new MillraceError('MODEL_NOT_AVAILABLE', `Model ${model} ${reason}.`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a model needs of all that the hub has of it. */
function chooseFiles(model: string, there: readonly HubFile[]): HubFile[] {
  const weights = chooseWeights(there.map((file) => file.path));
  if (weights !== undefined) return there.filter((file) => isSmallFile(file.path) || weights.files.includes(file.path));
  throw new MillraceError(
    'MODEL_NOT_AVAILABLE',
    `Model ${model} has no onnx/model.onnx on the hub, nor one of ${dtypes.join(', ')}: it is not made for transformers.js.`,
  );
}

interface Target {
  readonly hub: Hub;
  readonly model: string;
  readonly folder: string;
}

/** Writes a file through to the disk. Gives its SHA-256. */
async function save({ hub, model, folder }: Target, { path: name, bytes, sha256 }: HubFile): Promise<string> {
  const target = path.join(folder, name);
  if (!target.startsWith(folder + path.sep)) throw new Error(`${name} is a path out of the model`);
  await mkdir(path.dirname(target), { recursive: true });
  const file = await open(target, 'wx');
  const hash = createHash('sha256');
  let written = 0;
  try {
    for await (const piece of hub.read(model, name)) {
      hash.update(piece);
      written += piece.byteLength;
      await file.writeFile(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const found = hash.digest('hex');
  if (written !== bytes) throw torn(model, name, `it has ${written} bytes, not ${bytes}`);
  if (sha256 !== undefined && found !== sha256) throw torn(model, name, `its SHA-256 is ${found}, not ${sha256}`);
  return found;
}

function torn(model: string, file: string, reason: string): MillraceError {
  return new MillraceError(
    'MODEL_NOT_AVAILABLE',
    `Model ${model}: ${file} did not come whole from the hub: ${reason}.`,
  );
}

/** Another worker may have been faster; its folder is as good. */
async function publish(folder: string, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  try {
    await rename(folder, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
