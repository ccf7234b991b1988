import { cardDetector } from './card.ts';
import { credentialsDetector } from './credentials.ts';
import type { Detector } from './detector.ts';
import { emailDetector } from './email.ts';
import { ibanDetector } from './iban.ts';
import { ipDetector } from './ip.ts';
import { macDetector } from './mac.ts';
import { phoneDetector } from './phone.ts';
import { secretDetector } from './secret.ts';
import { ssnDetector } from './ssn.ts';

/**
 * The detectors that go before all others, whatever the length of a finding: what they find is a secret as a whole, and what
 * looks like an address or a number in it is part of the secret.
 */
export const enclosing: readonly Detector[] = [secretDetector, credentialsDetector];

/** The other detectors. Of findings that overlap the longest wins; of the same length the one whose detector stands first. */
export const detectors: readonly Detector[] = [
  ibanDetector,
  cardDetector,
  macDetector,
  ipDetector,
  ssnDetector,
  emailDetector,
  phoneDetector,
];
