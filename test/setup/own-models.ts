import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const bundled = fileURLToPath(new URL('../../models/all-MiniLM-L6-v2', import.meta.url));
const tiny = fileURLToPath(new URL('../models', import.meta.url));

/** A MODELS_DIR of a test's own. */
export class OwnModels {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'millrace-models-'));

  /** The bundled model by a name, without a copy of its bytes. */
  link(name = 'all-MiniLM-L6-v2'): this {
    symlinkSync(bundled, this.place(name));
    return this;
  }

  /** A model whose files may be changed: the bundled one, or one of test/models. */
  copy(name: string, of?: string): this {
    cpSync(of === undefined ? bundled : path.join(tiny, of), this.place(name), { recursive: true });
    return this;
  }

  /** Where a file of a model is. */
  path(model: string, file: string): string {
    return path.join(this.dir, model, file);
  }

  /** Writes a JSON file of a model. */
  write(model: string, file: string, value: unknown): this {
    writeFileSync(this.place(`${model}/${file}`), JSON.stringify(value));
    return this;
  }

  /** Changes one bit of a file. */
  flip(model: string, file: string, at = 50): this {
    const bytes = readFileSync(this.path(model, file));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(this.path(model, file), bytes);
    return this;
  }

  /** Leaves the first bytes of a file, as a copy that broke off does. */
  tear(model: string, file: string, bytes = 200): this {
    truncateSync(this.path(model, file), bytes);
    return this;
  }

  /** Takes a file, or a folder, of a model away. */
  drop(model: string, file: string): this {
    rmSync(this.path(model, file), { recursive: true });
    return this;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  private place(name: string): string {
    const target = path.join(this.dir, name);
    mkdirSync(path.dirname(target), { recursive: true });
    return target;
  }
}
