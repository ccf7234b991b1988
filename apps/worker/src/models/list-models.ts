import type { Dirent } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { pinFile } from './pins.ts';

/** A model that is there. */
export interface ListedModel {
  readonly name: string;
  /** Whether its folder pins its files; whether they are the ones is seen when it is loaded. */
  readonly pinned: boolean;
}

/** The models below a folder: folders with a config.json, one level deep or two (`org/name`), by name. */
export async function listModels(modelsDir: string): Promise<ListedModel[]> {
  const top = await subfolders(modelsDir);
  const found = await Promise.all(
    top.map(async (name) => {
      if (await isModel(modelsDir, name)) return [name];
      // Only where there is none itself: folders in a model are parts of it, and may have a config.json too.
      const names = (await subfolders(path.join(modelsDir, name))).map((own) => `${name}/${own}`);
      const models = await Promise.all(names.map((own) => isModel(modelsDir, own)));
      return names.filter((_, index) => models[index]);
    }),
  );
  return await Promise.all(
    found
      .flat()
      .sort()
      .map(async (name) => ({ name, pinned: await exists(path.join(modelsDir, name, pinFile)) })),
  );
}

async function isModel(modelsDir: string, name: string): Promise<boolean> {
  return await exists(path.join(modelsDir, name, 'config.json'));
}

async function subfolders(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  // Hidden ones are no models: what comes from the hub is put together in one.
  return folders.map(({ name }) => name).filter((name) => !name.startsWith('.'));
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
