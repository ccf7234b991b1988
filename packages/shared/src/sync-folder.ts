import { open } from 'node:fs/promises';

/** Brings what was moved into or out of a folder to the disk: until then a crash of the machine may undo it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
