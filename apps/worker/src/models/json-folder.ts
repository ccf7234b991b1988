import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { MillraceError } from '@millrace/shared/errors';
import type { z } from 'zod';

/** The JSON files of a model's folder. */
export class JsonFolder {
  readonly model: string;
  private readonly folder: string;

  constructor(model: string, folder: string) {
    this.model = model;
    this.folder = folder;
  }

  /**
   * A file, checked; undefined when it is not there.
   * @throws MillraceError MODEL_NOT_AVAILABLE with its name when it is no JSON or not as it should be.
   */
  async read<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const text = await readFile(path.join(this.folder, file), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const parsed = schema.safeParse(parseJson(text) ?? this.refuse(file, 'is not JSON'));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return this.refuse(file, `${issue?.path.join('.') ?? ''}: ${issue?.message}`);
  }

  /** @throws MillraceError MODEL_NOT_AVAILABLE. */
  refuse(file: string, reason: string): never {
    throw new MillraceError('MODEL_NOT_AVAILABLE', `Model ${this.model} does not load: ${file}: ${reason}`);
  }
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
