// ---- The page, section by section -------------------------------------------------------------------------

function showHead() {
  const {model, run} = data;
  document.getElementById("name").textContent = model.name || "model";
  document.getElementById("about").textContent = model.about;
  document.getElementById("made").textContent = `Made by graphrun ${run.version} on ${run.made}. This file needs nothing from the network.`;
  document.getElementById("key-figures").append(...data.key_figures.map(({name, value}) =>
    html("div", {}, html("dt", {}, name), html("dd", {}, typeof value === "number" ? numberText(value) : value))));
}

function showTheme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  try {
    const kept = localStorage.getItem("graphrun-theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* a browser may keep nothing for files */ }
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("graphrun-theme", root.dataset.theme); } catch { /* as above */ }
    name();
  });
  prefersDark.addEventListener("change", name);
  name();
}

/** The mean and, when there are several draws, the half width of its confidence interval. */
function estimateCell(figure, signed) {
  if (!figure) return html("td", {class: "number"}, "\u2013");
  const mean = (signed && figure.mean > 0 ? "+" : "") + numberText(figure.mean);
  return html("td", {class: "number"}, mean, figure.half_width === null ? null : html("span", {class: "spread"}, ` \u00b1 ${numberText(figure.half_width, 2)}`));
}

function estimatesTable(about, rows, names, signed) {
  return html("div", {class: "scrolls"}, html("table", {}, caption(about),
    html("thead", {}, html("tr", {}, html("th", {scope: "col"}, signed ? "Difference" : "Phase"), html("th", {scope: "col", class: "number"}, signed ? "Pairs" : "Draws"),
      ...names.map((name) => html("th", {scope: "col", class: "number"}, name)))),
    html("tbody", {}, ...rows.map((row) => html("tr", {}, html("th", {scope: "row"}, row.name), html("td", {class: "number"}, numberText(row.count)),
      ...names.map((name) => estimateCell(row.figures.find((figure) => figure.name === name), signed)))))));
}

function showResults() {
  const {latest, phases, differences} = data.results;
  const parts = [];
  if (latest.length > 0) {
    parts.push(html("div", {class: "scrolls"}, html("table", {}, caption("Last measurements, means per sample"),
      html("thead", {}, html("tr", {}, html("th", {scope: "col"}, "Figure"), html("th", {scope: "col", class: "number"}, "Training"), html("th", {scope: "col", class: "number"}, capitalised(data.curves.measured)))),
      html("tbody", {}, ...latest.map(({name, train, test}) => html("tr", {}, html("th", {scope: "row"}, name),
        html("td", {class: "number"}, numberText(train, 5)), html("td", {class: "number"}, numberText(test, 5))))))));
  }
  const namesIn = (rows) => [...new Set(rows.flatMap((row) => row.figures.map((figure) => figure.name)))];
  if (phases.length > 0) {
    const draws = phases.some((phase) => phase.count > 1);
    parts.push(html("h3", {}, "Phases"), estimatesTable(
      `What each phase came to on ${data.curves.measured} data${draws ? "; \u00b1 is the half width of a 95 % confidence interval of the mean" : ""}`, phases, namesIn(phases), false));
  }
  if (differences.length > 0) {
    parts.push(estimatesTable("Paired differences between phases; an interval that does not reach 0 tells them apart", differences, namesIn(differences), true));
  }
  if (parts.length > 0) section("results", "Results", ...parts);
}

