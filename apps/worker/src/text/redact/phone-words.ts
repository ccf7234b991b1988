/** Words that say that a telephone number follows, without accents and in small letters. */
const words = [
  'telephone|telephon|telefon|telefono|telefone|telefoon|telefoni|telefonnummer|telefoonnummer|tele|tel|tlf|tlfn|phone|phones|fon|ph',
  'mobile|mobil|mobiel|mobilnummer|movil|celular|cellulare|cellular|cell|cel|handy|handynummer|gsm|komorka|mob',
  'fax|telefax|telecopie|hotline|helpline|whatsapp|durchwahl|rufnummer',
  'тел|телефон|моб|мобильный|звоните|факс|τηλ|τηλεφωνο|κινητο|电话|電話|手机|手機|携帯|传真|전화|휴대폰|هاتف|جوال|تلفون|טלפון|נייד|फ़ोन|मोबाइल|โทร|điện thoại',
].join('|');

/** How far before a number the word may stand, in characters. */
const reach = 32;
/** The word, perhaps with what usually stands between it and the number. */
const wordAtEnd = new RegExp(
  `(?:^|[^\\p{L}])(?:${words})(?:[_-]?(?:number|nummer|numero|num|nr|no|n°))?s?["'.]{0,2}(?: ?(?:number|numbers|nr|no|n°)\\.?)?(?: (?:is|at|on|ist|est))?["']?[\\s:.=#"'({>-]{0,5}$`,
  'iu',
);
/** Scripts without spaces put the number right behind any word of the sentence. */
const spacelessWordAtEnd = /(?:电话|電話|手机|手機|携帯|传真|请拨打|致电|전화|โทร)[^0-9\n]{0,8}$/u;

/** Whether what is before a place says that a telephone number follows. */
export function isBehindPhoneWord(text: string, index: number): boolean {
  const before = text.slice(Math.max(0, index - reach), index);
  return wordAtEnd.test(before.normalize('NFD').replaceAll(/[\u0300-\u036f]/g, '')) || spacelessWordAtEnd.test(before);
}

/** Words that say that another number follows: of an order, a version, an amount. */
const otherWords = [
  'order|invoice|ticket|case|issue|refs?|reference|account|acct|konto|sku|isbn|issn|ean|upc|gtin|asin|imei|serial|article|item|part|parcel',
  'tracking|customer|policy|booking|transaction|txn|batch|lot|zip|plz|vat|rfc|iso|error|code|version|build|size|bytes|uid|pid|timestamp',
  'epoch|total|amount|price|sum|max-age|ids?|(?:kunden|bestell|rechnungs?|auftrags?|artikel|konto|steuer)-?(?:nummer|nr)',
].join('|');

const otherAtEnd = new RegExp(
  `(?:#|(?:^|[^A-Za-z])(?:[a-z]{1,16}[_-])?(?:${otherWords})(?:[_-]?(?:id|no|nr|num|number|code))?\\.?(?: ?(?:number|nummer|no|nr|id)\\.?)?)[\\s:=."'#-]{0,4}$`,
  'i',
);

/** Whether what is before a place says that another number follows: of an order, an invoice, a version. */
export function isBehindOtherWord(text: string, index: number): boolean {
  return otherAtEnd.test(text.slice(Math.max(0, index - reach), index));
}
