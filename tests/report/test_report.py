"""report.html of small runs in a real browser: test_report.py ROOT COMMAND [--shots FOLDER]

Exits 77, for skipped, when there is no Chromium (scripts/test-report installs one). --shots keeps the runs and
writes screenshots of every report: wide and narrow, light and dark.
"""

import gzip
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

import browser

SHOTS = pathlib.Path(sys.argv.pop()).resolve() if "--shots" in sys.argv else None
if SHOTS:
    sys.argv.pop()
COMMAND = pathlib.Path(sys.argv.pop()).resolve()
ROOT = pathlib.Path(sys.argv.pop()).resolve()

# Of 1,000 images each; what is not said is as in the model file.
RUNS = {
    "autoencoder": ["hidden=[64,32]", "train.epochs=3"],
    "vae": ["hidden=100", "train.epochs=2"],
    "conditional_vae": ["hidden=100", "train.epochs=1"],
    "convolutional": ["channels=[4,8]", "units=5", "train.epochs=1"],
    "gan": ["train.epochs=1"],
    "vq_vae": ["channels=8", "train.epochs=1"],
    "stacked_ae": ["hidden=[64,32]", "units=8", "train.phases.fine.epochs=2"],
    "pretrain_classifier": ["hidden=[32,16]", "units=4", "train.phases.scratch.epochs=2", "train.phases.scratch.draws=3",
                            "train.phases.scratch.subset.first=900", "train.phases.layers.subset.first=900",
                            "train.phases.layers.epochs=1"],
    "tables/table_anomaly": ["train.epochs=8"],
    "tables/series_anomaly": ["train.epochs=4"],
    "tables/regression": ["train.epochs=2"],
}
EVIL = """</script><script>document.title = 'broken'</script><img src=x onerror="document.title='broken'"> & "' \u2028 </title>"""
FOLDER = None


def small_data():
    data = ROOT / "data" / "fashion_mnist_1200"
    files = ", ".join(
        f"{split}: {{images: {data}/{prefix}-images-idx3-ubyte.gz, labels: {data}/{prefix}-labels-idx1-ubyte.gz}}"
        for split, prefix in (("train", "train"), ("test", "t10k")))
    return f"data: {{{files}}}"


