import type { FastifyReply } from 'fastify';

/** Sends a text that is JSON already. */
export function sendJsonText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json').send(text);
}
