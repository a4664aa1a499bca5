// ---- The decoder over a plane of codes --------------------------------------------------------------------

const gridSide = 13;

const plus = (a, b, factor) => a.map((value, i) => value + factor * b[i]);
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const unitVector = (width, unit) => Array.from({length: width}, (_, i) => (i === unit ? 1 : 0));
const rowOf = (values, width, row) => Array.from(values.subarray(row * width, (row + 1) * width));

/** A plane through the space of codes: origin + a u + b v, with the ranges of a and b and where to begin. */
const planes = {
  /** Two units go over their values, all others stay as they are in `base`. */
  units(base, first, second) {
    const {width, low, high} = data.latent;
    const origin = base.map((value, i) => (i === first || i === second ? 0 : value));
    const range = (unit) => [low[unit], high[unit]];
    return {
      origin, u: unitVector(width, first), v: second === null ? null : unitVector(width, second), start: [base[first], second === null ? 0 : base[second]],
      x: {name: `unit ${first}`, range: range(first)}, y: second === null ? null : {name: `unit ${second}`, range: range(second)},
    };
  },
  /** Along the two principal components, through `base`. */
  principal(base) {
    const {mean, first, second} = data.latent.principal;
    const from = plus(base, mean, -1);
    const start = [dot(from, first), dot(from, second)];
    return {
      origin: plus(plus(base, first, -start[0]), second, -start[1]), u: first, v: second, start,
      x: {name: "1st component", range: usualRange(data.codes.x)}, y: {name: "2nd component", range: usualRange(data.codes.y)},
    };
  },
  /** Through the mean and two samples of the prior, which lie at (1, 0) and (0, 1). */
  samples(one, other) {
    const {mean} = data.latent;
    return {
      origin: mean, u: plus(one, mean, -1), v: plus(other, mean, -1), start: [1, 0],
      x: {name: "first sample", range: [-1.3, 1.3]}, y: {name: "second sample", range: [-1.3, 1.3]},
    };
  },
};

class Manifold {
  constructor() {
    this.decode = makeDecoder(data.decoder);
    this.codes = data.codes?.values ? numbersOf(data.codes.values, "f32") : null;
    this.samples = data.samples?.codes ? numbersOf(data.samples.codes, "f32") : null;
    this.base = data.latent.mean;
    this.label = 0;
    this.round = 0;
    this.gridWork = 0;
    this.build();
    this.choosePlane();
  }

  // -- What is on the page --

  build() {
    this.grid = html("canvas", {"aria-hidden": "true"});
    this.halo = svg("circle", {class: "halo", r: 9});
    this.here = svg("circle", {class: "here", r: 9});
    this.surface = svg("svg", {
      id: "code-plane", tabindex: 0, role: "application", "aria-roledescription": "plane of codes",
      "aria-label": "Plane of codes. Drag, or move with the arrow keys, with Shift in larger steps; the picture beside it follows.",
      onpointerdown: (event) => { this.surface.setPointerCapture(event.pointerId); this.drag(event); },
      onpointermove: (event) => { if (event.buttons > 0) this.drag(event); },
      onkeydown: (event) => this.key(event),
    }, this.halo, this.here);
    this.board = html("div", {class: "board"}, this.grid, this.surface);
    this.output = html("canvas", {id: "decoded", role: "img"});
    this.where = html("p", {class: "note", id: "decoded-code"});
    const slider = (axis) => html("input", {type: "range", min: 0, max: 1000, step: 1, id: `slider-${axis}`, oninput: (event) => {
      const range = this.plane[axis === 0 ? "x" : "y"].range;
      this.at[axis] = range[0] + event.target.value / 1000 * (range[1] - range[0]);
      this.move(this.at);
    }});
    this.sliders = [slider(0), slider(1)];
    this.sliderNames = [html("span", {}), html("span", {})];
    this.sliderValues = [html("span", {}), html("span", {})];
    this.sliderRows = [0, 1].map((axis) => html("div", {},
      html("label", {for: `slider-${axis}`}, this.sliderNames[axis], this.sliderValues[axis]), this.sliders[axis]));
    this.element = html("div", {class: "card"}, this.controls(),
      html("div", {class: "manifold"}, this.board,
        html("div", {class: "picture"}, this.output, html("div", {}, this.where, html("div", {class: "sliders"}, ...this.sliderRows)))));
    drawToWidth(this.board, () => this.place());
  }

