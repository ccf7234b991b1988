import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import S3rver from '@20minutes/s3rver';

/** A server of a test's own that speaks as S3 does, with one bucket. */
export interface S3Server {
  /** As FILES_S3 has it. */
  readonly url: string;
  readonly keyId: string;
  readonly secret: string;
  /** Breaks off what it is answering, and answers no more until `start`. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function startS3(): Promise<S3Server> {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-s3-'));
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: 'mill' }],
  });
  const { port } = await server.run();
  const stop = async () => {
    server.httpServer.closeAllConnections();
    await server.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${port}/mill/files`,
    keyId: 'S3RVER',
    secret: 'S3RVER',
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
    close: async () => {
      stopped ??= stop();
      await stopped;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
