import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
// The built module: it loads plugins as a process of Millrace does, past the test runner.
import { loadPlugins } from '@millrace/shared/plugins';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const example = join(root, 'examples/custom-task/reading-time.mjs');
/** A folder outside of Millrace's. */
let outside: string;

beforeEach(() => {
  outside = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-plugin-')));
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

/** Writes a plugin to that folder, with a name of its own, for a module is loaded once. */
function plugin(source: string, name = 'plugin.mjs'): string {
  const file = join(outside, name);
  writeFileSync(file, source);
  return file;
}

/** Makes Millrace's packages known to the folder, as `npm install` of its folder does. */
function install(): void {
  mkdirSync(join(outside, 'node_modules/@millrace'), { recursive: true });
  symlinkSync(join(root, 'packages/shared'), join(outside, 'node_modules/@millrace/shared'));
  symlinkSync(join(root, 'node_modules/zod'), join(outside, 'node_modules/zod'));
}

const imports = `import { defineTaskType } from '@millrace/shared/tasks/define-task-type';
import { defineProcessor, succeeded } from '@millrace/shared/tasks/processor';
import { z } from 'zod';`;
const definition = (changes: string) => `${imports}
export const echo = defineTaskType({
  type: 'text.echo', family: 'text', description: 'Echoes.',
  input: z.strictObject({ text: z.string() }), output: z.object({ text: z.string() }), example: { text: 'a' }, ${changes}
});
export const processor = defineProcessor(echo, { process: async (items) => items.map(succeeded) });`;

async function refusal(...names: string[]): Promise<string> {
  const error = await loadPlugins(names).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(/^MILLRACE_PLUGINS: /) });
  return (error as Error).message;
}

describe('A plugin outside of the folder of Millrace', () => {
  it('is told why its imports are not found, and what to do', async () => {
    const message = await refusal(plugin(definition('')));
    expect(message).toContain("Cannot find package '@millrace/shared");
    expect(message).toContain('keep it below the folder of Millrace, or install @millrace/shared where it is');
  });

  it('loads when the packages are installed there', async () => {
    install();
    const { taskTypes, processors } = await loadPlugins([plugin(definition(''))]);
    expect(taskTypes.map(({ type }) => type)).toEqual(['text.echo']);
    expect(processors.map(({ type }) => type)).toEqual(['text.echo']);
  });
});

describe('A plugin', () => {
  beforeEach(install);

  it('that is not there is told where it was looked for', async () => {
    expect(await refusal('./no-such-plugin.mjs')).toContain(`A file is looked for from ${process.cwd()}`);
    expect(await refusal('no-such-package')).toContain('Install the package beside Millrace');
  });

  it('that throws, or exports nothing of use, says so', async () => {
    expect(await refusal(plugin('throw new Error("the moon is not full");'))).toContain('the moon is not full');
    const message = await refusal(plugin('export const answer = 42;', 'other.mjs'));
    expect(message).toContain('exports neither a task type (defineTaskType) nor a processor');
  });

  it.each([
    [`type: 'text.clean'`, 'The type text.clean is defined twice.'],
    [`type: 'echo'`, 'A type is named family.name, in lower case; echo of family text is not.'],
    [`type: 'vision.see', family: 'vision'`, 'The family of vision.see is vision; there are text, inference, vector.'],
    [`family: 'inference'`, 'text.echo of family inference is not.'],
    [`example: { text: 7 }`, 'The example of text.echo is no input of it: example.text is 7, not a string.'],
    [`input: { safeParse() {} }`, 'The input and output of text.echo must be schemas of zod 4.'],
  ])('with %s is refused at the start', async (changes, message) => {
    expect(await refusal(plugin(definition(changes)))).toContain(message);
  });

  it('needs a processor for each type, and a type for each processor; all is told at once', async () => {
    const first = `${definition('').replace('export const processor', 'const processor')}
export const stray = { type: 'text.stray', process: async () => [] };`;
    const message = await refusal(plugin(first));
    expect(message).toContain('The type text.echo has no processor');
    expect(message).toContain('There is a processor for text.stray, but no such type of a plugin');
  });

  it('of the examples is as it should be, and twice is too often', async () => {
    expect((await loadPlugins([example])).taskTypes).toHaveLength(1);
    const message = await refusal(example, example);
    expect(message).toContain('The type text.reading-time is defined twice.');
    expect(message).toContain('The type text.reading-time has two processors.');
  });
});
