// ---- Curves of figures over the steps ---------------------------------------------------------------------

const chartHeight = 240;
const chartMargin = {left: 58, right: 14, top: 22, bottom: 30};

/** How far along a scale a value lies: 0 at its low end, 1 at its high end. */
function shareOf(scale, value) {
  const place = scale.logarithmic ? Math.log : (number) => number;
  return (place(value) - place(scale.low)) / (place(scale.high) - place(scale.low));
}

const stageOf = (step) => data.curves.stages.findIndex((stage) => step >= stage.from && step <= stage.to);

function stageName(stage) {
  if (!stage || !stage.phase) return "";
  const draws = data.curves.stages.filter((other) => other.phase === stage.phase).reduce((most, other) => Math.max(most, other.draw), 1);
  return stage.phase + (draws > 1 ? `, draw ${stage.draw}` : "") + (stage.layer > 0 ? `, layer ${stage.layer}` : "");
}

const splitName = (split) => (split === "train" ? "training" : data.curves.measured);
const capitalised = (word) => word[0].toUpperCase() + word.slice(1);

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.scale = figure.scales[figure.preferred];
    this.steps = [...new Set([...figure.train, ...figure.test].map(([step]) => step))].sort((a, b) => a - b);
    this.byStep = {train: new Map(figure.train), test: new Map(figure.test)};
    this.at = -1;
    this.drawing = svg("svg", {
      tabindex: 0, role: "application", "aria-roledescription": "chart", height: chartHeight,
      "aria-label": `${figure.name} over the steps. ${this.summary()} Arrow keys go from measurement to measurement.`,
      onpointermove: (event) => this.point(event), onpointerdown: (event) => this.point(event),
      onpointerleave: () => this.show(-1), onblur: () => this.show(-1), onkeydown: (event) => this.key(event),
    });
    this.tip = html("div", {class: "tip", hidden: true});
    const logarithm = html("input", {type: "checkbox", onchange: (event) => {
      this.scale = figure.scales[event.target.checked ? 1 : 0];
      this.draw(this.width);
    }});
    logarithm.checked = this.scale.logarithmic;
    this.element = html("div", {class: "card chart"},
      html("div", {class: "chart-head"}, html("h3", {}, figure.name), html("div", {class: "legend"},
        figure.train.length > 0 ? html("span", {class: "legend-train"}, "training") : null,
        figure.test.length > 0 ? html("span", {class: "legend-test"}, data.curves.measured) : null,
        figure.scales.length > 1 ? html("label", {}, logarithm, "log") : null)),
      this.drawing, this.tip);
    drawToWidth(this.drawing.parentElement, () => this.draw(this.drawing.parentElement.clientWidth - this.padding()));
  }

  padding() {
    const style = getComputedStyle(this.element);
    return parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  }

  summary() {
    return ["train", "test"].filter((split) => this.figure[split].length > 0).map((split) => {
      const points = this.figure[split];
      return `${capitalised(splitName(split))}: from ${numberText(points[0][1])} to ${numberText(points.at(-1)[1])}.`;
    }).join(" ");
  }

  x(step) {
    return chartMargin.left + shareOf(data.curves.steps, step) * (this.width - chartMargin.left - chartMargin.right);
  }

  y(value) {
    return chartHeight - chartMargin.bottom - shareOf(this.scale, value) * (chartHeight - chartMargin.top - chartMargin.bottom);
  }

  draw(width) {
    this.width = width;
    this.drawing.setAttribute("width", width);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${chartHeight}`);
    this.crosshair = svg("g", {});
    this.drawing.replaceChildren(...this.stages(), ...this.axes(), ...this.lines("train"), ...this.lines("test"), this.crosshair);
  }

  axes() {
    const parts = [];
    const right = this.width - chartMargin.right;
    const bottom = chartHeight - chartMargin.bottom;
    for (const tick of this.scale.ticks) {
      const y = this.y(tick);
      parts.push(svg("line", {class: "grid-line", x1: chartMargin.left, x2: right, y1: y, y2: y}),
        svg("text", {x: chartMargin.left - 8, y: y + 4, "text-anchor": "end"}, numberText(tick, 3)));
    }
    data.curves.steps.ticks.forEach((tick, i) => {
      const text = (i === 0 ? "step " : "") + numberText(tick, 3);
      parts.push(svg("text", {x: this.x(tick), y: bottom + 18, "text-anchor": "middle"}, text));
    });
    parts.push(svg("line", {class: "axis-line", x1: chartMargin.left, x2: right, y1: bottom, y2: bottom}));
    return parts;
  }

  /** Every other phase is shaded; draws and layers are parted by fine lines where there is room for them. */
  stages() {
    const stages = data.curves.stages;
    if (stages.length < 2) return [];
    const parts = [];
    const [top, bottom] = [chartMargin.top, chartHeight - chartMargin.bottom];
    const roomy = (this.width - chartMargin.left) / stages.length > 7;
    let phases = 0;
    let labelEnd = 0;
    stages.forEach((stage, index) => {
      const isFirst = index === 0 || stages[index - 1].phase !== stage.phase;
      const left = this.x(index === 0 ? 0 : stages[index - 1].to);
      if (!isFirst) {
        if (roomy) parts.push(svg("line", {class: "stage-line", x1: left, x2: left, y1: top, y2: bottom}));
        return;
      }
      const last = stages.findLast((other, at) => at >= index && stages.slice(index, at + 1).every((one) => one.phase === stage.phase));
      const right = this.x(last.to);
      if (phases++ % 2 === 1) parts.push(svg("rect", {class: "band", x: left, y: top, width: Math.max(right - left, 0), height: bottom - top}));
      if (phases > 1) parts.push(svg("line", {class: "phase-line", x1: left, x2: left, y1: top - 4, y2: bottom}));
      if (left + 4 < labelEnd) return;
      parts.push(svg("text", {x: left + 4, y: top - 7}, stage.phase));
      labelEnd = left + 8 + 6.5 * stage.phase.length;
    });
    return parts;
  }

  lines(split) {
    const points = this.figure[split];
    const pieces = this.figure[`${split}_parts`].map(([begin, end]) => points.slice(begin, end));
    const parts = pieces.map((piece) => svg("path", {
      class: `curve ${split}`,
      d: piece.map(([step, value], i) => `${i === 0 ? "M" : "L"}${this.x(step).toFixed(1)} ${this.y(value).toFixed(1)}`).join(""),
    }));
    const dotted = points.length <= data.curves.most_dots ? points : pieces.filter((piece) => piece.length === 1).flat();
    parts.push(...dotted.map(([step, value]) => svg("circle", {class: `dot ${split}`, cx: this.x(step), cy: this.y(value), r: 3})));
    return parts;
  }

  point(event) {
    const x = event.clientX - this.drawing.getBoundingClientRect().left;
    let best = 0;
    this.steps.forEach((step, i) => {
      if (Math.abs(this.x(step) - x) < Math.abs(this.x(this.steps[best]) - x)) best = i;
    });
    this.show(best);
  }

  key(event) {
    const last = this.steps.length - 1;
    const moves = {ArrowLeft: Math.max(this.at - 1, 0), ArrowRight: Math.min(this.at + 1, last), Home: 0, End: last, Escape: -1};
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.show(moves[event.key]);
    if (this.at >= 0) say(this.words().join(", "));
  }

  words() {
    const step = this.steps[this.at];
    const stage = stageName(data.curves.stages[stageOf(step)]);
    const value = (split, name) => (this.byStep[split].has(step) ? `${name} ${numberText(this.byStep[split].get(step), 5)}` : null);
    return [`step ${numberText(step)}`, stage, value("train", "training"), value("test", data.curves.measured)].filter(Boolean);
  }

  show(index) {
    this.at = index;
    this.tip.hidden = index < 0;
    if (!this.crosshair) return;
    this.crosshair.replaceChildren();
    if (index < 0) return;
    const step = this.steps[index];
    const x = this.x(step);
    this.crosshair.append(svg("line", {class: "crosshair", x1: x, x2: x, y1: chartMargin.top, y2: chartHeight - chartMargin.bottom}));
    for (const split of ["train", "test"]) {
      const value = this.byStep[split].get(step);
      if (value !== undefined) this.crosshair.append(svg("circle", {class: `dot ${split}`, cx: x, cy: this.y(value), r: 4.5}));
    }
    const [first, ...rest] = this.words();
    this.tip.replaceChildren(html("strong", {}, first), ...rest.map((word) => html("div", {}, word)));
    placeTip(this.tip, this.element, x + this.drawing.offsetLeft, 64);
  }
}

/** Beside a place in its element, on the side where there is room. */
function placeTip(tip, element, x, y) {
  const right = x + 14 + tip.offsetWidth < element.clientWidth;
  tip.style.left = `${Math.max(0, right ? x + 14 : x - 14 - tip.offsetWidth)}px`;
  tip.style.top = `${y}px`;
}

function curvesTable() {
  const {figures} = data.curves;
  const columns = figures.flatMap((figure) => ["train", "test"].filter((split) => figure[split].length > 0)
    .map((split) => ({name: `${figure.name}, ${splitName(split)}`, values: new Map(figure[split])})));
  const steps = [...new Set(columns.flatMap(({values}) => [...values.keys()]))].sort((a, b) => a - b);
  const phased = data.curves.stages.length > 1;
  return html("table", {}, caption("Every figure at every step where it was measured"),
    html("thead", {}, html("tr", {}, html("th", {class: "number", scope: "col"}, "step"), phased ? html("th", {scope: "col"}, "stage") : null,
      ...columns.map(({name}) => html("th", {class: "number", scope: "col"}, name)))),
    html("tbody", {}, ...steps.map((step) => html("tr", {}, html("th", {scope: "row", class: "number"}, numberText(step)),
      phased ? html("td", {}, stageName(data.curves.stages[stageOf(step)])) : null,
      ...columns.map(({values}) => html("td", {class: "number"}, values.has(step) ? numberText(values.get(step), 5) : ""))))));
}

function showCurves() {
  if (data.curves.figures.length === 0) return;
  const table = html("div", {class: "scrolls long", tabindex: 0, role: "region", "aria-label": "Table of the curves"});
  section("curves", "Curves",
    html("div", {class: "columns"}, ...data.curves.figures.map((figure) => new Chart(figure).element)),
    html("details", {ontoggle: () => { if (table.childElementCount === 0) table.append(curvesTable()); }},
      html("summary", {}, "The same as a table"), table));
}
