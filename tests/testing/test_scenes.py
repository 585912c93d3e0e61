import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.geo import LatLon, distance_km
from wheretaken.testing import fonts, scenes
from wheretaken.testing.scenes import camera, contacts, streets, town_views, towns
from wheretaken.testing.scenes.languages import LANGUAGES
from wheretaken.testing.scenes.scene import HEIGHT, WIDTH

BY_CODE = {language.code: language for language in LANGUAGES}


def city(name):
    return max((c for c in towns._cities() if c["name"] == name), key=lambda c: c["population"])


@pytest.fixture(scope="module")
def street_samples():
    targets = scenes.street_targets(9, seed=11)
    return [(t, scenes.street_scene(t, 5, (1, 2, 3)[i % 3])) for i, t in enumerate(targets)]


@pytest.fixture(scope="module")
def town_samples():
    targets = scenes.town_targets(12, seed=11)
    return [(t, scenes.town_scene(t, 5, (1, 2, 3)[i % 3])) for i, t in enumerate(targets)]


@pytest.fixture(scope="module")
def samples(street_samples, town_samples):
    return [scene for _, scene in (*street_samples, *town_samples)]


def test_same_seed_same_bytes_other_seed_other_picture(town_samples, street_samples):
    town, scene = town_samples[0]
    assert scenes.town_scene(town, 5, 1).png() == scene.png()
    assert scenes.town_scene(town, 6, 1).png() != scene.png()
    place, scene = street_samples[2]
    assert scenes.street_scene(place, 5, 3).png() == scene.png()


def test_targets_are_reproducible_and_no_place_comes_twice():
    assert scenes.town_targets(20, 3) == scenes.town_targets(20, 3)
    assert scenes.street_targets(60, 3) == scenes.street_targets(60, 3)
    assert scenes.street_targets(20, 3) != scenes.street_targets(20, 4)
    assert len({place.osm_id for place in scenes.street_targets(400, 3)}) == 400


def test_no_language_comes_twice_before_all_were_used():
    targets = scenes.town_targets(len(LANGUAGES), seed=2)
    assert len({town.language.code for town in targets}) == len(LANGUAGES) >= 50
    assert len({town.language.script for town in targets}) >= 20
    assert all(town.population >= 5_000 for town in targets)
    assert all(fonts.missing_glyphs(town.local, town.language.code) == "" for town in targets)


@pytest.mark.parametrize(
    ("name", "code", "local"),
    [
        ("Athens", "el", "Αθήνα"),
        ("Tbilisi", "ka", "თბილისი"),
        ("Seoul", "ko", "서울"),
        ("Taipei", "zh-TW", "臺北"),
        ("Nagasaki", "ja", "長崎"),
        ("Taizhou", "zh", "泰州"),
        ("Kraków", "pl", "Kraków"),
        ("Hanoi", "vi", "Hà Nội"),
        ("Kharkiv", "uk", "Харків"),
        ("Podolsk", "ru", "Подольск"),
        ("Jaipur", "hi", "जयपुर"),
        ("Ashdod", "he", "אשדוד"),
        ("Yerevan", "hy", "Երևան"),
        ("Pesaro", "it", "Pesaro"),
        ("Bangkok", "th", None),  # กรุงเทพ sounds nothing like it
    ],
)
def test_a_town_has_the_name_of_its_own_signs_or_none(name, code, local):
    assert towns.local_name(city(name), BY_CODE[code]) == local


def test_a_town_that_is_not_the_largest_of_its_name_is_not_drawn():
    small = min((c for c in towns._cities() if c["name"] == "Richmond"), key=lambda c: c["population"])
    large = max((c for c in towns._cities() if c["name"] == "Richmond"), key=lambda c: c["population"])
    english = BY_CODE["en"]
    assert towns._outranked(towns._town(small, english))
    assert not towns._outranked(towns._town(large, english))


def test_the_truth_is_the_drawn_place(street_samples, town_samples):
    for place, scene in street_samples:
        assert scene.truth == place.position
        assert scene.place_id == place.osm_id
        said = " ".join(scene.texts).casefold()
        assert place.name.casefold() in said or place.street.casefold() in said
    for town, scene in town_samples:
        assert distance_km(scene.truth, town.position) <= (17 if scene.kind == "direction" else 0)
        assert town.local.casefold() in " ".join(scene.texts).casefold()


def test_decisive_texts_are_inside_the_frame(samples):
    for scene in samples:
        assert scene.image.size == (WIDTH, HEIGHT)
        assert scene.image.mode == "RGB"
        decisive = [mark for mark in scene.marks if mark.decisive]
        assert decisive
        for x, y in (point for mark in decisive for point in mark.quad):
            assert 0 <= x <= WIDTH, scene.texts
            assert 0 <= y <= HEIGHT, scene.texts


def test_harder_pictures_have_distractors_and_smaller_letters():
    place = streets.helsinki().find("Juttutupa")
    easy, hard = (scenes.street_scene(place, 3, level) for level in (1, 3))

    def height(scene):
        quad = next(mark.quad for mark in scene.marks if mark.text == "Juttutupa")
        return abs(quad[3][1] - quad[0][1])

    assert height(hard) < height(easy)
    town = scenes.town_targets(1, seed=4)[0]
    assert all(mark.decisive for mark in scenes.town_scene(town, 1, 1).marks)
    assert not all(mark.decisive for mark in scenes.town_scene(town, 1, 2).marks)


