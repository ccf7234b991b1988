/** @param {string} text */
const list = (text) => text.trim().split(/\s+/);

/** One WordPiece token each, so that exchanging them changes a text but not its length. */
export const firstNames = list(`
  Anna Peter Maria Thomas Laura David Sarah Martin Helen Robert Julia Daniel Emma Simon Alice Victor Clara Oscar Irene
  Felix Rosa Hugo Nora Paul Ruth Adam Grace Frank Jane Henry Lucy George`);
export const lastNames = list(`
  Brown Carter Walker Cooper Fisher Hunter Mason Parker Turner Miller Baker Taylor Clark Lewis Young Scott Green Hill Wood
  Stone Reed Marsh Brook Field Rivers Banks Lake Forest Bell Bishop King Knight`);

export const nouns = list(`
  river village teacher engine letter garden market bridge doctor window farmer harbour machine library morning student
  company mountain kitchen government question answer winter summer journey history science computer language customer
  station hospital building weather captain engineer neighbour committee argument experiment afternoon newspaper
  philosopher carpenter lighthouse waterwheel millrace reservoir archipelago parliament orchestra laboratory merchant
  invoice refund warranty shipment deadline spreadsheet password update server battery screen keyboard cable manual
  bicycle umbrella blanket potato cinnamon porcelain photograph telescope thermometer gravity molecule enzyme glacier
  earthquake drought harvest meadow squirrel nightingale salmon oak limestone granite copper velvet leather`);

export const verbs = list(`
  carried opened followed watched repaired described remembered built crossed sold found measured answered painted lifted
  explained delivered questioned replaced visited counted filled emptied promised refused translated compared examined
  borrowed returned polished weighed calculated postponed inspected dismantled reconsidered misunderstood photographed
  published cancelled recommended protected abandoned discovered negotiated supervised restored irrigated`);

export const adjectives = list(`
  old new small large quiet heavy bright dark narrow wide early late simple careful broken famous cheap expensive honest
  curious wooden golden foreign local ancient modern empty crowded dangerous peaceful enormous delicate unexpected
  translucent meticulous reluctant picturesque indispensable seasonal provisional northern distant faithful weary`);

export const adverbs = list(`
  slowly quickly often never always almost again together nearly quietly suddenly usually hardly cheerfully reluctantly
  deliberately occasionally unanimously`);

export const prepositions = list(
  'near behind under over between before after without across against beside through around beyond',
);
export const joints = list('and but because although while until so when before unless');