def graphrun(*words):
    result = subprocess.run([COMMAND, *words, "-q"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"graphrun {' '.join(map(str, words))}\nexit {result.returncode}: {result.stderr}")
    return result.stdout


def train(name, settings, change=lambda text: text):
    """Trains a bundled model on the images of the repository; its report."""
    text = (ROOT / "models" / f"{name}.yaml").read_text()
    text = change(text.replace("data: fashion_mnist", small_data()).replace("include: [blocks/", f"include: [{ROOT}/models/blocks/")
                  .replace("../../data/", f"{ROOT}/data/"))
    model = FOLDER / f"{name}.yaml"
    model.parent.mkdir(exist_ok=True)
    model.write_text(text)
    words = [word for setting in settings for word in ("--set", setting)]
    graphrun("train", model, "--out", FOLDER / name, *words)
    return FOLDER / name / "report.html"


def numbers_of_npy(path):
    content = path.read_bytes()
    length = struct.unpack_from("<H", content, 8)[0]
    return struct.unpack(f"<{(len(content) - 10 - length) // 4}f", content[10 + length:])


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(browser.Browser(browser.find_chromium()))

    def open(self, name, width=1280, height=900, dark=False):
        self.browser.show(width, height, dark)
        report = FOLDER / name / "report.html"
        if not report.exists():
            train(name, RUNS[name])
        self.browser.open(report)
        return report

    def value(self, expression):
        return self.browser.value(expression)

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)})?.textContent")

    def picture(self, selector="#decoded"):
        return self.value(f"document.querySelector({json.dumps(selector)}).toDataURL()")

    # ---- All reports ----

    def test_every_report_loads_without_a_complaint_and_fits_a_phone(self):
        for name in RUNS:
            for width in (1280, 360):
                with self.subTest(name, width=width):
                    report = self.open(name, width, 800, dark=width == 360)
                    self.assertLess(report.stat().st_size, 15_000_000)
                    self.assertEqual([], self.browser.complaints())
                    self.assertEqual(pathlib.Path(name).name, self.text("h1"))
                    self.assertLessEqual(self.value("document.documentElement.scrollWidth"), width)
                    self.assertGreater(self.value("document.querySelectorAll('main section').length"), 3)

    def test_screen_readers_find_their_way(self):
        for name in RUNS:
            with self.subTest(name):
                self.open(name)
                self.assertEqual(1, self.value("document.querySelectorAll('h1').length"))
                levels = self.value("[...document.querySelectorAll('h1, h2, h3')].map((heading) => Number(heading.tagName[1]))")
                self.assertTrue(all(after - before <= 1 for before, after in zip(levels, levels[1:])), levels)
                self.assertEqual([], self.value("""[...document.querySelectorAll('canvas, svg, img')].filter((picture) =>
                    !picture.closest('[aria-hidden]') && !picture.getAttribute('aria-label') && !picture.getAttribute('alt'))
                    .map((picture) => picture.outerHTML.slice(0, 200))"""))
                self.assertEqual([], self.value("""[...document.querySelectorAll('button, select, input, a, summary')].filter((control) =>
                    !(control.textContent.trim() || control.getAttribute('aria-label') || control.labels?.length))
                    .map((control) => control.outerHTML.slice(0, 200))"""))
                self.assertTrue(self.value("[...document.querySelectorAll('nav a')].every((link) => document.querySelector(link.getAttribute('href')))"))
                self.assertEqual([], self.value("""[...document.querySelectorAll('[id]')].map(({id}) => id)
                    .filter((id, i, all) => all.indexOf(id) !== i)"""))
                for landmark in ("header", "nav[aria-label]", "main", "footer", "[aria-live]"):
                    self.assertTrue(self.value(f"document.querySelector('{landmark}') !== null"), landmark)

    def test_layers_are_drawn_apart(self):
        """Boxes of the graph do not lie on each other, and their words lie in them."""
        for name in RUNS:
            with self.subTest(name):
                self.open(name)
                self.assertEqual([], self.value("""(() => {
                  const groups = [...document.querySelectorAll('.layers svg > g')];
                  const boxes = groups.map((group) => group.querySelector('rect').getBBox());
                  const apart = (a, b) => a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
                  const faults = [];
                  boxes.forEach((a, i) => boxes.slice(0, i).forEach((b) => { if (!apart(a, b)) faults.push(groups[i].textContent); }));
                  groups.forEach((group, i) => group.querySelectorAll('text').forEach((text) => {
                    const words = text.getBBox();
                    if (words.x < boxes[i].x || words.x + words.width > boxes[i].x + boxes[i].width) faults.push(`too long: ${text.textContent}`);
                  }));
                  return faults;
                })()"""))

    # ---- The decoder in the page ----

    def test_the_decoder_in_the_page_is_the_models(self):
        for name in ("autoencoder", "vae", "convolutional", "stacked_ae"):
            with self.subTest(name):
                self.open(name)
                run = FOLDER / name
                graphrun("encode", run, "--first", "8", "--out", run / "codes.npy")
                graphrun("decode", run, run / "codes.npy", "--out", run / "decoded.npy")
                codes = numbers_of_npy(run / "codes.npy")
                width = len(codes) // 8
                wanted = numbers_of_npy(run / "decoded.npy")
                self.assertEqual("f32", self.value("data.decoder.precision"))
                made = self.value(f"""(() => {{
                  const decode = makeDecoder(data.decoder);
                  const codes = {json.dumps(codes)};
                  return Array.from({{length: 8}}, (_, i) => [...decode(codes.slice(i * {width}, (i + 1) * {width}))]).flat();
                }})()""")
                self.assertEqual(len(wanted), len(made))
                self.assertGreater(max(wanted) - min(wanted), 0.1)
                self.assertLess(max(abs(a - b) for a, b in zip(wanted, made)), 1e-5)

    def test_a_decoder_that_is_told_the_label_draws_each(self):
        self.open("conditional_vae")
        first = self.picture()
        self.assertEqual(10, self.value("document.querySelectorAll('#plane-label option').length"))
        self.value("(() => { const select = document.querySelector('#plane-label'); select.value = '8'; select.dispatchEvent(new Event('change')); })()")
        self.browser.wait_for(f"document.querySelector('#decoded').toDataURL() !== {json.dumps(first)}")

    def test_a_decoder_that_cannot_run_says_why(self):
        self.open("vq_vae")
        self.assertIn("its codes are indices", self.text("#decoder"))
        self.assertFalse(self.value("document.querySelector('#code-plane') !== null"))

    def test_every_op_that_is_exported_runs(self):
        self.open("autoencoder")
        source = (ROOT / "show" / "report" / "page_decoder.cpp").read_text()
        listed = re.search(r"ops_of_the_page = \{(.*?)\}", source, re.DOTALL).group(1)
        self.assertEqual(sorted(re.findall(r'"(\w+)"', listed)),
                         self.value("Object.keys({...unaryOps, ...binaryOps, ...otherOps}).sort()"))

    def test_dragging_over_the_plane_changes_the_picture(self):
        for name, width in (("autoencoder", 1280), ("vae", 1280), ("gan", 360)):
            with self.subTest(name):
                self.open(name, width)
                self.assertEqual([], self.browser.complaints())
                before = self.picture()
                at = self.browser.centre("#code-plane", 0.2, 0.8)
                self.browser.mouse("mousePressed", *at, True)
                self.browser.wait_for(f"document.querySelector('#decoded').toDataURL() !== {json.dumps(before)}")
                pressed = self.picture()
                self.browser.mouse("mouseMoved", at[0] + 90, at[1] - 90, True)
                self.browser.wait_for(f"document.querySelector('#decoded').toDataURL() !== {json.dumps(pressed)}")
                dragged = self.text("#decoded-code")
                self.browser.mouse("mouseReleased", at[0] + 90, at[1] - 90)
                self.browser.mouse("mouseMoved", at[0] + 20, at[1] - 20)
                self.value("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
                self.assertEqual(dragged, self.text("#decoded-code"))

    def test_arrow_keys_move_the_code_and_it_is_said(self):
        self.open("autoencoder")
        self.value("document.querySelector('#code-plane').focus()")
        before = self.picture()
        start = self.value("Number(document.querySelector('#slider-0').value)")
        for _ in range(6):
            self.browser.press("ArrowRight", shift=True)
        self.browser.wait_for(f"Number(document.querySelector('#slider-0').value) > {start}")
        self.assertNotEqual(before, self.picture())
        self.browser.wait_for("document.querySelector('#spoken').textContent.startsWith('Decoded at unit 0')")
        self.browser.press("Home")
        self.browser.wait_for(f"Number(document.querySelector('#slider-0').value) === {start}")
        self.assertEqual(before, self.picture())

    def test_the_grid_fills_with_pictures(self):
        self.open("stacked_ae")
        self.browser.wait_for("""(() => {
          const grid = document.querySelector('.board canvas');
          const pixels = grid.getContext('2d').getImageData(0, 0, grid.width, grid.height).data;
          return pixels.filter((_, i) => i % 4 === 3).every((opaque) => opaque === 255);
        })()""")

    # ---- Codes and curves ----

    def test_pointing_at_a_code_shows_its_image(self):
        self.open("autoencoder")
        for i in (3, 50):
            x, y = self.value(f"""(() => {{
              const points = document.querySelectorAll('#codes circle.point');
              points[{i}].scrollIntoView({{block: 'center', behavior: 'instant'}});
              const box = points[{i}].getBoundingClientRect();
              return [box.left + box.width / 2, box.top + box.height / 2];
            }})()""")
            self.browser.mouse("mouseMoved", x, y)
            self.assertFalse(self.value("document.querySelector('#codes .tip').hidden"))
            self.assertRegex(self.text("#codes .tip"), r"test image \d+, \d")
            self.assertEqual([28, 28], self.value("(({width, height}) => [width, height])(document.querySelector('#codes .tip canvas'))"))
        shown = self.picture("#codes .tip canvas")
        number = int(re.search(r"image (\d+)", self.text("#codes .tip")).group(1))
        pixels = self.value("[...document.querySelector('#codes .tip canvas').getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)")
        self.assertEqual(list(self.images()[784 * number:784 * (number + 1)]), pixels)
        self.value("document.querySelector('#codes svg').focus()")
        pictures = {shown}
        for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"):
            self.browser.press(key)
            pictures.add(self.picture("#codes .tip canvas"))
        self.assertGreater(len(pictures), 2)
        self.browser.wait_for("document.querySelector('#spoken').textContent.startsWith('test image')")

    @staticmethod
    def images():
        return gzip.decompress((ROOT / "data" / "fashion_mnist_1200" / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]

    def test_images_that_are_made_of_noise_are_no_reconstructions(self):
        self.open("gan")
        self.assertFalse(self.value("document.querySelector('#reconstructions') !== null"))

    def test_labels_can_be_hidden(self):
        self.open("vae")
        count = "document.querySelectorAll('#codes circle.point').length"
        self.assertEqual(200, self.value(count))
        self.browser.click("#codes .classes button")
        self.assertEqual("false", self.value("document.querySelector('#codes .classes button').getAttribute('aria-pressed')"))
        self.assertLess(self.value(count), 200)
        self.browser.click("#codes .classes button")
        self.assertEqual(200, self.value(count))

    def test_a_chosen_code_is_where_the_decoder_begins(self):
        self.open("stacked_ae")
        self.value("document.querySelector('#codes svg').focus()")
        self.browser.press("ArrowRight")
        self.browser.press("Enter")
        number = int(re.search(r"image (\d+)", self.text("#codes .tip") or "image 0").group(1))
        self.assertEqual("code-plane", self.value("document.activeElement.id"))
        wanted = self.value(f"[...makeDecoder(data.decoder)(rowOf(numbersOf(data.codes.values, 'f32'), data.latent.width, {number}))]")
        self.value("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        pixels = self.value("[...document.querySelector('#decoded').getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)")
        self.assertLess(max(abs(255 * a - b) for a, b in zip(wanted, pixels)), 1)

    def test_pointing_at_a_curve_shows_its_values(self):
        report = self.open("autoencoder")
        rows = (report.parent / "metrics.csv").read_text().splitlines()
        step, value = rows[2].split(",")[0], float(rows[2].split(",")[rows[0].split(",").index("test.loss")])
        x, y = self.browser.centre("#curves svg", 0.7)
        self.browser.mouse("mouseMoved", x, y)
        tip = self.text("#curves .tip")
        self.assertIn(f"step {step}", tip)
        self.assertIn(f"test {value:.5g}".rstrip("0"), tip)
        self.value("document.querySelector('#curves svg').focus()")
        self.browser.press("End")
        self.assertIn(f"step {rows[-1].split(',')[0]}", self.text("#curves .tip"))
        self.browser.click("#curves summary")
        self.browser.wait_for("document.querySelectorAll('#curves tbody tr').length === 3")

    def test_phases_and_layers_are_marked(self):
        self.open("stacked_ae")
        self.assertIn("layers", self.text("#curves svg"))
        self.assertIn("fine", self.text("#curves svg"))
        self.open("pretrain_classifier")
        self.assertGreater(self.value("document.querySelectorAll('#curves .phase-line').length"), 0)
        results = self.text("#results")
        for word in ("scratch", "layers", "plain", "\u00b1", "plain \u2212 scratch"):
            self.assertIn(word, results)

    # ---- Tables and series ----

    def test_rows_are_shown_with_their_scores(self):
        self.open("tables/table_anomaly")
        self.assertEqual(3, self.value("document.querySelectorAll('#scores .chart').length"))
        self.assertEqual(15, self.value("document.querySelectorAll('#scores table.worst tbody tr').length"))
        self.assertGreater(self.value("document.querySelectorAll('#scores rect.bar').length"), 10)
        self.assertEqual(1, self.value("document.querySelectorAll('#scores line.mark').length"))
        self.assertEqual(["works", "broken"], self.value("[...document.querySelectorAll('#scores table.matrix tbody th')].map((cell) => cell.textContent)"))
        self.assertEqual(800, self.value("[...document.querySelectorAll('#scores table.matrix tbody tr')].flatMap((row) => [...row.querySelectorAll('td')].slice(0, 2)).reduce((sum, cell) => sum + Number(cell.textContent), 0)"))

    def test_codes_are_coloured_by_any_column(self):
        self.open("tables/table_anomaly")
        fills = "[...new Set([...document.querySelectorAll('#codes circle.point')].map((point) => point.getAttribute('fill')))].length"
        names = self.value("[...document.querySelectorAll('#codes select option')].map((option) => option.textContent)")
        self.assertEqual(["nothing", "temp", "press", "rpm", "flow", "volt", "power", "kind", "site"], names)
        for value, least, most in ((0, 50, 1000), (6, 3, 4)):
            self.value(f"(() => {{ const select = document.querySelector('#codes select'); select.value = '{value}'; select.dispatchEvent(new Event('change')); }})()")
            self.assertTrue(least <= self.value(fills) <= most)

    def test_a_series_shows_what_is_flagged(self):
        self.open("tables/series_anomaly")
        self.assertEqual(3, self.value("document.querySelectorAll('#series .chart').length"))
        for kind in ("first", "second"):
            self.assertGreater(self.value(f"document.querySelectorAll('#series rect.stretch.{kind}').length"), 0)

    def test_no_word_of_images_where_there_are_none(self):
        for name in ("tables/table_anomaly", "tables/series_anomaly", "tables/regression"):
            with self.subTest(name):
                self.open(name)
                for words in ("document.body.innerText", "[...document.querySelectorAll('[aria-label]')].map((each) => each.ariaLabel).join(' ')"):
                    self.assertNotRegex(self.value(words).split("graphrun: 1")[0].lower(), r"image|picture")

    # ---- The page as a whole ----

    def test_light_and_dark(self):
        paper = "getComputedStyle(document.body).backgroundColor"
        self.open("autoencoder", dark=False)
        light = self.value(paper)
        self.browser.click("#theme")
        dark = self.value(paper)
        self.assertNotEqual(light, dark)
        self.browser.click("#theme")
        self.assertEqual(light, self.value(paper))
        self.value("localStorage.clear()")
        self.open("autoencoder", dark=True)
        self.assertEqual(dark, self.value(paper))

    def test_text_of_a_model_is_never_markup(self):
        evil = train("tied", ["train.epochs=1"], lambda text: re.sub(r"about: .*", "about: " + json.dumps(EVIL, ensure_ascii=False), text))
        self.browser.show(1280, 900)
        self.browser.open(evil)
        self.assertEqual([], self.browser.complaints())
        self.assertEqual("tied \u2013 graphrun", self.value("document.title"))
        self.assertEqual(EVIL, self.text("#about"))
        self.assertEqual(0, self.value("document.querySelectorAll('img').length"))
        self.assertEqual(2, self.value("document.querySelectorAll('script').length"))

    def test_the_policy_of_the_page_lets_no_other_script_run(self):
        self.open("autoencoder")
        self.value("(() => { const script = document.createElement('script'); script.textContent = 'document.title = \"broken\"'; document.head.append(script); })()")
        self.assertNotEqual("broken", self.value("document.title"))
        self.assertIn("Content Security Policy", " ".join(self.browser.complaints()))

    def test_the_command_makes_the_same_page_again(self):
        report = self.open("vae")
        def without_time(path):
            return re.sub(r'"made": "[^"]*"', "", path.read_text())
        first = without_time(report)
        graphrun("report", report.parent, "--out", FOLDER / "again.html")
        self.assertEqual(first, without_time(FOLDER / "again.html"))


def take_shots():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with browser.Browser(browser.find_chromium()) as tab:
        for name in RUNS:
            for width in (1280, 360):
                for dark in (False, True):
                    tab.show(width, 900, dark)
                    tab.open(FOLDER / name / "report.html")
                    tab.value("new Promise((resolve) => setTimeout(resolve, 600))")
                    tab.screenshot(SHOTS / f"{name.replace('/', '-')}-{width}-{'dark' if dark else 'light'}.png", whole=True)


def main():
    global FOLDER
    if browser.find_chromium() is None:
        print("no Chromium is installed; scripts/test-report installs one")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        result = unittest.main(exit=False).result
        if SHOTS:
            take_shots()
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
