/** What has nothing to do with Redis strikes beside any. @type {readonly import('../redis.mjs').RedisKind[]} */
export const everyKind = ['single', 'sentinel', 'cluster'];
