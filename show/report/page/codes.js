// ---- Codes of test images in a plane ----------------------------------------------------------------------

const colourOf = (label) => data.colours[(label ?? 0) % data.colours.length];

/** The share of values that lies below. */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))];
}

/** A range with nearly all values, a little enlarged; a few outermost ones do not press all others together. */
function usualRange(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const [low, high] = [quantile(sorted, 0.004), quantile(sorted, 0.996)];
  const more = 0.06 * (high - low || Math.abs(high) || 1);
  return [low - more, high + more];
}

/** Round numbers between low and high, about `wanted` of them. */
function roundTicks(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) ticks.push(i * step);
  return ticks;
}

const rampOfNumbers = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];  // viridis

/** From dark to light as the share goes from 0 to 1. */
function rampColour(share) {
  const place = Math.min(Math.max(share, 0), 1) * (rampOfNumbers.length - 1);
  const at = Math.min(Math.floor(place), rampOfNumbers.length - 2);
  return `rgb(${rampOfNumbers[at].map((low, i) => Math.round(low + (place - at) * (rampOfNumbers[at + 1][i] - low))).join(" ")})`;
}

/** What points are coloured by: their labels, or a column of the table. */
function colouringBy({name, values, names}) {
  if (names) return {name, legend: names.map((each, i) => [colourOf(i), each]), of: (i) => (values[i] === null ? "#8885" : colourOf(values[i]))};
  const [low, high] = usualRange(values.filter((value) => value !== null));
  const share = (value) => (value - low) / (high - low || 1);
  return {name, legend: roundTicks(low, high, 4).map((tick) => [rampColour(share(tick)), numberText(tick, 3)]),
    of: (i) => (values[i] === null ? "#8885" : rampColour(share(values[i])))};
}

class Scatter {
  constructor(thumbnails, onChoose) {
    this.codes = data.codes;
    this.colouring = null;
    this.thumbnails = thumbnails;
    this.onChoose = onChoose;
    this.hidden = new Set();
    this.at = -1;
    this.xRange = usualRange(this.codes.x);
    this.yRange = usualRange(this.codes.y);
    this.indices = this.codes.x.map((_, i) => i).filter((i) => Number.isFinite(this.codes.x[i]) && Number.isFinite(this.codes.y[i]));
    this.drawing = svg("svg", {
      tabindex: 0, role: "application", "aria-roledescription": "scatter plot",
      "aria-label": `Codes of ${this.indices.length} ${this.codes.of}: ${this.codes.x_name} to the right, ${this.codes.y_name} upwards. `
        + "Arrow keys go from one to the next" + (onChoose ? ", Enter starts the decoder from it." : "."),
      onpointermove: (event) => this.point(event), onpointerleave: () => this.show(-1), onblur: () => this.show(-1),
      onkeydown: (event) => this.key(event),
      onclick: () => { if (this.at >= 0 && this.onChoose) this.onChoose(this.at); },
    });
    this.tipText = html("div", {});
    this.tipPicture = html("canvas", {"aria-hidden": "true"});
    this.tip = html("div", {class: "tip", hidden: true}, this.tipText, this.tipPicture);
    this.plane = html("div", {class: "plane"}, this.drawing, this.tip);
    this.legendBox = html("div", {});
    this.legendBox.append(...[this.legend()].filter(Boolean));
    this.element = html("div", {class: "card"}, this.colourChoice(), this.plane, this.legendBox);
    drawToWidth(this.plane, (width) => this.draw(width));
  }

  /** A choice of columns, where there are any. */
  colourChoice() {
    const columns = this.codes.columns ?? [];
    if (columns.length === 0) return null;
    const select = html("select", {onchange: ({target}) => {
      const column = columns[Number(target.value)];
      this.colouring = column ? colouringBy(column) : null;
      this.legendBox.replaceChildren(...[this.colouring ? this.columnLegend() : this.legend()].filter(Boolean));
      this.draw(this.width);
    }}, html("option", {value: -1}, this.codes.labels ? "label" : "nothing"), ...columns.map(({name}, i) => html("option", {value: i}, name)));
    return html("div", {class: "controls"}, html("label", {}, "Coloured by", select));
  }

  columnLegend() {
    return html("ul", {class: "key"}, ...this.colouring.legend.map(([colour, text]) => {
      const dot = html("i", {"aria-hidden": "true"});
      dot.style.background = colour;
      return html("li", {}, dot, ` ${text}`);
    }));
  }

  colourOf(i) { return this.colouring ? this.colouring.of(i) : colourOf(this.labelOf(i)); }

  labelOf(i) { return this.codes.labels ? this.codes.labels[i] : null; }

  legend() {
    if (!this.codes.labels) return null;
    const labels = [...new Set(this.codes.labels)].sort((a, b) => a - b);
    return html("div", {class: "classes", role: "group", "aria-label": "Labels that are shown"}, ...labels.map((label) => {
      const colour = html("i", {"aria-hidden": "true"});
      colour.style.background = colourOf(label);
      return html("button", {type: "button", "aria-pressed": "true", onclick: ({currentTarget}) => {
        if (!this.hidden.delete(label)) this.hidden.add(label);
        currentTarget.setAttribute("aria-pressed", String(!this.hidden.has(label)));
        this.show(-1);
        this.draw(this.width);
      }}, colour, labelName(label));
    }));
  }

