"""What people call a sort of place, and the kinds that places of that sort have.

`Place.kind` is the value that OpenStreetMap tags a place with (`pub`, `tram_stop`) or one of ours (`city`,
`street`); the services of others are translated into these at their edge. Here stands the way back: from the
words that people and models use, in several languages, to those values. A class of OpenStreetMap such as
`shop` stands for everything of its sort.
"""

# ruff: noqa: E501 - the table reads as one: a sort of place keeps its words together

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from wheretaken.maps.offline.names import fold

if TYPE_CHECKING:
    from collections.abc import Collection

_WORDS: dict[str, str] = {
    "restaurant": "restaurant restaurants ristorante restaurante restaurang ravintola gasthaus gasthof trattoria "
    "brasserie bistro ресторан εστιατόριο مطعم 餐厅 餐馆 餐廳 饭店 レストラン 食堂 식당 ร้านอาหาร",
    "cafe": "cafe cafes coffee coffee_shop coffee_house coffeehouse kahvila kaffeehaus caffe cafeteria kawiarnia "
    "кафе καφετέρια مقهى 咖啡 咖啡馆 咖啡厅 咖啡店 カフェ 喫茶店 카페",
    "fast_food": "fast_food fastfood snack_bar snack kebab takeaway imbiss pikaruoka 快餐 ファストフード",
    "bar": "bar bars cocktail_bar wine_bar бар 酒吧 バー",
    "pub": "pub pubs tavern kneipe паб パブ 居酒屋",
    "ice_cream": "ice_cream gelato gelateria eisdiele glacier",
    "pharmacy|chemist": "pharmacy pharmacies drugstore chemist apotheke pharmacie farmacia apteekki apotek apteka "
    "аптека φαρμακείο صيدلية 药店 药房 藥局 薬局 약국 ร้านขายยา",
    "bank": "bank banks banque banco banca pankki банк τράπεζα بنك 银行 銀行 은행 ธนาคาร",
    "atm": "atm cash_machine cashpoint geldautomat distributeur bancomat cajero",
    "hospital": "hospital hospitals krankenhaus hopital ospedale sairaala sjukhus больница νοσοκομείο مستشفى 医院 "
    "醫院 病院 병원 โรงพยาบาล",
    "clinic|doctors": "clinic doctor doctors surgery arzt medecin medico 诊所 クリニック 医院",
    "dentist": "dentist zahnarzt dentiste dentista hammaslaakari 牙科 歯科",
    "school": "school schools schule ecole escuela escola scuola koulu skola школа σχολείο مدرسة 学校 學校 小学 中学 "
    "小学校 中学校 학교 โรงเรียน",
    "kindergarten": "kindergarten nursery creche preschool paivakoti 幼儿园 幼稚園 保育園",
    "university|college": "university college universitat universite universidad universidade universita yliopisto "
    "университет πανεπιστήμιο جامعة 大学 大學 대학교 มหาวิทยาลัย",
    "library": "library libraries bibliothek bibliotheque biblioteca kirjasto bibliotek библиотека 图书馆 圖書館 図書館 "
    "도서관",
    "police": "police police_station polizei policia polizia poliisi polis полиция 警察 警察署 交番 派出所 경찰서",
    "fire_station": "fire_station fire_brigade feuerwehr pompiers bomberos paloasema 消防署 消防站",
    "post_office": "post_office post postamt poste correos posti почта 邮局 郵局 郵便局 우체국",
    "post_box": "post_box postbox mailbox letter_box briefkasten",
    "townhall": "town_hall townhall city_hall rathaus mairie ayuntamiento municipio kaupungintalo 市政府 区役所 市役所",
    "courthouse": "courthouse court tribunal gericht",
    "embassy|diplomatic|consulate": "embassy consulate botschaft ambassade embajada ambasciata 大使馆 大使館",
    "theatre": "theatre theater teatro teatteri театр 剧院 劇場 극장",
    "cinema": "cinema movie_theater movie_theatre movies kino cine elokuvateatteri кино 电影院 映画館 영화관",
    "nightclub": "nightclub club disco discotheque",
    "casino": "casino 赌场",
    "place_of_worship": "place_of_worship worship",
    "church|cathedral|chapel|basilica": "church churches cathedral chapel basilica kirche dom eglise cathedrale iglesia "
    "igreja chiesa duomo kirkko kyrka kirke kosciol церковь собор храм εκκλησία كنيسة 教堂 教会 교회",
    "mosque": "mosque moschee mosquee mezquita moschea moskeija мечеть مسجد 清真寺 モスク",
    "synagogue": "synagogue synagoge sinagoga",
    "temple": "temple tempel templo 寺 寺庙 寺院 お寺 วัด",
    "shrine": "shrine jinja 神社",
    "parking": "parking car_park parking_lot parkplatz parcheggio aparcamiento парковка 停车场 駐車場 주차장",
    "bicycle_parking": "bicycle_parking bike_rack fahrradstander",
    "bicycle_rental": "bicycle_rental bike_rental bike_share",
    "fuel": "fuel petrol_station gas_station filling_station petrol tankstelle station_service gasolinera benzinaio "
    "huoltoasema азс 加油站 ガソリンスタンド 주유소",
    "charging_station": "charging_station ev_charger",
    "taxi": "taxi taxi_stand taxi_rank",
    "toilets": "toilets toilet wc restroom toilette 厕所 トイレ 화장실",
    "fountain": "fountain brunnen fontaine fuente fontana suihkulahde",
    "bench": "bench",
    "marketplace": "market marketplace markt marche mercado mercato kauppahalli рынок 市场 市場 시장 ตลาด",
    "supermarket": "supermarket grocery supermarche supermercado supermercato supermarkt супермаркет 超市 スーパー "
    "スーパーマーケット 슈퍼마켓",
    "convenience": "convenience convenience_store corner_shop minimarket superette spati 便利店 コンビニ "
    "コンビニエンスストア 편의점",
    "bakery|pastry": "bakery bakeries backerei boulangerie panaderia padaria panificio leipomo bageri piekarnia "
    "пекарня 面包店 パン屋 빵집",
    "butcher": "butcher metzgerei fleischerei boucherie carniceria macelleria 肉店 肉屋",
    "greengrocer": "greengrocer fruit_shop 水果店 八百屋",
    "alcohol|wine|beverages": "liquor_store off_licence wine_shop alcohol liquor cave_a_vin",
    "hairdresser": "hairdresser barber hair_salon barbershop friseur coiffeur peluqueria parrucchiere parturi kampaamo "
    "парикмахерская 理发店 美发 美容院 床屋 미용실",
    "beauty|cosmetics": "beauty beauty_salon nail_salon cosmetics",
    "clothes|boutique|fashion": "clothes clothing clothes_shop clothing_store boutique fashion 服装店 服屋",
    "shoes": "shoes shoe_shop shoe_store schuhe chaussures zapateria 鞋店 靴屋",
    "jewelry": "jewelry jewellery jeweller jeweler juwelier bijouterie joyeria",
    "florist": "florist flower_shop blumen fleuriste floristeria fiorista kukkakauppa цветы 花店 花屋 꽃집",
    "optician": "optician glasses optiker opticien optica ottico 眼镜店 メガネ",
    "books": "books bookshop book_shop bookstore book_store buchhandlung librairie libreria kirjakauppa книги 书店 書店 "
    "本屋 서점",
    "stationery": "stationery papeterie papeleria 文具店",
    "electronics|mobile_phone|computer": "electronics phone_shop mobile_phone computer_shop 手机店 家電",
    "furniture": "furniture mobel meubles muebles 家具",
    "hardware|doityourself": "hardware hardware_store diy ferreteria ferramenta quincaillerie",
    "department_store": "department_store kaufhaus grand_magasin tavaratalo 百货 百貨店 デパート 백화점",
    "mall": "mall shopping_mall shopping_centre shopping_center einkaufszentrum centre_commercial kauppakeskus 商场 "
    "购物中心 ショッピングモール",
    "kiosk|newsagent": "kiosk newsagent newsstand tabac tobacconist kioski 报刊亭 キオスク",
    "laundry|dry_cleaning": "laundry laundromat dry_cleaner dry_cleaning wascherei laverie 洗衣店 クリーニング",
    "bicycle": "bicycle bike_shop bicycle_shop fahrradladen",
    "car_repair|car": "car_repair garage mechanic car_dealer",
    "hotel|hostel|guest_house|motel": "hotel hotels hostel motel inn guest_house guesthouse hotelli albergo "
    "гостиница отель فندق 酒店 宾馆 旅馆 ホテル 旅館 호텔 โรงแรม",
    "museum|gallery": "museum museums musee museo muzeum museu museet музей μουσείο متحف 博物馆 博物館 美術館 미술관 박물관 gallery",
    "attraction|viewpoint|artwork": "attraction sight tourist_attraction landmark viewpoint sculpture artwork",
    "monument|memorial": "monument memorial statue denkmal monumento muistomerkki памятник 纪念碑 記念碑 銅像",
    "castle|palace": "castle palace schloss burg chateau castillo castello linna 城 宫 城堡",
    "park|garden": "park parks garden parc jardin parque jardim parco giardino puisto парк πάρκο حديقة 公园 公園 공원 สวน",
    "playground": "playground spielplatz aire_de_jeux leikkipaikka 遊び場 儿童乐园",
    "stadium|sports_centre|pitch": "stadium sports_centre sports_center arena stadion stade estadio 体育场 体育馆 競技場",
    "swimming_pool": "swimming_pool pool schwimmbad piscine piscina uimahalli 游泳池 プール",
    "fitness_centre": "gym fitness fitness_centre fitness_center 健身房 ジム",
    "tram_stop": "tram_stop tram streetcar_stop tram_station strassenbahn strassenbahnhaltestelle raitiovaunupysakki "
    "arret_de_tram spårvagnshållplats трамвай 有轨电车站 電停",
    "bus_stop|stop|platform": "bus_stop bus busstop bus_station_stop bushaltestelle arret_de_bus parada_de_autobus "
    "fermata bussipysakki автобусная_остановка 公交站 公交车站 バス停 버스정류장 ป้ายรถเมล์",
    "bus_station": "bus_station bus_terminal coach_station busbahnhof gare_routiere linja_autoasema 长途汽车站 バスターミナル",
    "station|halt|subway_entrance": "station train_station railway_station train bahnhof gare estacion stazione "
    "rautatieasema juna вокзал 火车站 车站 駅 역 สถานี",
    "subway_entrance|station": "metro subway metro_station subway_station underground tube metroasema u_bahn ubahn метро "
    "地铁 地铁站 地下鉄 지하철",
    "ferry_terminal": "ferry ferry_terminal pier_terminal fahre 轮渡 フェリー",
    "airport|aerodrome": "airport aerodrome flughafen aeroport aeropuerto aeroporto lentoasema аэропорт 机场 空港 공항",
    "street": "street road avenue strasse rue calle via katu улица 路 街 通り 도로",
    "address": "address house_number",
    "crossing": "crossing intersection junction crossroads street_corner kreuzung carrefour 十字路口 交差点",
    "city|town|village": "city town village settlement stadt ville ciudad citta kaupunki город 城市 市",
    "district": "district suburb neighbourhood neighborhood quarter quartier barrio",
    "country": "country",
    "admin1": "admin1 state province region",
    "bridge": "bridge brucke pont puente ponte silta мост 桥 橋",
    "tower": "tower turm tour torre torni башня 塔 タワー",
    "square": "square plaza platz place piazza tori площадь 广场 広場 광장",
    "building": "building",
    "office": "office company buro bureau",
    "shop": "shop shops store boutique_shop laden geschaft magasin tienda negozio loja kauppa магазин 商店 店 店铺 가게",
}  # fmt: skip
"""Kinds, joined by "|" where one word means them all -> the words that mean them, one a word (`_`: a space)."""

