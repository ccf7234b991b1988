import type { Dirent } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';

/** The models below a folder, by name: folders with a config.json, one level deep or two (`org/name`), sorted. */
export async function listModels(modelsDir: string): Promise<string[]> {
  const top = await subfolders(modelsDir);
  const nested = await Promise.all(
    top.map(async (org) => (await subfolders(path.join(modelsDir, org))).map((name) => `${org}/${name}`)),
  );
  const names = [...top, ...nested.flat()];
  const isModel = await Promise.all(names.map((name) => exists(path.join(modelsDir, name, 'config.json'))));
  return names.filter((_, index) => isModel[index]).sort();
}

async function subfolders(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name);
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