  controls() {
    const {width, principal} = data.latent;
    const choices = [];
    if (principal) choices.push(["principal", "principal components"]);
    if (this.samples && width > 2) choices.push(["samples", "two samples of the prior"]);
    choices.push(["units", width > 2 ? "two units" : "the code itself"]);
    const option = ([value, text]) => html("option", {value}, text);
    this.kind = html("select", {id: "plane-kind", onchange: () => this.choosePlane()}, ...choices.map(option));
    const units = Array.from({length: width}, (_, unit) => [String(unit), `unit ${unit}`]);
    const select = (chosen) => {
      const element = html("select", {onchange: () => this.choosePlane()}, ...units.map(option));
      element.value = String(chosen);
      return element;
    };
    const [first, second] = width > 1 ? data.latent.widest : [0, 0];
    this.units = [select(first), select(second)];
    this.unitControls = ["to the right", "upwards"].map((name, i) => html("label", {}, name, this.units[i]));
    this.another = html("button", {type: "button", onclick: () => {
      this.round++;
      if (this.kind.value !== "samples" && this.samples) this.base = this.sample(0);
      this.choosePlane();
    }}, "Other samples");
    this.back = html("button", {type: "button", onclick: () => { this.base = data.latent.mean; this.choosePlane(); }}, "From the mean code");
    const labels = data.decoder.labels === 0 ? null : html("label", {}, "label", html("select", {id: "plane-label", onchange: (event) => {
      this.label = Number(event.target.value);
      this.drawGrid();
      this.move(this.at);
    }}, ...Array.from({length: data.decoder.labels}, (_, label) => option([String(label), labelName(label)]))));
    return html("div", {class: "controls"}, width > 2 ? html("label", {}, "plane", this.kind) : null,
      ...(width > 2 ? this.unitControls : []), labels, this.samples && width > 2 ? this.another : null, width > 2 ? this.back : null);
  }

  // -- Which plane --

  sample(offset) {
    const {width} = data.latent;
    return rowOf(this.samples, width, (2 * this.round + offset) % (this.samples.length / width));
  }

  choosePlane() {
    const {width} = data.latent;
    const kind = this.kind.value;
    for (const control of this.unitControls) control.hidden = kind !== "units";
    this.another.hidden = kind === "principal";
    this.back.hidden = kind === "samples" || this.base === data.latent.mean;
    if (kind === "principal") this.plane = planes.principal(this.base);
    else if (kind === "samples") this.plane = planes.samples(this.sample(0), this.sample(1));
    else if (width > 2) this.plane = planes.units(this.base, Number(this.units[0].value), Number(this.units[1].value));
    else this.plane = planes.units(this.base, 0, width === 2 ? 1 : null);
    this.sliderRows[1].hidden = this.plane.y === null;
    this.sliderNames[0].textContent = this.plane.x.name;
    this.sliderNames[1].textContent = this.plane.y?.name ?? "";
    this.drawGrid();
    this.move([...this.plane.start]);
  }

  /** Starts from the code of a test image. */
  startFrom(index) {
    this.base = rowOf(this.codes, data.latent.width, index);
    this.choosePlane();
    this.element.scrollIntoView({block: "center"});
    this.surface.focus({preventScroll: true});
  }

  codeAt([a, b]) {
    const along = plus(this.plane.origin, this.plane.u, a);
    return this.plane.v ? plus(along, this.plane.v, b) : along;
  }

  // -- Moving --

  drag(event) {
    const box = this.surface.getBoundingClientRect();
    const across = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const up = Math.min(Math.max((box.bottom - event.clientY) / box.height, 0), 1);
    const {x, y} = this.plane;
    this.move([x.range[0] + across * (x.range[1] - x.range[0]), y ? y.range[0] + up * (y.range[1] - y.range[0]) : 0]);
  }

