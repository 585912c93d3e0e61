"""What signs say in each language: one row per language, in the words that stand on real signs.

Only wordings that leave the town's name uninflected are used (a Polish "Gmina Kraków", not "Urząd Miasta
Krakowa"), so that every scene's text is right without a grammar. `{}` is the town; `|` parts two lines; `#`
is a house number.
"""

# ruff: noqa: E501 - the table reads as one: a language keeps its wordings on two or three long lines

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language as it appears on public signs."""

    code: str
    """ISO 639-1; `zh` for simplified and `zh-TW` for traditional Chinese."""
    script: str
    areas: tuple[str, ...]
    """Countries, or GeoNames first-level divisions ("IN.36"), whose signs are in this language."""
    entry: tuple[str, ...]
    """Town-entry signs; most countries write the bare name."""
    civic: tuple[str, ...]
    """Town hall, station, post office and the like."""
    shops: tuple[str, ...]
    """Category words as on shop fronts."""
    streets: tuple[str, ...]
    """Address lines with streets found in nearly every town; empty where addresses are not written so."""
    km: str = "km"
    latin: bool = False
    """Whether signs repeat the name in Latin letters."""


def _row(
    code: str, script: str, areas: str, entry: str, civic: str, shops: str, streets: str = "", km: str = "km"
) -> Language:
    def parts(text: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text.split(";") if part.strip())

    latin = script not in {"Latin", "Cyrillic"}
    return Language(
        code,
        script,
        tuple(areas.split()),
        parts(entry),
        parts(civic),
        parts(shops),
        parts(streets),
        km,
        latin,
    )


LANGUAGES: tuple[Language, ...] = (
    _row("en", "Latin", "GB US AU CA.08 IE NZ", "Welcome to|{}; {}", "{} Town Hall; {} Public Library; {} Station; "
         "{} Post Office", "Pharmacy; Bakery; Hardware; Barber Shop", "# High Street; # Main Street; # Station Road",
         "mi"),
    _row("fr", "Latin", "FR", "{}", "Gare de {}; Mairie de {}; Office de Tourisme|{}",
         "Boulangerie – Pâtisserie; Pharmacie; Boucherie; Tabac – Presse",
         "#, rue de la Gare; #, rue Victor Hugo; #, place de la Mairie"),
    _row("de", "Latin", "DE AT", "{}", "Stadt {}; {} Bahnhof; Rathaus {}; Stadtwerke {}",
         "Apotheke; Bäckerei; Metzgerei; Gasthof zur Post", "Bahnhofstraße #; Hauptstraße #; Schulstraße #"),
    _row("es", "Latin", "ES MX AR CL CO PE", "{}; Bienvenidos a|{}", "Estación de {}; Biblioteca Pública|{}; "
         "Correos|{}", "Farmacia; Panadería; Ferretería; Papelería",
         "Calle Mayor, #; Calle San Juan, #; Plaza Mayor, #"),
    _row("pt", "Latin", "BR PT", "{}; Bem-vindo a|{}", "Biblioteca Municipal|{}; Câmara Municipal de {}; "
         "Estação de {}", "Farmácia; Padaria; Papelaria; Café Central", "Rua Direita, #; Rua 5 de Outubro, #"),
    _row("it", "Latin", "IT", "{}; Comune di|{}", "Comune di {}; Stazione di {}; Pro Loco|{}",
         "Farmacia; Panificio; Ferramenta; Bar Tabacchi", "Via Roma, #; Via Garibaldi, #; Piazza Italia, #"),
    _row("pl", "Latin", "PL", "{}", "Gmina {}; Stacja {}; Poczta Polska|{}", "Apteka; Piekarnia; Sklep spożywczy; "
         "Kwiaciarnia", "ul. Kościuszki #; ul. Ogrodowa #; ul. Szkolna #"),
    _row("cs", "Latin", "CZ", "{}", "Město {}; Železniční stanice|{}; Česká pošta|{}", "Lékárna; Pekařství; Potraviny; "
         "Květiny", "Nádražní #; Husova #; Palackého #"),
    _row("tr", "Latin", "TR", "{}; {}|Hoş geldiniz", "{} Belediyesi; {} Garı; {} Otogarı; {} Devlet Hastanesi",
         "Eczane; Fırın; Kuyumcu; Lokanta", "Atatürk Cad. No: #; Cumhuriyet Cad. No: #"),
    _row("vi", "Latin", "VN", "{}", "Ga {}; Chợ {}; Bưu điện {}; Bến xe {}", "Nhà thuốc; Phở bò; Cà phê; Tạp hóa",
         "# Trần Hưng Đạo; # Lê Lợi; # Nguyễn Huệ"),
    _row("sv", "Latin", "SE", "{}; Välkommen till|{}", "{} station; {} bibliotek; {} centrum",
         "Apotek; Bageri; Frisör; Blommor", "Storgatan #; Järnvägsgatan #; Kyrkogatan #"),
    _row("fi", "Latin", "FI", "{}; Tervetuloa|{}", "Kaupungintalo|{}; Rautatieasema|{}; Kirjasto|{}",
         "Apteekki; Leipomo; Parturi-Kampaamo; Kukkakauppa", "Kauppakatu #; Asemakatu #; Kirkkokatu #"),
    _row("hu", "Latin", "HU", "{}; Üdvözöljük|{}", "{} Város Önkormányzata; {} vasútállomás; {} Posta",
         "Gyógyszertár; Pékség; Virágbolt; Cukrászda", "Kossuth Lajos u. #; Petőfi Sándor u. #"),
    _row("ro", "Latin", "RO", "{}; Bun venit|{}", "Primăria {}; Gara {}; Spitalul Municipal|{}",
         "Farmacie; Brutărie; Florărie; Magazin mixt", "Str. Mihai Eminescu nr. #; Str. Unirii nr. #"),
    _row("id", "Latin", "ID", "Selamat Datang di|{}", "Kantor Pos {}; Stasiun {}; Pasar {}; Terminal {}",
         "Apotek; Toko Roti; Rumah Makan; Warung Kopi", "Jl. Jend. Sudirman No. #; Jl. Ahmad Yani No. #"),
    _row("nl", "Latin", "NL", "{}; Welkom in|{}", "Gemeente {}; Station {}; Bibliotheek {}",
         "Apotheek; Bakkerij; Slagerij; Fietsenwinkel", "Dorpsstraat #; Stationsstraat #; Kerkstraat #"),
    _row("da", "Latin", "DK", "{}; Velkommen til|{}", "{} Station; {} Rådhus; {} Bibliotek",
         "Apotek; Bageri; Slagter; Blomster", "Algade #; Jernbanegade #; Storegade #"),
    _row("nb", "Latin", "NO", "{}; Velkommen til|{}", "{} stasjon; {} rådhus; {} bibliotek",
         "Apotek; Bakeri; Frisør; Blomster", "Storgata #; Jernbanegata #; Kirkegata #"),
    _row("hr", "Latin", "HR", "{}; Dobro došli|{}", "Grad {}; Općina {}; Kolodvor {}", "Ljekarna; Pekarna; Mesnica; "
         "Cvjećarnica", "Ulica bana Jelačića #; Ulica Stjepana Radića #"),
    _row("sk", "Latin", "SK", "{}", "Mesto {}; Železničná stanica|{}; Slovenská pošta|{}", "Lekáreň; Pekáreň; "
         "Potraviny; Kvety", "Hlavná #; Štúrova #; Hviezdoslavova #"),
    _row("ms", "Latin", "MY", "Selamat Datang ke|{}", "Balai Polis {}; Pejabat Pos {}; Stesen {}; Hospital {}",
         "Farmasi; Kedai Roti; Restoran; Kedai Runcit", "# Jalan Sultan; # Jalan Merdeka"),
    _row("ru", "Cyrillic", "RU", "{}; Город|{}", "Вокзал {}; Станция {}; Город {}; Почта России|{}",
         "Аптека; Продукты; Пекарня; Цветы", "ул. Ленина, #; ул. Советская, #; ул. Мира, #", "км"),
    _row("uk", "Cyrillic", "UA", "{}; Місто|{}", "Місто {}; Станція {}; Укрпошта|{}", "Аптека; Продукти; Перукарня; "
         "Квіти", "вул. Шевченка, #; вул. Центральна, #", "км"),
    _row("bg", "Cyrillic", "BG", "{}; Добре дошли|{}", "Община {}; Гара {}; Автогара {}", "Аптека; Хранителни стоки; "
         "Пекарна; Цветя", "ул. Христо Ботев #; бул. България #", "км"),
    _row("kk", "Cyrillic", "KZ", "{}; {} қаласы", "{} қаласы; {} станциясы; {} вокзалы", "Дәріхана; Азық-түлік; "
         "Наубайхана; Гүлдер", "Абай к-сі, #; Бейбітшілік к-сі, #", "км"),
    _row("sr", "Cyrillic", "RS", "{}; Добро дошли|{}", "Општина {}; Железничка станица|{}; Пошта {}",
         "Апотека; Пекара; Месара; Цвећара", "Карађорђева #; Вука Караџића #", "км"),
    _row("el", "Greek", "GR", "{}; Καλώς ήρθατε|{}", "Δημαρχείο|{}; Σιδηροδρομικός Σταθμός|{}; ΚΤΕΛ|{}",
         "Φαρμακείο; Φούρνος; Ταβέρνα; Ανθοπωλείο", "Ελευθερίου Βενιζέλου #; 25ης Μαρτίου #", "χλμ"),
    _row("ar", "Arabic", "EG SA MA JO IQ DZ TN SY OM", "{}; مرحبا بكم في|{}", "بلدية {}; محطة {}; مستشفى {}; بريد {}",
         "صيدلية; مخبز; مطعم; بقالة", "", "كم"),
    _row("fa", "Arabic", "IR", "{}; به {} خوش آمدید", "شهرداری {}; ایستگاه راه آهن {}; بیمارستان {}",
         "داروخانه; نانوایی; رستوران; فروشگاه", "", "کیلومتر"),
    _row("he", "Hebrew", "IL", "{}; ברוכים הבאים|{}", "עיריית {}; תחנת רכבת {}; דואר {}", "בית מרקחת; מאפייה; מכולת; "
         "פרחים", "הרצל #; ז'בוטינסקי #", 'ק"מ'),
    _row("th", "Thai", "TH", "{}; ยินดีต้อนรับสู่|{}", "สถานีรถไฟ{}; โรงพยาบาล{}; ตลาด{}; ไปรษณีย์{}",
         "ร้านขายยา; ร้านอาหาร; เบเกอรี่; ร้านกาแฟ", "", "กม."),
    _row("ko", "Hangul", "KR", "{}; {}에 오신 것을 환영합니다", "{}역; {}우체국; {}경찰서; {}버스터미널",
         "약국; 식당; 제과점; 미용실", "중앙로 #; 시장길 #"),
    _row("ja", "Han", "JP", "{}; ようこそ{}へ", "{}駅; {}郵便局; {}警察署; {}市立図書館", "薬局; 食堂; 和菓子; 理容",
         "本町#; 中央町#"),
    _row("zh", "Han", "CN", "{}; {}欢迎您", "{}站; {}人民医院; {}汽车站; {}邮政", "药店; 饭店; 超市; 理发店",
         "人民路#号; 解放路#号; 中山路#号", "公里"),
    _row("zh-TW", "Han", "TW", "{}; 歡迎光臨{}", "{}車站; {}郵局; {}圖書館; {}分局", "藥局; 麵店; 書局; 早餐店",
         "中正路#號; 中山路#號; 民生路#號", "公里"),
    _row("hi", "Devanagari", "IN.36 IN.35 IN.24 IN.34 IN.10 IN.39", "{}; {} में आपका|स्वागत है",
         "{} रेलवे स्टेशन; नगर पालिका परिषद|{}; {} बस अड्डा; डाकघर {}", "दवाखाना; मिठाई भंडार; किराना स्टोर; भोजनालय", "",
         "किमी"),
    _row("mr", "Devanagari", "IN.16", "{}", "{} रेल्वे स्थानक; {} नगरपरिषद; {} बस स्थानक", "औषधालय; किराणा दुकान; "
         "उपहारगृह", "", "किमी"),
    _row("ne", "Devanagari", "NP", "{}; {} मा स्वागत छ", "{} नगरपालिका; {} बसपार्क; {} अस्पताल", "औषधि पसल; किराना पसल; "
         "खाजा घर", "", "कि.मी."),
    _row("bn", "Bengali", "BD IN.28", "{}; {} স্বাগতম", "{} রেলওয়ে স্টেশন; {} পৌরসভা; {} বাস টার্মিনাল",
         "ফার্মেসি; মিষ্টান্ন ভান্ডার; হোটেল ও রেস্টুরেন্ট", "", "কিমি"),
    _row("ta", "Tamil", "IN.25", "{}", "{} ரயில் நிலையம்; {} நகராட்சி; {} பேருந்து நிலையம்",
         "மருந்தகம்; உணவகம்; இனிப்பகம்", "", "கி.மீ"),
    _row("te", "Telugu", "IN.02 IN.40", "{}", "{} రైల్వే స్టేషన్; {} పురపాలక సంఘం; {} బస్ స్టేషన్",
         "మందుల షాపు; కిరాణా; హోటల్", "", "కి.మీ"),
    _row("kn", "Kannada", "IN.19", "{}", "{} ರೈಲು ನಿಲ್ದಾಣ; {} ನಗರಸಭೆ; {} ಬಸ್ ನಿಲ್ದಾಣ", "ಔಷಧಾಲಯ; ಹೋಟೆಲ್; ದಿನಸಿ", "",
         "ಕಿ.ಮೀ"),
    _row("ml", "Malayalam", "IN.13", "{}", "{} റെയിൽവേ സ്റ്റേഷൻ; {} നഗരസഭ; {} ബസ് സ്റ്റാൻഡ്", "മരുന്നുകട; ഹോട്ടൽ; "
         "ബേക്കറി", "", "കി.മീ"),
    _row("gu", "Gujarati", "IN.09", "{}", "{} રેલ્વે સ્ટેશન; {} નગરપાલિકા; {} બસ સ્ટેશન", "દવાની દુકાન; કરિયાણા; મીઠાઈ", "",
         "કિમી"),
    _row("pa", "Gurmukhi", "IN.23", "{}", "{} ਰੇਲਵੇ ਸਟੇਸ਼ਨ; ਨਗਰ ਕੌਂਸਲ {}; {} ਬੱਸ ਅੱਡਾ", "ਦਵਾਈਆਂ; ਕਰਿਆਨਾ ਸਟੋਰ; ਢਾਬਾ", "",
         "ਕਿ.ਮੀ."),
    _row("ka", "Georgian", "GE", "{}; ქალაქი|{}", "ქალაქი {}; სადგური {}; ფოსტა {}", "აფთიაქი; საცხობი; მარკეტი", "", "კმ"),
    _row("hy", "Armenian", "AM", "{}; Բարի գալուստ|{}", "{} քաղաք; {} կայարան; Հայփոստ {}", "Դեղատուն; Հացատուն; "
         "Մթերք", "", "կմ"),
    _row("km", "Khmer", "KH", "{}; ក្រុង{}", "ផ្សារ{}; មន្ទីរពេទ្យ{}; ស្ថានីយ៍{}", "ឱសថស្ថាន; ភោជនីយដ្ឋាន", "", "គ.ម"),
    _row("lo", "Lao", "LA", "{}; ເມືອງ{}", "ຕະຫຼາດ{}; ໂຮງໝໍ{}; ໄປສະນີ{}", "ຮ້ານຂາຍຢາ; ຮ້ານອາຫານ", "", "ກມ"),
    _row("my", "Myanmar", "MM", "{}", "{}ဘူတာ; {}ဈေး; {}ဆေးရုံ", "ဆေးဆိုင်; စားသောက်ဆိုင်", "", "km"),
    _row("si", "Sinhala", "LK", "{}", "{} දුම්රිය ස්ථානය; {} රෝහල; {} තැපැල් කාර්යාලය", "ඔසුසල; ආපන ශාලාව", "", "කි.මී."),
    _row("am", "Ethiopic", "ET", "{}; {} ከተማ", "{} ከተማ; {} ሆስፒታል; {} ፖስታ ቤት", "መድኃኒት ቤት; ምግብ ቤት", "", "ኪ.ሜ"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of a sign: (red, green, blue) of plate, letters and border."""

    fill: tuple[int, int, int]
    ink: tuple[int, int, int]
    edge: tuple[int, int, int]


