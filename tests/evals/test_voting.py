"""Voting over files: who is a candidate, what weights may see, how good it is on published answers."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from wheretaken.errors import DataError, UserError
from wheretaken.evals.candidates import read_candidates
from wheretaken.evals.crossfit import Case, Weighting, crossfit, fit, fit_calibration, half
from wheretaken.evals.distances import score_results
from wheretaken.evals.results import read_results
from wheretaken.evals.voting import knows, read_weighting, vote
from wheretaken.sampling.calibration import MEASURED, SCALES_KM, Calibration, Curve
from wheretaken.sampling.model import Ballot
from wheretaken.sampling.vote import Decision, decide

PLACE = (48.0, 2.0)
NEAR, FAR = (48.001, 2.001), (10.0, 100.0)


def line(name, answer, truth=PLACE):
    text = "I cannot tell." if answer is None else json.dumps({"lat": answer[0], "lon": answer[1]})
    truth = {"lat": truth[0], "lon": truth[1], "image": name}
    return {"index": 0, "ground_truth": truth, "solution_str": text}


@pytest.fixture
def written(tmp_path):
    """Writes each keyword's lines into a file of that name and returns the paths."""

    def write(**files):
        paths = []
        for name, lines in files.items():
            path = tmp_path / f"{name}.jsonl"
            path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
            paths.append(path)
        return paths

    return write


def made_up(photos, seed=0):
    """Cases of three voters, of whom the first is the best; the others often name the same wrong place."""
    drawn = np.random.default_rng(seed)
    cases = []
    for k in range(photos):
        ballots, km = [], []
        for voter, skill in (("good", 0.8), ("fair", 0.5), ("poor", 0.3)):
            distance = drawn.choice([0.2, 5.0]) if drawn.random() < skill else 3000.0
            ballots.append(Ballot(voter, distance / 111.2, float(drawn.uniform(0, 0.001))))
            km.append(float(distance))
        cases.append(Case(f"photo {k}", tuple(ballots), tuple(km)))
    return cases


# Joining


def test_files_are_joined_by_id_over_all_photos_in_the_order_of_appearance(written):
    paths = written(a=[line("x", NEAR), line("y", NEAR)], b=[line("z", FAR), line("x", None)])
    candidates = read_candidates(paths)
    assert [photo.id for photo in candidates.photos] == ["x", "y", "z"]
    assert candidates.lacking() == [1, 1]
    x, y, z = candidates.cases()
    assert x.ballots == (Ballot("a", *NEAR), Ballot("b"))
    assert y.ballots == (Ballot("a", *NEAR), Ballot("b"))
    assert z.ballots == (Ballot("a"), Ballot("b", *FAR))
    assert x.km[1] == y.km[1] == z.km[0] == math.inf
    a, b = vote(candidates).report.files
    assert (a.acc["500m"], b.acc["750km"]) == (pytest.approx(2 / 3), 0), "a photo that is lacking is wrong"


def test_who_votes_is_the_model_that_a_file_names_or_else_the_file(written, tmp_path):
    ours = {"id": "x", "truth": {"lat": 48.0, "lon": 2.0}, "status": "refused", "model": "some-model"}
    plain, named = written(plain=[line("x", NEAR)], named=[ours])
    assert read_candidates([plain, named]).voters == ("plain", "some-model")
    (again,) = written(again=[ours])
    assert read_candidates([again, named]).voters == ("again", "named"), "one model, with and without tools"
    (tmp_path / "other").mkdir()
    twin = plain.rename(tmp_path / "other" / "named.jsonl")
    unnamed = named.with_name("unnamed.jsonl")
    unnamed.write_text(json.dumps(line("x", FAR)) + "\n")
    assert read_candidates([unnamed, twin]).voters == ("unnamed", "named")
    named.write_text(json.dumps(line("x", FAR)) + "\n")
    assert read_candidates([named, twin]).voters == (str(named), str(twin))


def test_several_lines_about_a_photo_are_several_candidates_of_one_voter(written):
    paths = written(a=[line("x", NEAR), line("x", NEAR), line("x", FAR)])
    report = vote(read_candidates(paths)).report
    assert report.n == 1
    assert report.vote.acc["500m"] == report.oracle.acc["500m"] == 1
    assert report.best_single.acc["500m"] == report.mean_single.acc["500m"] == pytest.approx(2 / 3)
    assert [(group.agree, group.of, group.share) for group in report.agreement] == [(2, 3, 2 / 3)]