  x(i) { return 44 + (this.codes.x[i] - this.xRange[0]) / (this.xRange[1] - this.xRange[0]) * (this.width - 54); }
  y(i) { return this.height - 38 - (this.codes.y[i] - this.yRange[0]) / (this.yRange[1] - this.yRange[0]) * (this.height - 62); }

  draw(width) {
    this.width = width;
    this.height = Math.min(width, 640);
    this.drawing.setAttribute("width", width);
    this.drawing.setAttribute("height", this.height);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.shown = this.indices.filter((i) => !this.hidden.has(this.labelOf(i)));
    const radius = width < 500 ? 2.6 : 3.6;
    this.ring = svg("circle", {class: "ring", r: radius + 4, visibility: "hidden"});
    const bottom = this.height - 38;
    const ticks = [];
    for (const tick of roundTicks(...this.xRange, Math.max(3, width / 140))) {
      const x = 44 + (tick - this.xRange[0]) / (this.xRange[1] - this.xRange[0]) * (width - 54);
      ticks.push(svg("line", {class: "grid-line", x1: x, x2: x, y1: 24, y2: bottom}), svg("text", {x, y: bottom + 16, "text-anchor": "middle"}, numberText(tick, 3)));
    }
    for (const tick of roundTicks(...this.yRange, Math.max(3, this.height / 110))) {
      const y = bottom - (tick - this.yRange[0]) / (this.yRange[1] - this.yRange[0]) * (this.height - 62);
      ticks.push(svg("line", {class: "grid-line", x1: 44, x2: width - 10, y1: y, y2: y}), svg("text", {x: 38, y: y + 4, "text-anchor": "end"}, numberText(tick, 3)));
    }
    this.drawing.replaceChildren(...ticks,
      svg("text", {x: width - 10, y: this.height - 4, "text-anchor": "end"}, `${this.codes.x_name} \u2192`),
      svg("text", {x: 4, y: 14}, `\u2191 ${this.codes.y_name}`),
      ...this.shown.map((i) => svg("circle", {class: "point", cx: this.x(i), cy: this.y(i), r: radius, fill: this.colourOf(i)})),
      this.ring);
  }

  point(event) {
    const box = this.drawing.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const distance = (i) => (this.x(i) - x) ** 2 + (this.y(i) - y) ** 2;
    let best = -1;
    for (const i of this.shown) if (best < 0 || distance(i) < distance(best)) best = i;
    this.show(best >= 0 && distance(best) < 24 ** 2 ? best : -1);
  }

  /** The nearest point that lies rather in this direction than in another. */
  neighbour(dx, dy) {
    if (this.at < 0) return this.shown[0] ?? -1;
    let best = this.at;
    let nearest = Infinity;
    for (const i of this.shown) {
      const [across, up] = [this.x(i) - this.x(this.at), this.y(i) - this.y(this.at)];
      const forward = across * dx + up * dy;
      const aside = Math.abs(across * dy) + Math.abs(up * dx);
      if (forward > 0.5 && aside <= forward && forward + aside < nearest) {
        nearest = forward + aside;
        best = i;
      }
    }
    return best;
  }

  key(event) {
    const directions = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    if (event.key === "Enter" && this.at >= 0 && this.onChoose) this.onChoose(this.at);
    if (event.key === "Escape") this.show(-1);
    if (!(event.key in directions)) return;
    event.preventDefault();
    this.show(this.neighbour(...directions[event.key]));
    if (this.at >= 0) say(this.words());
  }

  words() {
    const label = this.labelOf(this.at);
    return `${this.codes.one} ${this.at}${label === null ? "" : `, ${labelName(label)}`}, at ${numberText(this.codes.x[this.at], 3)}, ${numberText(this.codes.y[this.at], 3)}`;
  }

  show(index) {
    this.at = index;
    this.tip.hidden = index < 0;
    if (!this.ring) return;
    this.ring.setAttribute("visibility", index < 0 ? "hidden" : "visible");
    if (index < 0) return;
    this.ring.setAttribute("cx", this.x(index));
    this.ring.setAttribute("cy", this.y(index));
    this.tipText.textContent = this.words();
    const pictured = this.thumbnails !== null && index < this.thumbnails.count;
    this.tipPicture.hidden = !pictured;
    if (pictured) this.thumbnails.draw(this.tipPicture, index);
    placeTip(this.tip, this.plane, this.x(index), Math.min(this.y(index) + 8, this.height - 140));
  }
}

async function showCodes(manifold) {
  if (!data.codes) return;
  const thumbnails = data.codes.thumbnails ? await loadSprite(data.codes.thumbnails) : null;
  const choose = manifold && data.codes.values ? (index) => manifold.startFrom(index) : null;
  const scatter = new Scatter(thumbnails, choose);
  section("codes", "Codes",
    html("p", {}, `Where ${numberText(data.codes.x.length)} ${data.codes.of} lie in the code of ${data.codes.width === 1 ? "one unit" : `${data.codes.width} units`}`
      + `${data.codes.width > 2 ? ", seen along its two principal components" : ""}. Point at one to see ${thumbnails ? "its image" : "which it is"}`
      + `${choose ? "; choose it to start the decoder below from there" : ""}.`),
    scatter.element);
}
