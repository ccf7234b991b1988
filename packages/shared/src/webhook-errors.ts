/** The errors of webhooks; a part of the table in errors.ts, which says what each field means. */
export const webhookErrors = {
  WEBHOOKS_OFF: {
    status: 422,
    retryable: false,
    title: 'Webhooks are off',
    remedy: 'Name the hosts that webhooks may go to in WEBHOOK_HOSTS of the API, or leave `webhook` out.',
  },
} as const;
