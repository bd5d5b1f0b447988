"""The report in headless Chromium: it works by keyboard, is silent, asks for nothing, fits every width."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from report_runs import bare_run, full_run, hostile_run
from saddlepoint.report import write


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs chromium and chromedriver (Debian packages chromium and chromium-driver)")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = chromium
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


def open_page(browser: Any, run: Path, width: int = 1280) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("browser"), browser.get_log("performance")  # what earlier pages left
    browser.get(write(run).as_uri())


def shown(browser: Any) -> tuple[str, bytes]:
    """The label of the sample picture on display, and its pixels."""
    (picture,) = (
        image for image in browser.find_elements("css selector", ".frames img") if image.is_displayed()
    )
    return picture.get_attribute("data-label"), picture.screenshot_as_png


def requested(browser: Any) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [event["params"]["request"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [request["url"] for request in sent]


def test_the_slider_moves_by_keys_and_the_picture_follows(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(browser, full_run(tmp_path, steps=600, pictures=4))
    slider = browser.find_element("id", "slider")
    last = shown(browser)
    slider.send_keys(Keys.HOME)
    first = shown(browser)
    slider.send_keys(Keys.ARROW_RIGHT)
    second = shown(browser)
    assert [label for label, _ in (first, second, last)] == [
        "step 0",
        "step 200 · 12,800 images",
        "step 600 · 38,400 images",
    ]
    assert len({pixels for _, pixels in (first, second, last)}) == 3
    assert browser.find_element("css selector", "output").text == second[0]
    assert slider.get_attribute("aria-valuetext") == second[0]
    readings = [table for table in browser.find_elements("css selector", ".reading") if table.is_displayed()]
    assert len(readings) == 1
    assert "Scores at step 200, average weights" in readings[0].text
    slider.send_keys(Keys.END)
    assert shown(browser) == last
    assert browser.get_log("browser") == []


def test_every_player_shows_its_own_frames(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    run = full_run(tmp_path, steps=600, pictures=4)
    (run / "planes").mkdir()
    for step in (0, 600):
        shutil.copy(run / "samples" / f"{step:08}.png", run / "planes")
    open_page(browser, run)
    labels = "return [...document.querySelectorAll('output')].map(e => e.textContent)"
    first, last = "step 0", "step 600 · 38,400 images"
    assert browser.execute_script(labels) == [last, last]
    browser.find_element("id", "plane-slider").send_keys(Keys.HOME)
    assert browser.execute_script(labels) == [last, first]
    browser.find_element("id", "slider").send_keys(Keys.HOME)
    browser.find_element("id", "plane-slider").send_keys(Keys.END)
    assert browser.execute_script(labels) == [first, last]
    pictures = browser.find_elements("css selector", ".frames img")
    assert [p.get_attribute("data-label") for p in pictures if p.is_displayed()] == [first, last]
    assert browser.get_log("browser") == []


def test_play_runs_from_the_start_to_the_end_and_stops(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    open_page(browser, full_run(tmp_path, steps=600, pictures=4))
    button = browser.find_element("css selector", "[data-play]")
    button.send_keys(" ")  # by keyboard
    assert button.text == "Pause"
    assert shown(browser)[0] != "step 600 · 38,400 images"
    WebDriverWait(browser, 15).until(lambda _: button.text == "Play")
    assert shown(browser)[0] == "step 600 · 38,400 images"
    assert browser.get_log("browser") == []


def test_the_page_asks_the_network_for_nothing(browser: Any, tmp_path: Path) -> None:
    open_page(browser, full_run(tmp_path, steps=60, pictures=3))
    addresses = requested(browser)
    assert any(address.endswith("report.html") for address in addresses)
    assert [address for address in addresses if not address.startswith(("file://", "data:"))] == []
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("make", [bare_run, full_run, hostile_run])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_sideways(browser: Any, tmp_path: Path, make: Any, width: int) -> None:
    open_page(browser, make(tmp_path), width)
    page = "document.documentElement"
    wide, visible = browser.execute_script(f"return [{page}.scrollWidth, {page}.clientWidth]")
    assert visible > width - 20
    assert wide <= visible


def test_hostile_names_do_nothing_in_a_browser(browser: Any, tmp_path: Path) -> None:
    open_page(browser, hostile_run(tmp_path))
    assert browser.execute_script("return window.hacked === undefined")
    assert browser.execute_script("return document.scripts.length") == 1
    assert browser.get_log("browser") == []
