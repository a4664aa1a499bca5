// ---- Rows of tables and points of series, by their scores ---------------------------------------------------

/** A diagram of bars, lines and shaded stretches, as wide as there is room. */
function diagram(figure) {
  const margin = {left: 58, right: 14, top: 12, bottom: 44};
  const height = figure.wide ? 220 : 260;
  const drawing = svg("svg", {role: "img", height, "aria-label": `${figure.title}. ${figure.about}`});
  const draw = (width) => {
    const [right, bottom] = [width - margin.right, height - margin.bottom];
    const x = (value) => margin.left + Math.min(Math.max(shareOf(figure.x, value), 0), 1) * (right - margin.left);
    const y = (value) => bottom - Math.min(Math.max(shareOf(figure.y, value), 0), 1) * (bottom - margin.top);
    const box = (kind, left, top, boxWidth, boxHeight) =>
      svg("rect", {class: kind, x: left.toFixed(1), y: top.toFixed(1), width: boxWidth.toFixed(1), height: Math.max(boxHeight, 0).toFixed(1)});
    const stretches = ["second", "first"].flatMap((kind) => figure.stretches.filter((stretch) => stretch.kind === kind)
      .map(({from, to}) => box(`stretch ${kind}`, x(from), margin.top, Math.max(x(to) - x(from), 1), bottom - margin.top)));
    const bars = figure.bars.flatMap(([from, to, first, second]) => [
      first > 0 ? box("bar first", x(from), y(first), Math.max(x(to) - x(from) - 1, 1), bottom - y(first)) : null,
      second > 0 ? box("bar second", x(from), y(first + second), Math.max(x(to) - x(from) - 1, 1), y(first) - y(first + second)) : null]);
    const lines = figure.lines.map(({kind, points}) => svg("path", {class: `curve ${kind === "first" ? "train" : "test"}`,
      d: points.map(([px, py], i) => (py === null ? "" : `${i === 0 || points[i - 1][1] === null ? "M" : "L"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`)).join("")}));
    const every = Math.ceil(figure.x.ticks.length * 52 / (right - margin.left));
    const ticks = [
      ...figure.y.ticks.flatMap((tick) => [svg("line", {class: "grid-line", x1: margin.left, x2: right, y1: y(tick), y2: y(tick)}),
        svg("text", {x: margin.left - 8, y: y(tick) + 4, "text-anchor": "end"}, numberText(tick, 3))]),
      ...figure.x.ticks.filter((_, i) => i % every === 0).map((tick) => svg("text", {x: x(tick), y: bottom + 18, "text-anchor": "middle"}, numberText(tick, 3)))];
    const marks = [...figure.x_marks.map((mark) => svg("line", {class: "mark", x1: x(mark), x2: x(mark), y1: margin.top, y2: bottom})),
      ...figure.y_marks.map((mark) => svg("line", {class: "mark", x1: margin.left, x2: right, y1: y(mark), y2: y(mark)}))];
    drawing.setAttribute("width", width);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.replaceChildren(...stretches, ...ticks, ...bars.filter(Boolean), ...lines, ...marks,
      svg("line", {class: "axis-line", x1: margin.left, x2: right, y1: bottom, y2: bottom}),
      svg("text", {x: right, y: height - 8, "text-anchor": "end"}, `${figure.x_name} \u2192`));
  };
  const frame = html("div", {}, drawing);
  drawToWidth(frame, draw);
  return html("div", {class: figure.wide ? "card chart wide" : "card chart"},
    html("div", {class: "chart-head"}, html("h3", {}, figure.title), html("div", {class: "legend"},
      ...figure.names.map((name, i) => html("span", {class: i === 0 ? "legend-train" : "legend-test"}, name)))),
    figure.y_name ? html("p", {class: "note axis-name"}, `\u2191 ${figure.y_name}`) : null, frame);
}

/** What each class is taken for; the darker, the larger the share of the class. */
function matrixTable({name, names, counts, f1}) {
  const cell = (count, all, right) => {
    const share = all === 0 ? 0 : count / all;
    const element = html("td", {class: "number"}, numberText(count));
    element.style.background = `color-mix(in srgb, var(--${right ? "train" : "test"}) ${Math.round(70 * share)}%, transparent)`;
    return element;
  };
  return html("div", {class: "scrolls"}, html("table", {class: "matrix"}, caption(`${name}: a row for what it is, a column for what it is taken for`),
    html("thead", {}, html("tr", {}, html("th", {scope: "col"}, "it is"), ...names.map((each) => html("th", {scope: "col", class: "number"}, each)),
      html("th", {scope: "col", class: "number"}, "F1"))),
    html("tbody", {}, ...counts.map((row, truth) => html("tr", {}, html("th", {scope: "row"}, names[truth]),
      ...row.map((count, guess) => cell(count, row.reduce((sum, each) => sum + each, 0), truth === guess)),
      html("td", {class: "number"}, numberText(f1[truth], 3)))))));
}

function worstTable(rows) {
  const part = ({column, value, share}) => html("span", {class: "part"}, html("strong", {}, column), value === "" ? " (missing)" : ` ${value}`,
    html("span", {class: "spread"}, ` ${Math.round(100 * share)} %`));
  return html("div", {class: "scrolls"}, html("table", {class: "worst"}, caption(`The ${rows.worst.length} highest scores, and the columns that make most of each: their value, and their part of the score`),
    html("thead", {}, html("tr", {}, html("th", {scope: "col", class: "number"}, "Row"), html("th", {scope: "col", class: "number"}, "Score"),
      rows.labelled ? html("th", {scope: "col"}, "Label") : null, html("th", {scope: "col"}, "Because of"))),
    html("tbody", {}, ...rows.worst.map((row) => html("tr", {class: row.flagged ? "flagged" : null},
      html("th", {scope: "row", class: "number"}, numberText(row.row)), html("td", {class: "number"}, numberText(row.score)),
      rows.labelled ? html("td", {}, row.kind) : null, html("td", {class: "parts"}, ...row.parts.map(part)))))));
}

function showRows() {
  const {rows} = data;
  if (!rows) return;
  const threshold = rows.threshold === undefined ? "" : ` Rows above ${numberText(rows.threshold)} are flagged: so high a score has one in a hundred rows that were not learnt from.`;
  const best = rows.best_f1 === undefined ? "" : ` By the labels the best threshold is ${numberText(rows.best_threshold)}, with an F1 of ${numberText(rows.best_f1, 3)}.`;
  section("scores", "Scores",
    html("p", {}, `How odd ${numberText(rows.count)} ${rows.of} are to the model.${threshold}${best}`),
    html("div", {class: "columns"}, ...rows.diagrams.map(diagram)),
    rows.flagged ? matrixTable(rows.flagged) : null, worstTable(rows));
  if (rows.series.length > 0) section("series", "Series",
    html("p", {}, "Row by row: what is flagged is shaded in red", rows.labelled ? ", what the labels call odd in yellow below it." : "."),
    html("div", {class: "stack"}, ...rows.series.map(diagram)));
}

function showClasses() {
  if (data.classes.length > 0) section("classes", "Classes", ...data.classes.map(matrixTable));
}
