"""What AMap's classes, levels and division codes are called elsewhere in this package.

AMap's classes have a code (`typecode`: "141201") and names (`type`: "科教文化服务;学校;高等院校"); either
may be all that a reply tells. The table of codes: https://lbs.amap.com/api/webservice/download.
"""

from __future__ import annotations

_CLASSES = (
    ("0101", "加油站", "fuel"),
    ("0501", "中餐厅", "restaurant"),
    ("0502", "外国餐厅", "restaurant"),
    ("0503", "快餐厅", "fast_food"),
    ("0505", "咖啡厅", "cafe"),
    ("0508", "糕饼店", "bakery"),
    ("05", "餐饮服务", "restaurant"),
    ("0601", "商场", "mall"),
    ("0602", "便民商店/便利店", "convenience"),
    ("0604", "超级市场", "supermarket"),
    ("06", "购物服务", "shop"),
    ("0704", "邮局", "post_office"),
    ("0801", "运动场馆", "sports_centre"),
    ("0901", "综合医院", "hospital"),
    ("0906", "医药保健销售店", "pharmacy"),
    ("1001", "宾馆酒店", "hotel"),
    ("1002", "旅馆招待所", "guest_house"),
    ("1101", "公园广场", "park"),
    ("1102", "风景名胜", "attraction"),
    ("1203", "住宅区", "residential"),
    ("1301", "政府机关", "government"),
    ("1305", "公检法机构", "police"),
    ("1401", "博物馆", "museum"),
    ("1404", "美术馆", "gallery"),
    ("1405", "图书馆", "library"),
    ("141201", "高等院校", "university"),
    ("141204", "幼儿园", "kindergarten"),
    ("1412", "学校", "school"),
    ("1501", "机场相关", "airport"),
    ("1502", "火车站", "station"),
    ("1503", "港口码头", "ferry_terminal"),
    ("1504", "长途汽车站", "bus_station"),
    ("1505", "地铁站", "station"),
    ("1507", "公交车站", "bus_stop"),
    ("1509", "停车场", "parking"),
    ("1601", "银行", "bank"),
    ("17", "公司企业", "company"),
    ("190101", "国家名", "country"),
    ("190102", "省级地名", "admin1"),
    ("190103", "直辖市级地名", "city"),
    ("190104", "地市级地名", "city"),
    ("190105", "区县级地名", "district"),
    ("190106", "乡镇级地名", "town"),
    ("190107", "街道级地名", "district"),
    ("190108", "村庄级地名", "village"),
    ("1903", "道路名", "street"),
    ("1904", "门牌信息", "address"),
)
"""Beginning of the code, name of the class, and the kind as OpenStreetMap and our own index call it."""
_BY_CODE = {code: kind for code, _, kind in _CLASSES}
_BY_NAME = {name: kind for _, name, kind in _CLASSES}
LEVELS = {
    "国家": "country",
    "省": "admin1",
    "市": "city",
    "区县": "district",
    "开发区": "district",
    "乡镇": "town",
    "村庄": "village",
    "热点商圈": "neighbourhood",
    "道路": "street",
    "道路交叉路口": "street",
    "门牌号": "address",
    "门址": "address",
    "单元号": "address",
    "公交站台、地铁站": "station",
}
"""How exactly an address was found (`level`)."""
EXTENTS_KM = {
    "country": 2000.0,
    "admin1": 200.0,
    "city": 20.0,
    "district": 8.0,
    "town": 5.0,
    "village": 2.0,
    "neighbourhood": 1.0,
    "street": 1.0,
    "address": 0.05,
    "park": 0.5,
    "attraction": 0.5,
    "university": 0.5,
    "airport": 2.0,
    "station": 0.3,
}
ADMIN1 = {
    "11": "Beijing",
    "12": "Tianjin",
    "13": "Hebei",
    "14": "Shanxi",
    "15": "Inner Mongolia",
    "21": "Liaoning",
    "22": "Jilin",
    "23": "Heilongjiang",
    "31": "Shanghai",
    "32": "Jiangsu",
    "33": "Zhejiang",
    "34": "Anhui",
    "35": "Fujian",
    "36": "Jiangxi",
    "37": "Shandong",
    "41": "Henan",
    "42": "Hubei",
    "43": "Hunan",
    "44": "Guangdong",
    "45": "Guangxi",
    "46": "Hainan",
    "50": "Chongqing",
    "51": "Sichuan",
    "52": "Guizhou",
    "53": "Yunnan",
    "54": "Tibet",
    "61": "Shaanxi",
    "62": "Gansu",
    "63": "Qinghai",
    "64": "Ningxia",
    "65": "Xinjiang",
}
"""First two digits of an adcode (GB/T 2260) -> English name of the division."""


def kind_of(typecode: str, classes: str) -> str:
    """Return the kind of a POI; "poi" for classes that nobody would look for on a map.

    Args:
        typecode: Six digits, or several such codes with `|` between them; may be empty.
        classes: The names from the largest class to the smallest, with `;` between them; may be empty.
    """
    first = typecode.partition("|")[0]
    codes = (first[:length] for length in (6, 4, 2))
    names = reversed(classes.partition("|")[0].split(";"))
    by_code = next((_BY_CODE[code] for code in codes if code in _BY_CODE), "")
    return by_code or next((_BY_NAME[name] for name in names if name in _BY_NAME), "poi")