  key(event) {
    const directions = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
    if (event.key === "Home") this.move([...this.plane.start]);
    if (!(event.key in directions)) return;
    event.preventDefault();
    const share = event.shiftKey ? 0.1 : 0.02;
    const axes = [this.plane.x, this.plane.y];
    this.move(this.at.map((value, i) => {
      if (!axes[i]) return 0;
      const [low, high] = axes[i].range;
      return Math.min(Math.max(value + directions[event.key][i] * share * (high - low), low), high);
    }));
  }

  move(at) {
    this.at = at;
    this.place();
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.show();
    });
  }

  show() {
    const {height, width} = data.images;
    this.output.width = width;
    this.output.height = height;
    this.values = this.decode(this.codeAt(this.at), this.label);
    drawValues(this.output.getContext("2d"), this.values, data.images);
    const axes = [this.plane.x, this.plane.y].filter(Boolean);
    const place = axes.map(({name}, i) => `${name} ${numberText(this.at[i], 3)}`).join(", ");
    this.output.setAttribute("aria-label", `Decoded image at ${place}`);
    this.where.textContent = `Decoded at ${place}${data.decoder.labels > 0 ? `, as ${labelName(this.label)}` : ""}`;
    axes.forEach(({range}, i) => {
      this.sliders[i].value = 1000 * (this.at[i] - range[0]) / (range[1] - range[0]);
      this.sliderValues[i].textContent = numberText(this.at[i], 3);
    });
    say(this.where.textContent);
  }

  place() {
    if (!this.plane || !this.at) return;
    const size = this.board.clientWidth;
    const share = (value, [low, high]) => Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
    const x = size * share(this.at[0], this.plane.x.range);
    const y = this.plane.y ? size * (1 - share(this.at[1], this.plane.y.range)) : size / 2;
    for (const circle of [this.halo, this.here]) {
      circle.setAttribute("cx", x);
      circle.setAttribute("cy", y);
    }
  }

  /** Decodes a grid over the plane, a few pictures at a time, so that the page stays at hand. */
  drawGrid() {
    const {height, width} = data.images;
    const rows = this.plane.y ? gridSide : 1;
    this.grid.width = gridSide * width;
    this.grid.height = rows * height;
    const context = this.grid.getContext("2d");
    const {x, y} = this.plane;
    const work = ++this.gridWork;
    const middle = ([low, high], i, count) => low + (i + 0.5) / count * (high - low);
    let next = 0;
    const some = () => {
      const end = performance.now() + 12;
      while (work === this.gridWork && next < gridSide * rows && performance.now() < end) {
        const [row, column] = [Math.floor(next / gridSide), next % gridSide];
        next++;
        const at = [middle(x.range, column, gridSide), y ? middle(y.range, rows - 1 - row, rows) : 0];
        drawValues(context, this.decode(this.codeAt(at), this.label), data.images, column * width, row * height);
      }
      if (work === this.gridWork && next < gridSide * rows) setTimeout(some);
    };
    some();
  }
}

async function showGridPicture() {
  if (!data.grid) return html("div", {});
  const grid = await loadSprite(data.grid);
  return html("ul", {class: "tiles tight"}, ...Array.from({length: grid.count}, (_, i) => html("li", {}, picture(grid, i, `Picture ${i} of the grid`))));
}

/** The section of the decoder. No manifold: it does not run in the page. */
async function showManifold(manifold) {
  if (!manifold && !data.decoder_note) return;
  if (!manifold) {
    section("decoder", "Decoder", html("p", {class: "note"}, `The decoder does not run in this page: ${data.decoder_note}.`), await showGridPicture());
    return;
  }
  section("decoder", "Decoder",
    html("p", {}, "Drag over the plane of codes, and the picture follows: the model\u2019s decoder runs in this page",
      data.decoder.precision === "f16" ? ", with weights rounded to 16 bits." : "."), manifold.element);
}