def test_files_that_disagree_about_a_place_are_named_both(written):
    paths = written(a=[line("x", NEAR)], b=[line("x", NEAR, truth=(48.005, 2.0))])
    with pytest.raises(DataError, match=r"a\.jsonl and .*b\.jsonl disagree about where 'x' .*by 0\.556 km"):
        read_candidates(paths)


def test_the_last_digits_of_a_truth_are_no_disagreement(written):
    paths = written(a=[line("x", NEAR)], b=[line("x", FAR, truth=(48.0000004, 2.0))])
    assert len(read_candidates(paths).photos) == 1


def test_a_picture_that_the_set_lists_at_two_places_is_two_photos(written):
    lines = [line("x", NEAR), line("x", FAR, truth=FAR) | {"index": 1}]
    candidates = read_candidates(written(a=lines, b=lines[::-1]))
    assert [(photo.id, photo.truth.lat, len(case.ballots)) for photo, case in zip(
        candidates.photos, candidates.cases(), strict=True
    )] == [("x#0", 48.0, 2), ("x#1", 10.0, 2)]  # fmt: skip
    assert vote(candidates).report.vote.acc["500m"] == 1


def test_a_file_about_other_photos_or_one_that_is_named_twice_is_refused(written):
    a, b = written(a=[line("x", NEAR)], b=[line("y", NEAR)])
    with pytest.raises(DataError, match=r"a\.jsonl and .*b\.jsonl have no photo in common"):
        read_candidates([a, b])
    with pytest.raises(UserError, match=r"a\.jsonl is named twice"):
        read_candidates([a, a])


# Answers


def test_the_result_is_the_chosen_answer_with_the_agreement_and_the_cost_of_all_runs(written, tmp_path):
    base = {"id": "x", "truth": {"lat": 48.0, "lon": 2.0}, "status": "answered"}
    base |= {"model": "m", "seconds": 2.0, "usage": {"prompt_tokens": 10}}
    lines = [
        base | {"answer": {"lat": lat, "lon": 2.0, "city": city, "radius_km": 9.0}, "runs": [run]}
        for lat, city, run in ((48.001, "here", "r1"), (48.002, "here", "r2"), (10.0, "there", "r3"))
    ]
    (path,) = written(runs=lines)
    (result,) = vote(read_candidates([path])).results
    assert result.answer.city == "here"
    assert result.answer.radius_km != 9.0
    assert 0 < result.answer.confidence < 1
    assert (result.agree, result.runs, result.seconds) == (2, ("r1", "r2", "r3"), 6.0)
    assert result.usage.prompt_tokens == 30


def test_without_any_position_the_photo_stays_and_says_why_there_is_none(written):
    found = vote(read_candidates(written(a=[line("x", None)], b=[line("x", None)])))
    (result,) = found.results
    assert (result.status, result.answer, result.agree) == ("refused", None, 0)
    assert result.detail
    assert found.report.vote.acc["750km"] == 0
    assert found.report.reliability is None


# Weights


def test_weights_follow_skill_and_are_one_in_the_mean():
    weights = fit(made_up(400)).weights
    assert weights["good"] > weights["fair"] > weights["poor"] > 0
    assert sum(weights.values()) == pytest.approx(3)


def test_a_voter_that_is_never_right_still_has_a_weight():
    cases = [Case("x", (Ballot("a", *NEAR), Ballot("b", *FAR)), (0.1, 9000.0))]
    assert 0 < fit(cases).weights["b"] < fit(cases).weights["a"]


def test_what_is_used_for_a_photo_never_saw_its_truth():
    cases = made_up(60)
    for k in range(0, 60, 7):
        case = cases[k]
        lied = [*cases[:k], replace(case, km=(0.0, 0.0, 19_000.0)), *cases[k + 1 :]]
        used, other = half(case.id), 1 - half(case.id)
        assert crossfit(lied)[used] == crossfit(cases)[used]
        assert crossfit(lied)[other] != crossfit(cases)[other], "the truth must matter where it may"


def test_the_halves_depend_on_the_ids_alone_and_are_about_equal():
    names = [f"images/{k:06}.jpg" for k in range(2000)]
    assert 900 < sum(map(half, names)) < 1100
    cases = made_up(50)
    for one, two in zip(crossfit(cases), crossfit(cases[::-1]), strict=True):
        assert one.weights == pytest.approx(two.weights)
        assert one.fitted_on == two.fitted_on


