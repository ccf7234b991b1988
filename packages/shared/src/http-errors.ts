/** What only the HTTP side answers, because of who asks and how often; a part of the table in errors.ts. */
export const httpErrors = {
  HOST_NOT_ALLOWED: {
    status: 403,
    retryable: false,
    title: 'This API does not answer to that host name',
    remedy: 'Use http://127.0.0.1 or http://localhost, or name the host in ALLOWED_HOSTS.',
  },
  INVALID_HTTP: {
    status: 400,
    retryable: false,
    title: 'These bytes are no HTTP request',
    remedy: 'Send HTTP/1.1 with one length of the body; what the address and headers may not have must be encoded.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    retryable: false,
    title: 'The address and the headers are too large',
    remedy: 'Keep them below 16 KiB together; long values go into the body.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    retryable: true,
    title: 'The request did not come to its end',
    remedy: 'Send the headers within 20 seconds and all of it within ten minutes, without standing still for two.',
  },
  RATE_LIMITED: {
    status: 429,
    retryable: true,
    title: 'Too many requests with this key',
    remedy:
      'Send it again after Retry-After seconds; many tasks in one request (POST /v1/tasks/bulk) count as one. RATE_LIMIT is the bound.',
  },
} as const;
