import { readFileSync } from 'node:fs';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { parseTask } from '@millrace/shared/tasks/parse';
import { phoneRegions } from '@millrace/shared/tasks/text/phone-regions';
import { getCountries, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, it } from 'vitest';
import { fold } from '../src/text/redact/fold.ts';
import { ibanFormats } from '../src/text/redact/iban-formats.ts';
import { foundIn } from './redact-texts.ts';

const ibans = readFileSync(new URL('../../../quality/data/iban-examples.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

/** Ascension and its like have numbers of four to six digits: too few to tell in a text. */
const leastDigits = 7;

describe('The plans that numbers are told by', () => {
  it('has every region of the metadata, and no other', () => {
    expect([...phoneRegions]).toEqual([...getCountries()].sort());
  });

  it.each(getCountries())('finds the telephone numbers of %s, abroad and at home', async (region) => {
    const number = getExampleNumber(region, examples);
    if (number === undefined) throw new Error(`there is no example for ${region}`);
    for (const written of [number.number, number.formatInternational()]) {
      expect(await foundIn(`Call ${written}, please.`)).toEqual([`phone ${written}`]);
    }
    if (number.nationalNumber.length < leastDigits || region === 'SC') return;
    const atHome = number.formatNational();
    expect(await foundIn(`Call ${atHome}, please.`, { region })).toEqual([`phone ${atHome}`]);
  });

  it.each(ibans)('finds the account number %s in every form', async (iban) => {
    const inFours = iban.match(/.{1,4}/g) ?? [];
    for (const written of [iban, inFours.join(' '), inFours.join('\u00a0'), inFours.join('-').toLowerCase()]) {
      expect(await foundIn(`It is ${written}.`)).toEqual([`iban ${written}`]);
    }
    expect(await foundIn(`It is ${iban}7.`)).toEqual([]);
  });

  it('knows the form of account numbers in 111 countries, all within the bound of ISO 13616', () => {
    expect(ibanFormats.size).toBe(111);
    for (const format of ibanFormats.values()) expect(format).toMatch(/^[nac]{11,30}$/);
  });

  it('reads the digits of every script', () => {
    const digit = /^\p{Nd}$/u;
    let row = '';
    for (let point = 0x80; point < 0x20000; point += 1) {
      const character = point >= 0xd800 && point <= 0xdfff ? '' : String.fromCodePoint(point);
      if (digit.test(character)) row += character;
    }
    const { text } = fold(row);
    expect(text).toBe('0123456789'.repeat(text.length / 10));
    expect(text.length).toBeGreaterThan(600);
  });

  it('refuses a region without numbers of its own, and kinds that are none or named twice', () => {
    const door = { catalog: createCatalog() };
    const parse = (input: object) => parseTask(door, { type: 'text.redact', input: { texts: ['a'], ...input } });
    expect(() => parse({ region: 'UK' })).toThrow('a region with telephone numbers of its own, such as GB');
    expect(() => parse({ region: 'gb' })).toThrow('two capital letters of ISO 3166-1');
    expect(() => parse({ kinds: [] })).toThrow('at least 1 entry');
    expect(() => parse({ kinds: ['name'] })).toThrow('one of "email"');
    expect(() => parse({ kinds: ['ip', 'ip'] })).toThrow('each kind once');
    expect(parse({ kinds: ['ip'], region: 'GB' }).input).toEqual({ texts: ['a'], kinds: ['ip'], region: 'GB' });
  });
});