def test_one_photo_alone_is_voted_on_with_equal_weights(written):
    paths = written(a=[line("x", NEAR)], b=[line("x", FAR)])
    report = vote(read_candidates(paths), "crossfit").report
    assert report.halves[half("x")] == {}
    assert report.n == 1


def test_weights_from_a_file_decide_and_must_name_every_voter(written):
    candidates = read_candidates(written(a=[line("x", NEAR)], b=[line("x", FAR)]))
    for weights, right in (({"a": 2, "b": 1}, 1.0), ({"a": 1, "b": 2}, 0.0)):
        assert vote(candidates, Weighting(weights=weights)).report.vote.acc["25km"] == right
    with pytest.raises(DataError, match=r"the weights have none for 'b' \(.*b\.jsonl\): they are for 'a'"):
        vote(candidates, Weighting(weights={"a": 1}))


def test_a_weighting_knows_its_own_photos(written):
    candidates = read_candidates(written(a=[line("x", NEAR)], b=[line("x", FAR)]))
    assert knows(fit(candidates.cases()), candidates)
    assert not knows(fit(made_up(3)), candidates)


def test_weights_are_read_from_their_file_or_from_the_whole_report(written, tmp_path):
    found = vote(read_candidates(written(a=[line("x", NEAR)], b=[line("x", FAR)])), "crossfit").report
    path = tmp_path / "weights.json"
    for model in (found.weighting, found):
        path.write_text(model.model_dump_json())
        assert read_weighting(path) == found.weighting


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"weights\.json is no JSON"),
        ("[1]", r"weights\.json holds no weights \(the whole: "),
        ('{"weights": {"a": 0}}', r"holds no weights \(weights\.a: .*greater than 0"),
        ('{"weights": {"a": NaN}}', r"holds no weights \(weights\.a: .*finite"),
        ('{"weights": {}, "calibration": {"curves": []}}', r"holds no weights \(calibration\.curves: "),
    ],
)
def test_a_file_that_holds_no_weights_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "weights.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_weighting(path)
    with pytest.raises(DataError, match="no weights at"):
        read_weighting(tmp_path / "missing.json")


# Calibration


def test_the_curves_of_made_up_votes_are_found_again():
    truth = Calibration(curves=(Curve(even=0.5, minority=0.7, majority=1.6),) * len(SCALES_KM))
    drawn = np.random.default_rng(1)
    near = np.repeat(drawn.integers(1, 9, size=(20_000, 1)), len(SCALES_KM), axis=1)
    decisions = [Decision(0, tuple(row), 8) for row in near.tolist()]
    chances = truth.confidences(near, np.full(len(near), 8))
    right = drawn.random(len(near)) < chances
    fitted = fit_calibration(decisions, np.where(right, 0.1, 19_000.0))
    for curve in fitted.curves:
        assert (curve.even, curve.minority, curve.majority) == pytest.approx((0.5, 0.7, 1.6), abs=0.1)


def test_few_votes_leave_the_curves_where_they_were():
    assert fit_calibration([], np.empty(0)) == MEASURED
    alone = Decision(0, (1,) * len(SCALES_KM), 1)
    assert fit_calibration([alone] * 50, np.full(50, 0.1)) == MEASURED
    all_agree = Decision(0, (4,) * len(SCALES_KM), 4)
    for before, after in zip(
        MEASURED.curves, fit_calibration([all_agree] * 3, np.full(3, 0.1)).curves, strict=True
    ):
        assert before.even <= after.even < before.even + 0.5


# Published answers

GEOBENCH = ("gpt5", "o3", "qwen3vl235b", "test_qwen3vl30b")
MAPBENCH = ("gpt5", "o3", "qwen3vl235b")


@pytest.fixture(scope="module")
def geobench(shared):
    return read_candidates([shared / "published" / f"geobenchwocn_{name}.jsonl" for name in GEOBENCH])


@pytest.fixture(scope="module")
def mapbench(shared):
    return read_candidates([shared / "published" / f"amap_v1_{name}.jsonl" for name in MAPBENCH])


@pytest.fixture(scope="module")
def expected(shared):
    return json.loads((shared / "published" / "expected.json").read_text(encoding="utf-8"))["vote"]


def percent(rates):
    return np.round([100 * share for share in rates.acc.values()], 2)


