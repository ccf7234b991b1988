import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, errorTable, MillraceError } from '@millrace/shared/errors';
import { problemOf, problemType } from '../problem.ts';

/** Node's words for what went wrong before there was a request. */
const known: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** Answers bytes that are no request, or one that never came to its end, and hangs up: what follows on that connection is nobody's. */
export function answerNoRequest(error: Error & { code?: string }, socket: Socket): void {
  // Whoever is gone hears nothing more, nor who is in the middle of another answer: Node keeps that one there.
  const { _httpMessage: answering } = socket as { _httpMessage?: { headersSent: boolean } | null };
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) {
    socket.destroy();
    return;
  }
  const code = known[error.code ?? ''] ?? 'INVALID_HTTP';
  const { status } = errorTable[code];
  const body = JSON.stringify(
    problemOf(new MillraceError(code, `Refused before it was read whole: ${error.message}.`)),
  );
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
