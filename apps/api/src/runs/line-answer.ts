import type { MillraceError } from '@millrace/shared/errors';
import { openAiErrorOf, openAiStatus } from '../openai/openai-error.ts';
import type { RunLine } from './run-line.ts';

/**
 * Lines of the output and the error file. Nothing in them depends on when or by whom they were made, nor on the run: the same input
 * gives the same bytes. Even their ids are made of the line that they answer.
 */

/** The line of an output file for a request that was answered; `body` is JSON. */
export function answerLine(line: RunLine, body: string): string {
  return `${head(line)}"response":${response(line, 200, body)},"error":null}\n`;
}

/** The line of an error file for a request that failed. */
export function failureLine(line: RunLine, error: MillraceError): string {
  const body = JSON.stringify(openAiErrorOf(error));
  return `${head(line)}"response":${response(line, openAiStatus(error.code), body)},"error":null}\n`;
}

/** The line of an error file for a request whose turn never came. */
export function expiredLine(line: RunLine): string {
  const error = {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  };
  return `${head(line)}"response":null,"error":${JSON.stringify(error)}}\n`;
}

function head({ digest, customId }: RunLine): string {
  return `{"id":"batch_req_${digest}","custom_id":${JSON.stringify(customId)},`;
}

function response({ digest }: RunLine, status: number, body: string): string {
  return `{"status_code":${status},"request_id":"req_${digest}","body":${body}}`;
}