def test_on_geobench_the_plain_vote_is_as_good_as_published_and_better_than_any_single(geobench, expected):
    report = vote(geobench).report
    assert report.n == 934
    assert (percent(report.vote) >= expected["plain_vote_smooth_kernel"]).all()
    assert report.vote.score > report.best_single.score > report.mean_single.score
    assert report.best_single.voter == "geobenchwocn_gpt5"
    # One reading more or less of one of the four files moves these by a few hundredths.
    assert percent(report.best_single) == pytest.approx(expected["best_single_gpt5"], abs=0.06)
    assert percent(report.mean_single) == pytest.approx(expected["mean_single"], abs=0.25)
    assert percent(report.oracle) == pytest.approx(expected["oracle"], abs=0.15)


def test_on_geobench_agreement_tells_how_often_the_vote_is_right(geobench, expected):
    groups = {f"{group.agree}/{group.of}": group for group in vote(geobench).report.agreement}
    found = {name: group.acc_25km for name, group in groups.items()}
    assert found == pytest.approx(expected["right_within_25km_by_agreement"], abs=0.002)
    assert sum(group.n for group in groups.values()) == 934


def test_on_geobench_cross_fitted_weights_reach_the_published_row(geobench, expected):
    report = vote(geobench, "crossfit").report
    assert (percent(report.vote) >= expected["two_fold_model_weights"]).all()
    for weights in report.halves:
        assert max(weights, key=weights.get) == "geobenchwocn_gpt5"


def test_cross_fitted_radius_and_confidence_hold_on_the_half_they_were_not_fitted_on(geobench, mapbench):
    for candidates in (geobench, mapbench):
        kept = vote(candidates, "crossfit").report.reliability
        assert 0.78 <= kept.radius_holds <= 0.82
        assert kept.ece_25km < 0.03


def test_the_level_of_radii_mends_curves_that_a_line_between_two_distances_leaves():
    # The truth is never between 25 and 200 km, where a line between the two says that half of it is.
    km = np.array([1.0, 30.0] * 400)
    decisions = [Decision(0, (1, 1, 2, 2, 2, 2, 2), 2)] * len(km)
    fitted = fit_calibration(decisions, km)
    near, of = np.array([decisions[0].near]), np.array([2])
    for calibration, holds in ((fitted, 1.0), (fitted.model_copy(update={"level": 0.3}), 0.5)):
        assert (km <= calibration.radii_km(near, of)[0]).mean() == holds
    assert fitted.radii_km(near, of)[0] == pytest.approx(30, rel=0.02)


def test_a_few_photos_move_the_level_of_radii_only_a_little():
    assert fit_calibration([], np.array([])).level == 0.8
    far = fit_calibration([Decision(0, (1, 1, 1, 1, 1, 1, 1), 2)] * 2, np.array([9000.0] * 2))
    assert 0.8 < far.level < 1


def test_on_mapbench_the_same_kernel_beats_the_mean_and_with_weights_the_best_single(mapbench):
    plain, weighted = vote(mapbench).report, vote(mapbench, "crossfit").report
    assert plain.mean_single.score < plain.vote.score < plain.best_single.score, "two of three are poor here"
    assert weighted.vote.score > weighted.best_single.score


def test_the_measured_curves_are_those_of_the_published_votes(geobench, mapbench):
    from itertools import combinations

    decisions, km = [], []
    for candidates, voters in ((geobench, 4), (mapbench, 3)):
        cases = [case for case in candidates.cases() if len(case.ballots) == voters]
        for size in range(2, voters + 1):
            for chosen in combinations(range(voters), size):
                found = decide([[case.ballots[k] for k in chosen] for case in cases])
                decisions += found
                km += [
                    math.inf if one.chosen is None else case.km[chosen[one.chosen]]
                    for case, one in zip(cases, found, strict=True)
                ]
    plain = Calibration(curves=(Curve(even=0, minority=1, majority=1),) * len(SCALES_KM))
    fitted = fit_calibration(decisions, np.array(km), plain)
    for ours, again in zip(MEASURED.curves, fitted.curves, strict=True):
        assert (ours.even, ours.minority, ours.majority) == pytest.approx(
            (again.even, again.minority, again.majority), abs=0.05
        )


def test_a_file_of_voted_answers_scores_as_the_vote_did(geobench, tmp_path):
    found = vote(geobench, "crossfit")
    path = tmp_path / "voted.jsonl"
    path.write_text("".join(result.model_dump_json() + "\n" for result in found.results), encoding="utf-8")
    score = score_results(read_results(path))
    assert (score.n, score.score) == (934, pytest.approx(found.report.vote.score))
    assert score.acc == pytest.approx(found.report.vote.acc)
