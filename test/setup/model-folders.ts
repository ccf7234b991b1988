import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A temporary MODELS_DIR with the models that come with Millrace and the tiny ones of the tests. */
export interface ModelFolders {
  readonly dir: string;
  remove(): void;
}

export function linkAllModels(): ModelFolders {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  for (const folder of ['../../models/', '../models/']) {
    const from = fileURLToPath(new URL(folder, import.meta.url));
    for (const entry of readdirSync(from, { withFileTypes: true }))
      if (entry.isDirectory()) symlinkSync(join(from, entry.name), join(dir, entry.name));
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