_OF_CLASS: dict[str, str] = {
    "shop": "supermarket convenience bakery pastry butcher greengrocer alcohol wine beverages hairdresser beauty cosmetics "
    "clothes boutique fashion shoes jewelry florist optician books stationery electronics mobile_phone computer "
    "furniture hardware doityourself department_store mall kiosk newsagent laundry dry_cleaning bicycle car_repair "
    "car chemist tobacco toys sports gift art antiques deli confectionery chocolate tea coffee music second_hand "
    "charity variety_store interior_decoration watches bag fabric pet travel_agency tailor photo",
    "place_of_worship": "church cathedral chapel basilica mosque synagogue temple shrine",
}  # fmt: skip
"""What is of a class, for places that tell only their value."""


@cache
def _by_word() -> dict[str, frozenset[str]]:
    """Return the kinds that each folded word or phrase means."""
    table: dict[str, frozenset[str]] = {}
    for kinds, words in _WORDS.items():
        meant = frozenset(kinds.split("|"))
        for word in (*words.split(), *meant):
            key = fold(word.replace("_", " "))
            table[key] = table.get(key, frozenset()) | meant
    return table


def known(text: str) -> frozenset[str]:
    """Return the kinds that a word or phrase means ("tram stop", "Apotheke", 咖啡馆); empty for a name."""
    key = fold(text.replace("_", " "))
    table = _by_word()
    found = table.get(key) or table.get(key.removesuffix("s")) or table.get(key.removesuffix("es"))
    return found or frozenset()


def kinds_of(text: str) -> frozenset[str]:
    """Return the kinds that a filter such as `kind="tram stop"` asks for; a class may stand before "=" or "/".

    What is no word of ours is taken as a value of OpenStreetMap, and an empty text as none.
    """
    value = text.replace("/", "=").rpartition("=")[2].strip()
    if not value or value == "*":
        value = text.replace("/", "=").partition("=")[0].strip()
    if not value:
        return frozenset()
    return known(value) or frozenset({value.casefold().replace(" ", "_")})


def is_of(kind: str, wanted: Collection[str]) -> bool:
    """Tell whether a place of some kind is of one of the wanted kinds, or of a class that is wanted."""
    if kind in wanted:
        return True
    # Nobody but the data know whose house a place of worship is: it is left in rather than out.
    if kind == "place_of_worship" and not _of_class("place_of_worship").isdisjoint(wanted):
        return True
    return any(kind in _of_class(one) for one in wanted)


@cache
def _of_class(name: str) -> frozenset[str]:
    return frozenset(_OF_CLASS.get(name, "").split())
