// Search, filter, groups, order and the graph of the report. Without this script the page has everything but these.
"use strict";

(() => {
  // More lines than this are shown on demand, so that the page stays quick.
  const AT_ONCE = 500;
  // More Services than this make a graph that nobody can read.
  const IN_GRAPH = 40;

  const $ = (id) => document.getElementById(id);
  const table = $("table");
  if (!table) return;

  const collator = new Intl.Collator("en", { numeric: true });
  const columns = table.tHead.rows[0].cells.length;
  // What is searched and compared is read once.
  const lines = [...table.tBodies[0].rows].map((row, place) => {
    const cells = {};
    for (const cell of row.cells) cells[cell.dataset.key] = cell.textContent.replace(/\s+/g, " ").trim();
    const text = Object.values(cells).join(" ").toLowerCase();
    return { row, place, cells, text, ...row.dataset };
  });
  let limit = AT_ONCE;
  let sorted = { key: "", down: false };
  let shown = lines;

  // Search, filter, groups and order.

  function matching() {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const access = $("filter").value;
    return lines.filter((line) => (!access || line.access === access) && words.every((word) => line.text.includes(word)));
  }

  function inOrder(found) {
    const { key, down } = sorted;
    if (!key) return found;
    const has = (line) => Boolean(line.cells[key]);
    return [...found].sort((one, other) => {
      // What has no such value comes last, in both directions.
      if (has(one) !== has(other)) return has(one) ? -1 : 1;
      const order = collator.compare(one.cells[key] ?? "", other.cells[key] ?? "");
      return (down ? -order : order) || one.place - other.place;
    });
  }

  function groupsOf(found) {
    const by = $("group").value;
    if (!by) return [["", found]];
    const groups = new Map();
    for (const line of found) {
      const name = line[by] || (line.access === "refused" ? "(refused)" : "(none)");
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(line);
    }
    return [...groups].sort((one, other) => collator.compare(one[0], other[0]));
  }

  function groupLine(name, count) {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.className = "group";
    head.colSpan = columns;
    head.scope = "rowgroup";
    head.append(name);
    const small = document.createElement("small");
    small.textContent = count === 1 ? "1 Service" : `${count} Services`;
    head.append(small);
    row.append(head);
    return row;
  }

  function show() {
    shown = inOrder(matching());
    const bodies = [];
    let room = limit;
    for (const [name, members] of groupsOf(shown)) {
      if (room <= 0) break;
      const body = document.createElement("tbody");
      if (name) body.append(groupLine(name, members.length));
      for (const line of members.slice(0, room)) body.append(line.row);
      room -= members.length;
      bodies.push(body);
    }
    if (!bodies.length) bodies.push(document.createElement("tbody"));
    for (const body of [...table.tBodies]) body.remove();
    table.append(...bodies);
    const visible = Math.min(shown.length, limit);
    const rest = shown.length > visible ? `, ${visible} of them shown` : "";
    $("count").textContent = `${shown.length} of ${lines.length} Services${rest}`;
    const filters = [$("search").value.trim(), $("filter").value && $("filter").selectedOptions[0].text];
    $("count").dataset.filter = filters.filter(Boolean).map((it) => `: ${it}`).join("");
    $("more-part").hidden = !rest;
    $("more").textContent = `Show all ${shown.length}`;
    if ($("graph").open) draw();
  }

  function restart() {
    limit = AT_ONCE;
    show();
  }

  let waiting;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(restart, 120);
  });
  $("filter").addEventListener("change", restart);
  $("group").addEventListener("change", restart);
  function showAll() {
    limit = Infinity;
    show();
  }
  $("more").addEventListener("click", showAll);

  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const key = head.dataset.sort;
      sorted = { key, down: sorted.key === key && !sorted.down };
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      show();
    });
  }

  // A link to a line that is not shown makes it shown.

  function reveal() {
    const name = decodeURIComponent(location.hash.slice(1));
    const line = name && lines.find((it) => it.row.id === name);
    if (!line) return;
    if (!line.row.isConnected) {
      $("search").value = "";
      $("filter").value = "";
      limit = Infinity;
      show();
    }
    line.row.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", reveal);

  // On paper there is no button: everything that the search and the filter let through is printed.
  addEventListener("beforeprint", () => {
    if (limit === Infinity) return;
    showAll();
    addEventListener("afterprint", restart, { once: true });
  });
  for (const link of document.querySelectorAll("a[data-filter]")) {
    link.addEventListener("click", () => {
      $("filter").value = link.dataset.filter;
      restart();
    });
  }

  // The graph.

  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function draw() {
    const drawing = $("drawing");
    const note = $("graph-note");
    const found = shown.filter((line) => line.edges);
    drawing.replaceChildren();
    if (!found.length) {
      note.textContent = "None of these Services is exposed.";
      return;
    }
    if (found.length > IN_GRAPH) {
      note.textContent = `The graph shows at most ${IN_GRAPH} Services, and these are ${found.length}: search for a host, a namespace or a class to see its part.`;
      return;
    }
    note.textContent = "";
    // The nodes of each column by their names, and the edges between neighbours.
    const nodes = [new Map(), new Map(), new Map()];
    const edges = new Map();
    const node = (column, name, more) => {
      if (!nodes[column].has(name)) nodes[column].set(name, { name, ...more });
      return nodes[column].get(name);
    };
    for (const line of found) {
      const service = node(2, line.name, { open: line.access === "open" });
      const parts = line.edges.split("\n");
      const hosts = parts.filter((part) => part[0] === "h").map((part) => node(0, part.slice(1)));
      for (const part of parts.filter((it) => it[0] === "c")) {
        const [name, program] = part.slice(1).split("\t");
        const door = node(1, `${name}, ${program}`);
        for (const host of hosts) edges.set(`0 ${host.name} ${door.name}`, [0, host, door]);
        edges.set(`1 ${door.name} ${service.name}`, [1, door, service]);
      }
    }
    const [width, height, step, top] = [310, 22, 29, 30];
    const left = [10, 420, 830];
    const most = Math.max(...nodes.map((column) => column.size));
    const svg = element("svg", { viewBox: `0 0 1150 ${top + most * step}`, role: "img" });
    svg.setAttribute("aria-label", `Graph of ${nodes[0].size} hosts, ${nodes[1].size} classes or Gateways, and ${nodes[2].size} Services; the table has the same`);
    ["Host", "Class or Gateway", "Service"].forEach((head, column) => {
      svg.append(element("text", { x: left[column], y: 16, class: "head" }, head));
    });
    // Hosts and Services stand in the order of what is between them, so that few edges cross.
    const doors = [...nodes[1].values()];
    for (const [column, from, to] of edges.values()) {
      const [end, door] = column ? [to, from] : [from, to];
      end.door = Math.min(end.door ?? Infinity, doors.indexOf(door));
    }
    nodes.forEach((column, number) => {
      // Columns with fewer nodes take the same height.
      const room = number === 1 ? ((most * step) / column.size) : step;
      const first = top + (number === 1 ? (room - step) / 2 : ((most - column.size) * step) / 2);
      const inColumn = [...column.values()];
      if (number !== 1) inColumn.sort((one, other) => one.door - other.door);
      inColumn.forEach((it, index) => {
        it.y = first + index * room;
      });
    });
    for (const [column, from, to] of edges.values()) {
      const [x, y, u, v] = [left[column] + width, from.y + height / 2, left[column + 1], to.y + height / 2];
      svg.append(element("path", { d: `M${x} ${y}C${x + 55} ${y} ${u - 55} ${v} ${u} ${v}` }));
    }
    nodes.forEach((column, index) => {
      for (const it of column.values()) {
        const part = element("g", { class: ["host", "door", it.open ? "open" : "service"][index] });
        part.append(element("title", {}, it.name));
        part.append(element("rect", { x: left[index], y: it.y, width, height, rx: 6 }));
        const name = it.open ? `${it.name} (open)` : it.name;
        const label = name.length > 40 ? `${name.slice(0, 39)}\u2026` : name;
        part.append(element("text", { x: left[index] + 9, y: it.y + 15.5 }, label));
        svg.append(part);
      }
    });
    drawing.append(svg);
  }
  $("graph").addEventListener("toggle", () => {
    if ($("graph").open) draw();
  });

  $("tools").hidden = false;
  $("graph").hidden = false;
  $("graph").open = lines.filter((line) => line.edges).length <= IN_GRAPH;
  show();
  table.classList.add("ready");
  reveal();
})();