def test_a_street_sign_is_bilingual_and_shops_have_what_the_map_knows():
    place = streets.helsinki().find("Juttutupa")
    assert (place.street, place.street_second, place.house_number) == (
        "Säästöpankinranta",
        "Sparbankskajen",
        "6",
    )
    assert place.hours == ("Ma 10-24", "Ti-To 10-01", "Pe-La 10-03", "Su 12-23")
    assert place.phone == "+358 20 7424 240"


def test_the_example_has_what_the_readme_shows():
    scene = scenes.example_scene()
    assert {"FABIANINKATU", "FABIANSGATAN", "4", "Zucchini", "Avestia"} <= set(scene.texts)


def test_neighbours_stand_within_sixty_metres():
    place = streets.helsinki().find("Cafe Yrjö")
    near = streets.helsinki().shops_near(place, limit=99)
    assert near
    assert all(distance_km(place.position, shop.position) <= 0.06 for shop in near)
    assert place.name not in {shop.name for shop in near}
    with pytest.raises(LookupError, match="no 'Nowhere'"):
        streets.helsinki().find("Nowhere")


def test_opening_hours_that_no_door_would_show_are_left_out():
    assert streets._hours("Mo-Fr 10:00-18:00; Sa 10:30-15:00") == ("Ma-Pe 10-18", "La 10:30-15")
    assert streets._hours("Mo-Fr 16:00-") == ()
    assert streets._hours("Mar-Oct Mo-Fr 10:00-18:00") == ()
    assert streets._website("https://www.maya.fi/menu") == "www.maya.fi"
    assert streets._website("https://www.facebook.com/x") == ""


def test_a_direction_sign_tells_road_distances_from_where_it_stands():
    town = next(t for t in scenes.town_targets(60, seed=1) if t.language.code == "pl")
    at = LatLon(town.position.lat + 0.1, town.position.lon)
    others = towns.neighbours(town, at)
    assert len(others) == 2
    sheet = town_views._direction(town, at, others, 1, random.Random(1))
    texts = [mark.text for mark in sheet.marks]
    for place in (town, *others):
        shown = int(texts[texts.index(place.local) + 1].split()[0])
        assert shown == pytest.approx(1.3 * distance_km(at, place.position), abs=0.51)
    numbers = [int(text.split()[0]) for text in texts if text[0].isdigit()]
    assert numbers == sorted(numbers)


def test_a_telephone_number_has_the_towns_area_code_or_is_missing():
    import phonenumbers

    def phone(name, code):
        return contacts.telephone(towns._town(city(name), BY_CODE[code]), random.Random(0))

    known = (("Konya", "tr", "TR", "332"), ("Zwolle", "nl", "NL", "38"), ("Porto", "pt", "PT", "22"))
    for name, code, region, area in known:
        parsed = phonenumbers.parse(phone(name, code), region)
        assert phonenumbers.is_valid_number_for_region(parsed, region)
        assert str(parsed.national_number).startswith(area)
    assert phone("Jyväskylä", "fi") is None  # shares its area code with all of Central Finland


def test_french_elides():
    assert town_views._filled("Gare de {}", "Angers") == ["Gare d'Angers"]
    assert town_views._filled("Mairie de {}", "Le Mans") == ["Mairie du Mans"]
    assert town_views._filled("Câmara Municipal de {}", "Évora") == ["Câmara Municipal de Évora"]


@given(
    st.floats(-34, 34),
    st.floats(-11, 11),
    st.floats(-8, 8),
    st.tuples(st.integers(420, 900), st.integers(100, 600)),
    st.tuples(st.integers(80, 1000), st.integers(30, 500)),
)
def test_the_camera_keeps_every_decisive_text_in_frame(yaw, pitch, roll, corner, size):
    how = camera.Conditions(yaw, pitch, roll, 1, 0, 0, 1, 0, 1, 90, covered=False)
    (x, y), (w, h) = corner, size
    quad = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
    seen = camera._project(camera.homography(how, [quad], random.Random(0)), quad)
    assert (seen > 0).all()
    assert (seen[:, 0] < WIDTH).all()
    assert (seen[:, 1] < HEIGHT).all()


def test_what_stands_in_front_may_not_hide_a_letter():
    boxes = [(100, 100, 400, 150)]
    post, wall = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    post[:, 240:256] = 255
    wall[:, 240:300] = 255
    assert not camera._hides_too_much(post, boxes)
    assert camera._hides_too_much(wall, boxes)


def test_text_is_found_by_a_detector_over_nearly_every_decisive_line():
    """A picture of difficulty 1 that a text detector cannot see would tell nothing about a reader."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "critical"})
    drawn = [scenes.town_scene(town, 8, 1) for town in scenes.town_targets(9, seed=21)]
    drawn += [scenes.street_scene(place, 8, 1) for place in scenes.street_targets(3, seed=21)]
    lines = found = 0
    for scene in drawn:
        pixels = np.asarray(scene.image)[..., ::-1].copy()
        boxes = engine(pixels, use_det=True, use_cls=False, use_rec=False).boxes
        assert boxes is not None, scene.texts
        for mark in scene.marks:
            if mark.decisive and len(mark.text) > 1:  # detectors are known to miss lone digits
                lines += 1
                x, y = np.mean(mark.quad, axis=0)
                found += any(
                    b[:, 0].min() <= x <= b[:, 0].max() and b[:, 1].min() <= y <= b[:, 1].max() for b in boxes
                )
    assert found >= 0.95 * lines
