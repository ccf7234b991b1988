/** Abbreviations of a language, in lower case and without their last full stop. */
export interface Abbreviations {
  /** Something always follows: titles, and words such as "for example". */
  readonly open: ReadonlySet<string>;
  /** A number follows; otherwise they may be words that end a sentence. */
  readonly beforeNumber: ReadonlySet<string>;
  /** They may end a sentence, or not. */
  readonly either: ReadonlySet<string>;
}

type Lists = readonly [open: string, beforeNumber: string, either: string];

/** Written for Millrace, from what reference works of each language list as usual. */
const lists: Readonly<Record<string, Lists>> = {
  ca: ['sr sra srs dr dra prof st sta', 'núm pàg pàgs art cap vol fig', 'etc'],
  cs: ['dr mudr judr phdr rndr ing mgr bc prof doc sv tzv např tj resp', 'č čl s str odst obr tab', 'atd apod aj'],
  da: ['dr prof hr fr sct ca f.eks bl.a d.v.s dvs jf', 'nr s kl kap stk bd', 'osv etc m.m m.v m.fl'],
  de: [
    'dr prof dipl ing hr fr st frl mag z.b d.h u.a i.d.r z.t bzw ca evtl ggf inkl exkl zzgl vgl sog bspw geb gest verh insb fa',
    'nr abs art bd s kap abb tab ziff jh',
    'usw etc u.a.m str jr sen co gmbh mio mrd max min',
  ],
  en: [
    `mr mrs ms messrs mx dr prof st mt gen col maj capt cpt lt sgt cpl adm cmdr rev hon pres gov sen rep supt insp det
    vs viz cf e.g i.e eg ie dept approx eds trans univ assn bros messrs fr mlle mme ald amb atty`,
    'no nos fig figs vol vols p pp sec ch art eq ex para pt ref refs tab ver app op cit',
    `inc ltd co corp llc plc etc jr sr al ave blvd rd est ed u.s u.k u.n e.u a.m p.m ph.d m.d b.a m.a b.sc m.sc b.c a.d d.c
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun hr hrs min lb lbs oz ft`,
  ],
  es: [
    'sr sra srta sres dr dra d dña ud uds lic ing prof gral cnel arq p.ej',
    'núm nº pág págs art cap vol fig tel',
    'etc ee.uu a.c d.c s.a avda',
  ],
  fi: ['esim ks ns prof tri mm n', 'nro s klo', 'jne ym yms jms'],
  fr: ['m mm mme mmes mlle dr pr st ste me mgr cf p.ex c.-à-d', 'p pp art vol chap fig n', 'etc av bd'],
  hr: ['dr prof mr ing sv npr tj tzv', 'br str čl', 'itd sl'],
  hu: ['dr prof ifj id özv kb pl ún ill', 'sz', 'stb'],
  it: [
    'sig sigg sig.ra dott dott.ssa prof prof.ssa ing avv on arch geom egr spett s p.es',
    'n pag pagg p art cap vol fig',
    'ecc etc',
  ],
  nl: [
    'dhr mevr mw dr prof ir ing drs mr ds st jhr d.w.z bijv bv ca o.a m.b.t i.p.v t.a.v resp',
    'nr blz art hfdst',
    'enz etc jr e.d',
  ],
  no: ['dr prof hr fr st ca f.eks bl.a dvs d.v.s jf', 'nr s kl kap', 'osv etc m.m m.fl'],
  pl: ['dr prof mgr inż hab św ks ul al gen płk np tzn tzw m.in ok', 'nr s str art ust rys tab', 'itd itp r'],
  pt: ['sr sra srta dr dra prof profa eng exmo exma p.ex', 'núm n pág págs art cap vol fig', 'etc ltda av'],
  ro: ['dl dna d-na dr prof ing sf', 'nr art pag', 'etc'],
  ru: ['ул им проф акад см ср т.е т.н', 'рис стр с п гл ст', 'г гг др т.д т.п руб коп млн млрд тыс'],
  sk: ['dr mudr judr phdr rndr ing mgr bc prof doc sv tzv napr tj resp', 'č čl s str ods obr tab', 'atď apod a.i'],
  sv: ['dr prof hr fr st ca t.ex bl.a d.v.s dvs s.k f.d', 'nr s kl kap', 'osv etc m.m m.fl'],
  tr: ['dr prof doç sn av hz', 'no s', 'vb vs'],
  uk: ['вул ім проф акад див т.зв', 'рис стор с п гл ст', 'р рр ін т.д т.п грн млн млрд тис'],
};

/** Where a number with a full stop is an ordinal, "am 3. Oktober". */
const withOrdinals = new Set([
  'cs',
  'da',
  'de',
  'et',
  'eu',
  'fi',
  'hr',
  'hu',
  'is',
  'lv',
  'no',
  'pl',
  'sk',
  'sl',
  'sr',
  'tr',
]);

const none: Abbreviations = { open: new Set(), beforeNumber: new Set(), either: new Set() };
const known = new Map<string, Abbreviations>();

/** The abbreviations of a language; empty for one that has none here. */
export function abbreviationsOf(language: string | null): Abbreviations {
  if (language === null || !Object.hasOwn(lists, language)) return none;
  const before = known.get(language);
  if (before !== undefined) return before;
  const [open = '', beforeNumber = '', either = ''] = lists[language] ?? [];
  const abbreviations = { open: wordSet(open), beforeNumber: wordSet(beforeNumber), either: wordSet(either) };
  known.set(language, abbreviations);
  return abbreviations;
}

/** Whether "3." may be "third" in a language. */
export function hasOrdinalDots(language: string | null): boolean {
  return language !== null && withOrdinals.has(language);
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/).filter((word) => word !== ''));
}