WHITE, BLACK = (243, 243, 238), (22, 22, 24)
BLUE, GREEN, YELLOW, RED = (18, 62, 142), (0, 98, 62), (250, 204, 22), (178, 24, 30)
ON_WHITE = Paint(WHITE, BLACK, BLACK)
ON_BLUE = Paint(BLUE, WHITE, WHITE)
ON_GREEN = Paint(GREEN, WHITE, WHITE)
ON_YELLOW = Paint(YELLOW, BLACK, BLACK)
RED_EDGE = Paint(WHITE, BLACK, RED)

_ENTRY_PAINT = {
    **dict.fromkeys(("FR", "GR", "CZ", "SK", "RO"), RED_EDGE),
    **dict.fromkeys(("DE", "HR"), ON_YELLOW),
    **dict.fromkeys(("AT", "SE", "JP", "MX", "NL", "TR", "FI"), ON_BLUE),
    **dict.fromkeys(("PL", "US", "CN", "KR", "IR", "TW", "TH", "IN", "SA", "VN", "ID", "MY"), ON_GREEN),
}
_DIRECTION_PAINT = {
    **dict.fromkeys(("DE", "NO", "IL"), ON_YELLOW),
    **dict.fromkeys(("ES", "GB", "AU", "DK", "AT"), ON_WHITE),
    **dict.fromkeys(("JP", "IT", "SE", "FI", "FR", "RU", "NL", "CZ", "SK", "RO", "UA", "BG", "VN"), ON_BLUE),
}


def entry_paint(country: str) -> Paint:
    """Return the usual colours of a town-entry sign in a country; black on white where none is known."""
    return _ENTRY_PAINT.get(country, ON_WHITE)


def direction_paint(country: str) -> Paint:
    """Return the usual colours of a direction sign on a main road; white on green where none is known."""
    return _DIRECTION_PAINT.get(country, ON_GREEN)
