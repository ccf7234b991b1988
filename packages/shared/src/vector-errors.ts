/** The errors of collections; a part of the table in errors.ts, which says what each field means. */
export const vectorErrors = {
  COLLECTION_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such collection',
    remedy: 'PUT /v1/collections/{name} creates it; GET /v1/collections lists those that exist.',
  },
  POINT_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such point',
    remedy: 'Check the id; a point that was deleted is not there any more.',
  },
  COLLECTION_DIFFERS: {
    status: 409,
    retryable: false,
    title: 'The collection exists with other settings',
    remedy: 'Use another name, or DELETE the collection first: its points go with it.',
  },
  COLLECTION_MISMATCH: {
    status: 409,
    retryable: false,
    title: 'The vectors do not suit the collection',
    remedy: 'Use the model that the collection was filled with, or fill another collection.',
  },
  COLLECTION_TOO_LARGE: {
    status: 507,
    retryable: true,
    title: 'The collection does not fit into the memory of a worker',
    remedy: 'Raise VECTOR_MEMORY of the workers, or spread the points over several collections.',
  },
  COLLECTION_CHANGED: {
    status: 409,
    retryable: true,
    title: 'The collection was dropped and made anew meanwhile',
    remedy: 'Send it again.',
  },
  VERSION_NOT_REACHED: {
    status: 409,
    retryable: true,
    title: 'The collection has no such version yet',
    remedy: 'Use the version that an upsert or delete gave; a collection that was made anew counts from 0.',
  },
} as const;