function showModel() {
  const {graph, yaml} = data.model;
  const boxes = graph.boxes.map((box) => svg("g", {class: box.kind},
    svg("title", {}, box.hint),
    svg("rect", {class: "box", x: box.x, y: box.y, width: box.width, height: box.height, rx: 7}),
    svg("text", {class: "title", x: box.x + box.width / 2, y: box.y + 18, "text-anchor": "middle"}, box.title),
    svg("text", {class: "detail", x: box.x + box.width / 2, y: box.y + 35, "text-anchor": "middle"}, box.detail)));
  const edges = graph.edges.map((points) => svg("path", {class: "edge", "marker-end": "url(#arrow)", d: smoothPath(points)}));
  const marker = svg("marker", {id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto"},
    svg("path", {class: "arrow", d: "M0 0.5L8 4L0 7.5Z"}));
  const drawing = svg("svg", {viewBox: `0 0 ${graph.width} ${graph.height}`, width: graph.width, role: "img",
    "aria-label": `The layers of the model and how values flow between them: ${graph.boxes.map((box) => box.title).join(", ")}`},
    svg("defs", {}, marker), ...edges, ...boxes);
  section("model", "Model",
    html("p", {class: "note"}, "Layers from the input downwards; the wide ones hold more numbers. Blue edges are named outputs, orange boxes terms of the loss."),
    html("div", {class: "layers scrolls card", tabindex: 0, role: "region", "aria-label": "Graph of the layers"}, drawing),
    html("details", {}, html("summary", {}, "The layers as a table"), html("div", {class: "scrolls"}, html("table", {},
      html("thead", {}, html("tr", {}, ...["Layer", "What it is", "Result"].map((name) => html("th", {scope: "col"}, name)))),
      html("tbody", {}, ...graph.boxes.map((box) => html("tr", {}, html("th", {scope: "row"}, box.title), html("td", {}, box.what), html("td", {}, box.type))))))),
    html("details", {}, html("summary", {}, "The model file, resolved"), html("pre", {tabindex: 0, "aria-label": "The model as YAML"}, yaml)));
}

/** From point to point, vertical at each. */
function smoothPath(points) {
  return points.map(([x, y], i) => {
    if (i === 0) return `M${x} ${y}`;
    const [fromX, fromY] = points[i - 1];
    const middle = (fromY + y) / 2;
    return fromX === x ? `L${x} ${y}` : `C${fromX} ${middle} ${x} ${middle} ${x} ${y}`;
  }).join("");
}

async function showReconstructions() {
  const {reconstruction} = data;
  if (!reconstruction) return;
  const lists = await Promise.all(reconstruction.lists.map(async (list) => ({name: list.name, sprite: await loadSprite(list)})));
  const count = lists[0].sprite.count;
  section("reconstructions", "Reconstructions",
    html("p", {}, `The first ${count} ${reconstruction.of} images; in each column from the top: ${lists.map(({name}) => name).join(", ")}. The number is the squared error a pixel.`),
    html("ul", {class: "tiles"}, ...Array.from({length: count}, (_, i) => {
      const label = reconstruction.labels ? labelName(reconstruction.labels[i]) : null;
      return html("li", {}, ...lists.map(({name, sprite}) => picture(sprite, i, `Image ${i}${label ? `, ${label}` : ""}: ${name}`)),
        label ? html("div", {}, label) : null, html("div", {}, numberText(reconstruction.errors[i], 2)));
    })));
}

async function showNewImages() {
  const {samples, ways} = data;
  const parts = [];
  if (samples) {
    const sprite = await loadSprite(samples);
    parts.push(html("p", {}, `New images, decoded from ${samples.source}.`), html("ul", {class: "tiles tight"}, ...Array.from({length: sprite.count}, (_, i) =>
      html("li", {}, picture(sprite, i, `Sample ${i}${samples.labels ? `, ${labelName(samples.labels[i])}` : ""}`)))));
  }
  if (ways) {
    const sprite = await loadSprite(ways);
    parts.push(html("h3", {}, ways.title), html("p", {class: "note"}, ways.about), html("div", {class: "ways"}, ...ways.rows.flatMap((name, row) => {
      const canvas = html("canvas", {role: "img", "aria-label": `${ways.title}: ${name}`});
      canvas.width = ways.steps * ways.width;
      canvas.height = ways.height;
      const one = document.createElement("canvas");
      for (let column = 0; column < ways.steps; column++) {
        sprite.draw(one, row * ways.steps + column);
        canvas.getContext("2d").drawImage(one, column * ways.width, 0);
      }
      return [html("span", {}, name), canvas];
    })));
  }
  if (parts.length > 0) section("new-images", "New images", ...parts);
}

async function showFilters() {
  if (!data.filters) return;
  const sprite = await loadSprite(data.filters);
  section("filters", "Filters",
    html("p", {}, `The weights of ${data.filters.of}, unit by unit: grey is 0, white is positive, black is negative, each unit on its own scale.`),
    html("ul", {class: "tiles tight"}, ...Array.from({length: sprite.count}, (_, i) => html("li", {}, picture(sprite, i, `Weights of unit ${i}`)))));
}

function showRun() {
  section("run", "Run", html("div", {class: "scrolls"}, html("table", {class: "facts"},
    html("tbody", {}, ...data.run.facts.map(({name, value}) => html("tr", {}, html("th", {scope: "row"}, name), html("td", {}, value)))))),
    ...data.notes.map((note) => html("p", {class: "note"}, note)));
}

async function showAll() {
  showTheme();
  showHead();
  showResults();
  showCurves();
  showRows();
  showClasses();
  await showReconstructions();
  const manifold = data.decoder ? new Manifold() : null;
  await showCodes(manifold);
  await showManifold(manifold);
  await showNewImages();
  await showFilters();
  showModel();
  showRun();
  document.documentElement.dataset.ready = "true";
}

showAll();
