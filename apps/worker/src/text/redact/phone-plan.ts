import {
  type CountryCode,
  getCountryCallingCode,
  isSupportedCountry,
  Metadata,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';

/** How sure digits are a telephone number: in use in the plan of their country, or of a length that its numbers have. */
export type PhoneCertainty = 'valid' | 'possible' | 'none';

/** Judges digits that begin with a country code, by the metadata of libphonenumber. */
export function judgeInternational(digits: string): PhoneCertainty {
  // Country codes and national numbers together have at most 15 digits (ITU-T E.164); one may be a zero in brackets.
  if (digits.startsWith('0') || digits.length > 16) return 'none';
  const number = parsePhoneNumberFromString(`+${digits}`);
  if (number === undefined) return 'none';
  if (number.isValid()) return 'valid';
  return number.isPossible() ? 'possible' : 'none';
}

/** The numbering plan of a region, as far as numbers are told by it. */
export interface PhonePlan {
  /** The code by which the country is reached from others. */
  readonly countryCode: string;
  /** What is dialled to reach another country, at the beginning of the digits. */
  readonly abroad: RegExp;
  /** Judges digits without a country code, with all that is dialled inside the country. */
  judge(digits: string): PhoneCertainty;
}

const plans = new Map<string, PhonePlan>();

/** The plan of a region. @throws Error for a region without telephone numbers of its own; the door refuses those. */
export function phonePlan(region: string): PhonePlan {
  const known = plans.get(region);
  if (known !== undefined) return known;
  if (!isSupportedCountry(region)) throw new Error(`region ${region} has no telephone numbers of its own`);
  const plan = createPlan(region);
  plans.set(region, plan);
  return plan;
}

function createPlan(region: CountryCode): PhonePlan {
  const metadata = new Metadata();
  metadata.selectNumberingPlan(region);
  const lengths = new Set(metadata.numberingPlan?.possibleLengths());
  const countryCode = getCountryCallingCode(region);
  /** Most digits that stand before or in a national number without being counted: a trunk prefix, the code of a carrier. */
  const mostBefore = 3;
  const fits = ({ length }: string) => {
    for (let before = 0; before <= mostBefore; before += 1) if (lengths.has(length - before)) return true;
    return false;
  };
  return {
    countryCode,
    abroad: new RegExp(`^(?:${metadata.numberingPlan?.IDDPrefix() ?? '00'})(?=[1-9])`),
    judge(digits) {
      if (!fits(digits)) return 'none';
      const number = parsePhoneNumberFromString(digits, { defaultCountry: region, extract: false });
      if (number === undefined || number.countryCallingCode !== countryCode) return 'none';
      if (!number.isValid()) return number.isPossible() ? 'possible' : 'none';
      return isWrittenAtHome(digits, number) ? 'valid' : 'possible';
    },
  };
}

const leastUnformatted = 8;

type PhoneNumber = NonNullable<ReturnType<typeof parsePhoneNumberFromString>>;

/**
 * Whether digits are what people write inside the country: with the prefix that is dialled there wherever it is not left
 * out, and without the country code (but for +1, where both are the same).
 */
function isWrittenAtHome(digits: string, number: PhoneNumber): boolean {
  const { nationalNumber, countryCallingCode } = number;
  if (digits !== nationalNumber)
    return countryCallingCode === '1' || digits !== `${countryCallingCode}${nationalNumber}`;
  const shortest = number.format('NATIONAL', { nationalPrefix: false });
  // Few digits for which the plan has no form of writing are a part of a number, dialled inside a town.
  if (shortest === digits && digits.length < leastUnformatted) return false;
  return shortest.replaceAll(/[^0-9]+/g, '') === digits;
}
