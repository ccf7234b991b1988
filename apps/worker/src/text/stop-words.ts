/**
 * Function words by language: articles, pronouns, prepositions, conjunctions, auxiliaries. They say nothing about what a text
 * is about, and a sentence often begins with one. Written for Millrace; a language that is not here has none.
 */
const lists: Readonly<Record<string, string>> = {
  ar: `في من على إلى الى عن مع هذا هذه ذلك تلك التي الذي الذين هو هي هم هما أنا نحن أنت كان كانت يكون تكون أن إن ان لا ما لم لن
    قد كل بعض غير بين عند عندما حيث بعد قبل كما لكن أو ثم أي كيف ماذا لماذا متى أين هناك هنا فقط أيضا حتى منذ خلال حول ضد لأن إذا لو
    بل ليس ليست وهو وهي وقد ولا وفي ومن وعلى وأن فيه فيها به بها له لها لهم عليه عليها منه منها إليه إليها تم يتم`,
  bg: `и в във на за от с със по при до към без над под пред след между през че да не ни се си е са съм беше бяха бъде ще би но или а
    ако как какво който която което които кой къде кога защо този тази това тези онзи той тя то те аз ти ние вие му му й им ги го я ме
    те нас вас него нея тях мой твой негов неин наш ваш техен много малко още вече само също така тук там когато докато като все един
    една едно някой няма има имат може трябва обаче`,
  ca: `el la els les un una uns unes i o però que de del dels a al als en amb per pel pels sense sobre entre fins des és són era eren
    ser estar està estan ha han havia hi ho es se li em et ens us seu seva seus seves meu meva teu aquest aquesta aquests aquestes
    això aquell aquella qui què com quan on perquè si no ni més molt molta poc també ja encara només tot tota tots totes jo tu ell
    ella nosaltres vosaltres ells elles`,
  cs: `a i v ve na z ze s se k ke o od do po pro při před přes za nad pod mezi bez u že aby ale nebo ani však když pokud protože co
    kdo kde kdy jak proč který která které kteří ten ta to ti ty tento tato toto tyto tom tomu toho já ty on ona ono my vy oni jeho
    její jejich můj tvůj náš váš svůj si mu ho ji jí jim je jsem jsi jsme jste jsou byl byla bylo byli být bude budou by bych není
    má mají může mohou musí už ještě jen také tak tam tady zde velmi více všechny všechno každý jako než i tedy`,
  da: `og i jeg det at en et den til er som på de med han af for ikke der var mig sig men har om vi min havde ham hun nu over da fra du
    ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind når være dog noget ville jo deres efter ned
    skulle denne dette disse end under også have hende blive mange hver så kan bliver meget ingen kun vores jer dig hendes mit din
    dit hvis fordi mens uden mellem samt ved må hos igen endnu`,
  de: `der die das den dem des ein eine einen einem einer eines und oder aber doch denn sondern als wie wenn weil dass daß ob obwohl
    damit bevor nachdem während in im an am auf aus bei beim mit nach seit von vom zu zum zur für durch gegen ohne um über unter vor
    hinter neben zwischen bis ich du er sie es wir ihr mich dich sich uns euch mir dir ihm ihn ihnen mein meine dein sein seine
    seinen seiner ihre ihren ihrem ihrer unser unsere euer dieser diese dieses diesen diesem jener jene welche welcher welches wer
    was wo wann warum wieso ist sind war waren bin bist seid sein gewesen wird werden wurde wurden worden hat haben hatte hatten
    habe kann können konnte könnte muss müssen soll sollen sollte will wollen darf mag nicht kein keine keinen auch noch nur schon
    sehr so dann da hier dort man alle alles viel viele mehr etwas nichts nun also jedoch immer wieder bereits dabei dazu daher
    dafür damals zudem sowie etwa bzw je pro selbst`,
  el: `ο η το οι τα του της των τον την τους τις ένας μια μία ένα και κι ή αλλά όμως που πως ότι να θα δεν μη μην σε στο στη στην στον
    στα στους στις στης από με για προς κατά μετά πριν χωρίς μεταξύ πάνω κάτω ως αν όταν γιατί επειδή ενώ όπως όσο είναι ήταν είμαι
    είσαι είμαστε έχει έχουν είχε είχαν εγώ εσύ αυτός αυτή αυτό αυτοί αυτές αυτά εμείς εσείς μου σου μας σας τι ποιος ποια ποιο πού
    πότε πώς πολύ πιο μόνο επίσης ακόμα ακόμη ήδη εδώ εκεί κάθε όλα όλοι όλες άλλο μπορεί πρέπει`,
  en: `a an the this that these those there here i me my mine myself we us our ours you your yours he him his she her hers it its they
    them their theirs who whom whose which what when where why how and or but nor so yet if then else because as until while
    although though since unless whether of at by for with without about against between into through during before after above
    below to from up down in out on off over under again further once upon within across along among around behind beyond near
    toward towards per via than too very just only also even still already ever never always often now not no yes none each every
    either neither both all any some many much more most less least few several other another such own same am is are was were be
    been being have has had having do does did doing done will would shall should can could may might must ought cannot let lets
    got get gets one ones however therefore thus hence meanwhile moreover furthermore nevertheless instead perhaps maybe quite
    rather almost
    isn't aren't wasn't weren't don't doesn't didn't won't wouldn't can't couldn't shouldn't haven't hasn't hadn't
    i'm i've i'll i'd you're you've you'll you'd he's he'd he'll she's she'd she'll it's it'll we're we've we'll they're they've
    they'll that's there's what's who's let's`,
  es: `el la los las un una unos unas lo y e o u pero sino que de del a al en con por para sin sobre entre hasta desde según contra
    tras ante bajo durante mediante si no ni más muy mucho mucha muchos muchas poco también ya aún todavía solo sólo como cuando
    donde porque pues aunque mientras quien quienes cual cuales cuyo qué quién cuál cómo cuándo dónde yo tú él ella ello nosotros
    vosotros ellos ellas usted ustedes me te se nos os le les mi mis tu tus su sus nuestro nuestra nuestros nuestras mío tuyo suyo
    este esta esto estos estas ese esa eso esos esas aquel aquella aquello es son era eran fue fueron ser sido soy eres somos está
    están estaba estar ha han había haber he hay tiene tienen tenía puede pueden debe todo toda todos todas otro otra otros otras
    cada algo alguno alguna algunos nada tan tanto así entonces luego además`,
  fi: `ja tai että mutta vaan sekä kun jos koska vaikka kuin niin myös on ovat oli olivat olla ole ollut olen olet olemme ei en et
    emme ette eivät minä sinä hän me te he se ne tämä tuo nämä nuo joka jotka jonka jota jossa mikä mitä kuka missä mistä mihin
    milloin miten miksi minun sinun hänen meidän teidän heidän sen niiden tämän tässä siitä sitä siinä siihen niitä sille hän hänet
    minut sinut kanssa ilman ennen jälkeen aikana kautta mukaan vastaan yli alle vielä jo vain nyt sitten siellä täällä hyvin
    kaikki kaikkien muut muu joku jokin voi voivat voidaan saa pitää tulee`,
  fr: `le la les l un une des du de d et ou mais donc or ni car que qui quoi dont où quand comme si lorsque puisque parce afin à au aux
    en dans sur sous par pour avec sans entre vers chez contre depuis pendant avant après jusque jusqu selon ne pas plus moins très
    aussi encore déjà bien peu trop tout toute tous toutes même autre autres chaque quelque quelques certain certains aucun aucune
    je j tu il elle on nous vous ils elles me m te t se s lui leur leurs mon ma mes ton ta tes son sa ses notre nos votre vos ce c
    cet cette ces cela ça ceci celui celle ceux celles est sont était étaient être été suis es sommes êtes sera seront serait a ai
    as ont avons avez avait avaient avoir eu aura fait faire peut peuvent doit n y qu ainsi alors puis cependant toutefois lors
    combien comment pourquoi là ici`,
  he: `את של על אל עם מן מ ב ל ה ו ש כי גם או אבל אך אם לא כן אין יש היה היתה הייתה היו יהיה להיות הוא היא הם הן אני אתה אנחנו אתם זה
    זו זאת אלה אלו מה מי איך איפה מתי למה מדוע כאשר כש כמו יותר פחות מאוד רק עוד כבר כל כולם אחד אחת אותו אותה אותם לו לה להם לי לך
    לנו שלו שלה שלהם שלי שלך שלנו בו בה בין עד אחרי לפני תחת בלי כדי לכן אז שם פה כאן ידי היום`,
  hi: `का की के को में से पर ने और या है हैं था थी थे हो होता होती होते हुआ हुई हुए कर करने करता करते करना किया गया गई गए जा जाता जाती
    जाते रहा रही रहे यह ये वह वे इस इन उस उन मैं हम तुम आप मेरा मेरी मेरे हमारा तुम्हारा आपका अपना अपनी अपने उसका उसकी उनके इसके जो जिस
    जिन कि क्या कौन कहाँ कब कैसे क्यों नहीं न मत भी ही तो तक साथ लिए बाद पहले बीच द्वारा एक कुछ सब सभी बहुत अधिक कम अब तब यहाँ वहाँ अगर
    लेकिन परन्तु क्योंकि जब मुझे उसे उन्हें हमें`,
  hr: `i u na za od s sa po pri do k ka iz bez nad pod pred prema kroz da ne se je su sam si smo ste bio bila bilo bili biti će bi ali
    ili a ako kako što tko koji koja koje kojih gdje kada zašto ovaj ova ovo ovi onaj ona ono on oni ja ti mi vi mu ga im ih ju joj
    moj tvoj njegov njezin naš vaš njihov svoj više vrlo već još samo također tako tu tamo kao sve svi jedan jedna neki nije nisu
    ima imaju može mogu treba jer dok`,
  hu: `a az egy és vagy de hogy ha mert mint is nem sem ne már még csak meg el ki be fel le át rá van vannak volt voltak lesz lenne
    lett lehet kell én te ő mi ti ők ez azt ezt ezek azok ami amely aki akik amit amikor ahol ahogy mit ki hol mikor hogyan miért
    minden mindig nagyon több sok kevés más olyan ilyen így úgy itt ott most majd után előtt alatt között szerint által nélkül
    felett mellett pedig azonban tehát illetve valamint saját neki nekem őt engem minket`,
  ms: `yang dan di ke dari untuk dengan pada ini itu adalah tidak akan dalam oleh juga sudah saya kami kita anda dia mereka ia atau
    tetapi karena jika ketika sebagai seperti lebih sangat hanya masih telah dapat bisa harus ada bahwa para sebuah seorang satu
    antara sampai setelah sebelum tentang kepada lagi maka namun`,
  it: `il lo la i gli le l un uno una e ed o ma se che chi cui non di del dello della dei degli delle a ad al allo alla ai agli alle da
    dal dallo dalla dai dagli dalle in nel nello nella nei negli nelle su sul sullo sulla sui sugli sulle con per tra fra senza
    sotto sopra dopo prima durante contro verso fino io tu lui lei noi voi loro mi ti si ci vi ne me te mio mia tuo tua suo sua
    suoi sue nostro nostra vostro questo questa questi queste quello quella quelli quelle quel è sono era erano essere stato stata
    sei siamo siete sarà fu ha hanno ho hai abbiamo aveva avere fatto fare può possono deve come quando dove perché quanto quale
    quali anche ancora già più meno molto molti poco solo così poi ogni tutto tutta tutti tutte altro altri alcuni niente nulla
    qui lì mentre però dunque quindi infatti c d dell all nell sull dall`,
  ja: `の に は を た が で て と し れ さ ある いる も する から な こと として い や れる など なっ ない この ため その あっ よう また もの という あり まで られ
    なる へ か だ これ によって により おり より による ず なり られる において ば なかっ なく しかし について せ だっ その後 できる それ う ので なお のみ でき き
    つ における および いう さらに でも ら たり その他 に関する たち ます ん なら に対して です ました でした ません ください そして それら ここ そこ どこ だれ 何
    私 彼 彼女 我々 あなた`,
  ko: `이 그 저 것 수 등 및 또는 그리고 그러나 하지만 그래서 또한 는 은 가 을 를 의 에 에서 으로 로 와 과 도 만 부터 까지 하다 있다 없다 있는 없는 하는 한
    할 했다 있었다 이다 아니다 되다 된 되는 나 너 우리 그는 그녀는 나는 내가 우리는 이것 그것 저것 이런 그런 저런 어떤 무엇 누구 언제 어디 왜 어떻게 더 매우
    아주 많은 모든 다른 같은 위해 위한 대한 대해 통해 따라 때문에 때 중 후 전`,
  nl: `de het een en of maar want dus dat die dit deze in op aan van voor met naar bij uit over onder tegen tussen door tot te om als
    dan toen terwijl omdat hoewel zodat ik jij je hij zij ze wij we jullie u mij me jou hem haar hen hun ons onze mijn jouw zijn is
    was waren ben bent wordt worden werd werden geweest heeft hebben had hadden heb kan kunnen kon zou zouden zal zullen moet
    moeten mag wil niet geen wel ook nog al maar slechts zeer heel veel meer minder alle alles iets niets men er hier daar waar
    wanneer waarom hoe wie wat welke welk zich elkaar zelf zo nu reeds weer toch echter na sinds zonder volgens per`,
  no: `og i jeg det at en et den til er som på de med han av for ikke der var meg seg men har om vi min hadde ham hun nå over da fra du
    ut sin dem oss opp man hans hvor eller hva skal selv her alle vil ble kunne inn når være noe ville jo deres etter ned skulle
    denne dette disse enn under også ha henne bli mange hver så kan blir mye ingen bare vår våre dere deg hennes mitt din ditt hvis
    fordi mens uten mellom samt ved må hos igjen ennå ei eit ikkje frå`,
  pl: `i w we na z ze do od po za przy przed przez nad pod między bez u o dla że aby żeby ale lub albo ani jednak gdy kiedy jeśli
    ponieważ bo co kto gdzie jak dlaczego który która które którzy którego ten ta to ci te tego tej tym tych ja ty on ona ono my wy
    oni one jego jej ich mój twój nasz wasz swój swoje się mi mu go ją im je jest są był była było były być będzie będą by nie ma
    mają może mogą musi już jeszcze tylko także też tak tam tu tutaj bardzo więcej wszystko wszyscy każdy jako niż czy więc oraz
    został została zostały`,
  pt: `o a os as um uma uns umas e ou mas que de do da dos das a ao à aos às em no na nos nas num numa com por pelo pela pelos pelas
    para sem sobre entre até desde contra após durante se não nem mais muito muita muitos muitas pouco também já ainda só como
    quando onde porque pois embora enquanto quem qual quais cujo quê eu tu ele ela nós vós eles elas você vocês me te lhe lhes meu
    minha teu tua seu sua seus suas nosso nossa este esta isto estes estas esse essa isso esses essas aquele aquela aquilo é são
    era eram foi foram ser sido sou somos está estão estava estar há tem têm tinha ter havia pode podem deve todo toda todos todas
    outro outra outros outras cada algo algum alguma alguns nada tão tanto assim então depois além`,
  ro: `și sau dar însă că să de din la în pe cu pentru prin fără sub despre între până după înainte spre ca care ce cine cui unde când
    cum de ce dacă deși fiindcă nu nici mai foarte mult multă mulți puțin tot toată toți toate și-a s-a a ai al ale lui ei lor un o
    unui unei niște acest această acești aceste acel acea acela eu tu el ea noi voi ei ele îmi îți își ne vă le îl îi mă te se
    meu mea tău său sa nostru vostru este sunt era erau fi fost sunt ești suntem are au am aveam avea poate pot trebuie doar
    numai încă deja aici acolo alt altă alți fiecare ceva nimic așa atunci iar`,
  ru: `и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее её мне было вот от меня еще ещё нет о
    из ему теперь когда даже ну вдруг ли если уже или ни быть был него до вас нибудь опять уж вам ведь там потом себя ничего ей
    может они тут где есть надо ней для мы тебя их чем была сам чтоб без будто чего раз тоже себе под будет ж тогда кто этот того
    потому этого какой совсем ним здесь этом один почти мой тем чтобы нее неё сейчас были куда зачем всех никогда можно при
    наконец два об другой хоть после над больше тот через эти нас про всего них какая много разве три эту моя впрочем хорошо свою
    этой перед иногда лучше чуть том нельзя такой им более всегда конечно всю между это которые который которая также`,
  sk: `a i v vo na z zo s so k ku o od do po pre pri pred cez za nad pod medzi bez u že aby ale alebo ani však keď ak pretože čo kto
    kde kedy ako prečo ktorý ktorá ktoré ktorí ten tá to tí tie tento táto toto tieto ja ty on ona ono my vy oni jeho jej ich môj
    tvoj náš váš svoj si mu ho ju im sa je som sme ste sú bol bola bolo boli byť bude budú by nie má majú môže môžu musí už ešte len
    tiež tak tam tu veľmi viac všetko všetci každý než teda`,
  sv: `och i jag det att en ett den till är som på de med han av för inte där var mig sig men har om vi min hade honom hon nu över då
    från du ut sin dem oss upp man hans hur eller vad ska skall själv här alla vill blev kunde in när vara något ville ju deras
    efter ner skulle denna detta dessa än under också ha henne bli många varje så kan blir mycket ingen inga bara vår våra er dig
    hennes mitt din ditt sina sitt om eftersom medan utan mellan samt vid må hos igen ännu vilken vilka som vem varför`,
  th: `ที่ และ ใน เป็น ของ มี ได้ ไม่ ให้ จะ ว่า กับ แต่ หรือ ก็ นี้ นั้น จาก โดย ไป มา แล้ว อยู่ คือ ซึ่ง เพื่อ ต้อง ถ้า เมื่อ เพราะ อีก กัน ด้วย ทุก
    ผม ฉัน คุณ เขา เธอ เรา พวก มัน อะไร ใคร ไหน อย่าง มาก กว่า ถึง ตาม แห่ง ๆ ยัง เคย กำลัง ถูก นะ ครับ ค่ะ การ ความ`,
  tr: `ve ile bir bu şu o da de ki mi mı mu mü için gibi kadar göre sonra önce üzere rağmen ama fakat ancak veya ya yahut çünkü eğer
    ise değil var yok olan olarak olduğu oldu olur olmak ne kim nerede zaman nasıl niçin neden hangi ben sen biz siz onlar bana
    sana ona bize onu bunu şunu benim senim onun bizim sizin onların kendi her hiç çok daha en az bütün tüm hep hem sadece yalnız
    yine hâlâ artık şimdi burada orada böyle şöyle öyle etti ediyor eder edilen`,
  uk: `і й та в у на з із зі до від по за при перед через над під між без о об для що щоб але або ні проте коли якщо бо тому як хто де
    чому який яка яке які цей ця це ці той та те ті цього того цієї тієї я ти він вона воно ми ви вони його її їх їм мій твій наш
    ваш свій себе собі мені тобі йому їй нам вам не є був була було були бути буде будуть би б має мають може можуть треба вже ще
    лише тільки також так там тут дуже більше все всі кожен ніж чи отже`,
  vi: `và của là có trong cho với được các những một này đó không đã sẽ đang từ đến người khi như để ở ra vào lên xuống thì mà nếu vì
    nhưng hoặc hay cũng rất hơn nhất chỉ còn lại nữa rồi tôi bạn anh chị em ông bà họ chúng ta nó mình ai gì nào đâu sao bao nhiêu
    bởi tại theo về trên dưới giữa sau trước cùng mỗi mọi tất cả nhiều ít phải nên bị do`,
  zh: `的 了 在 是 我 有 和 就 不 人 都 一 一个 上 也 很 到 说 要 去 你 会 着 没有 看 好 自己 这 那 他 她 它 我们 你们 他们 她们 这个 那个 这些 那些
    与 及 或 但 但是 因为 所以 如果 虽然 而 而且 并 并且 以 以及 对 对于 从 由 被 把 让 给 向 为 为了 其 其中 之 于 将 已 已经 还 还是 只 又 再 更 最 非常
    可以 可能 能 能够 应该 必须 什么 谁 哪里 怎么 为什么 多少 几 每 各 某 等 等等 时 时候 里 中 下 后 前 之后 之前 没 吗 呢 吧 啊`,
};

const sets = new Map<string, ReadonlySet<string>>();
const none: ReadonlySet<string> = new Set();

/** The function words of a language, in lower case; empty for a language that has none here. */
export function stopWordsOf(language: string | null): ReadonlySet<string> {
  if (language === null || !Object.hasOwn(lists, language)) return none;
  const known = sets.get(language);
  if (known !== undefined) return known;
  const words = new Set(lists[language]?.split(/\s+/));
  sets.set(language, words);
  return words;
}
