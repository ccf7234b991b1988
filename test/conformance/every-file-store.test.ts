import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DiskStore } from '../../apps/api/src/files/file-stores/disk.ts';
import { S3Store } from '../../apps/api/src/files/file-stores/s3.ts';
import { startS3 } from '../setup/s3-server.ts';
import { mountSmallDisk } from '../setup/small-disk.ts';
import { describeFileStore } from './file-store.ts';

const folders: string[] = [];
function ownFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-store-'));
  folders.push(folder);
  return folder;
}

describeFileStore('A folder', async () => {
  const folder = ownFolder();
  return {
    store: new DiskStore(path.join(folder, 'not-there-yet')),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
});

describeFileStore('A bucket', async () => {
  const { url, keyId, secret, close } = await startS3();
  return { store: new S3Store({ url, keyId, secret, region: 'us-east-1' }), close };
});

async function* megabytes(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(1_000_000);
}

describe('A folder', () => {
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it('is rid of drafts that a dead process left, when they are old enough', async () => {
    const folder = ownFolder();
    const store = new DiskStore(folder);
    await store.put('file', megabytes(1));
    for (const name of ['.draft-old', '.draft-new']) writeFileSync(path.join(folder, name), 'half');
    utimesSync(path.join(folder, '.draft-old'), 1000, 1000);
    expect(await store.clearTorn(Date.now() - 1000)).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(['.draft-new', 'file']);
  });

  it('says that it cannot be written to', async () => {
    const folder = ownFolder();
    writeFileSync(path.join(folder, 'no-folder'), '');
    const store = new DiskStore(path.join(folder, 'no-folder'));
    await expect(store.put('file', megabytes(1))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  const disk = mountSmallDisk();
  it.runIf(disk !== undefined)(
    'that is full keeps what it has, says so, and takes files again when there is room',
    async () => {
      const store = new DiskStore(disk?.folder ?? '');
      try {
        await store.put('first', megabytes(2));
        await expect(store.put('second', megabytes(20))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
        expect(readdirSync(disk?.folder ?? '')).toEqual(['first']);
        expect(await store.size('first')).toBe(2_000_000);
        await store.put('third', megabytes(2));
        expect(await store.size('third')).toBe(2_000_000);
      } finally {
        disk?.unmount();
      }
    },
  );
});

describe('A bucket', () => {
  it('that does not answer is said not to, by whatever was asked', async () => {
    const { url, keyId, secret, stop, close } = await startS3();
    const store = new S3Store({ url, keyId, secret, region: 'us-east-1' });
    await store.put('file', megabytes(1));
    await stop();
    const unavailable = { code: 'STORAGE_UNAVAILABLE' };
    await expect(store.put('other', megabytes(1))).rejects.toMatchObject(unavailable);
    await expect(store.read('file')).rejects.toMatchObject(unavailable);
    await expect(store.size('file')).rejects.toMatchObject(unavailable);
    await expect(store.delete('file')).rejects.toMatchObject(unavailable);
    await close();
  });

  it('refuses a key that is wrong, and says what it answered', async () => {
    const { url, keyId, close } = await startS3();
    const store = new S3Store({ url, keyId, secret: 'wrong', region: 'us-east-1' });
    await expect(store.put('file', megabytes(1))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('403 SignatureDoesNotMatch'),
    });
    await close();
  });
});
