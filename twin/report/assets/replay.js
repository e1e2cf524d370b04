"use strict";
// The replay of one year: one canvas, no library, no network. Times are seconds since the year's start.
(async () => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  let redraw = () => {};
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; redraw(); });
  const source = document.getElementById("replay-data");
  if (!source) return;

  const data = JSON.parse(source.textContent), words = data.words;
  const box = document.getElementById("replay"), canvas = document.getElementById("replay-canvas");
  const pen = canvas.getContext("2d"), readout = document.getElementById("replay-readout");
  const chooser = document.getElementById("replay-site");
  const HOUR = 3600, DAY = 86400, LEFT = 112, RIGHT = 12, POWER = 150, LANE = 18, LEVELS = 4095;

  const inflate = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  const unpackLine = async (line, count) => {
    const bytes = await inflate(line.data), values = new Float64Array(count);
    let step = 0;
    for (let k = 0; k < count; k++) {
      step += ((bytes[k] | (bytes[count + k] << 8)) << 16) >> 16;
      values[k] = line.low + (step / LEVELS) * (line.high - line.low);
    }
    return { key: line.key, low: line.low, high: line.high, values };
  };

  // Time-weighted means of whole days: what a year is read by, where every pixel holds many values.
  const dailyMeans = (time, values) => {
    const days = Math.ceil(data.horizon_s / DAY), sums = new Float64Array(days);
    for (let k = 0; k < time.length; k++) {
      let from = time[k];
      const to = k + 1 < time.length ? time[k + 1] : data.horizon_s;
      while (from < to) {
        const day = Math.min(Math.floor(from / DAY), days - 1), end = Math.min(to, (day + 1) * DAY);
        sums[day] += values[k] * (end - from);
        from = end;
      }
    }
    return sums.map((sum, day) => sum / (Math.min((day + 1) * DAY, data.horizon_s) - day * DAY));
  };

  const unpackCharge = async (charge) => {
    if (!charge) return null;
    const bytes = await inflate(charge.data), { rows, hours } = charge;
    const cells = new Uint8Array(rows * hours);
    for (let row = 0; row < rows; row++) {
      let value = 0;
      for (let hour = 0; hour < hours; hour++) {
        value = (value + bytes[row * hours + hour]) & 255;
        cells[row * hours + hour] = value;
      }
    }
    return { ...charge, cells };
  };

  const unpackSite = async (raw) => {
    const steps = new Uint32Array((await inflate(raw.time)).buffer), time = new Float64Array(steps.length);
    let at = 0;
    for (let k = 0; k < steps.length; k++) time[k] = at += steps[k];
    const lines = await Promise.all(raw.lines.map((line) => unpackLine(line, time.length)));
    for (const line of lines) line.means = dailyMeans(time, line.values);
    return { ...raw, time, lines, charge: await unpackCharge(raw.charge) };
  };

  const sites = await Promise.all(data.sites.map(unpackSite));
  let site = sites.find((one) => one.name === data.opens_on) || sites[0];
  let from = 0, to = data.horizon_s, cursor = null;
  const begin = new Date(data.start + "Z").getTime();
  const clock = (second) => new Date(begin + second * 1000).toISOString().replace("T", " ").slice(0, 19);
  const months = data.months;

  // Asked for thousands of times a frame: the theme's variables are read once, and again when it changes.
  let palette = {};
  const colour = (name) => palette[name] ??= getComputedStyle(root).getPropertyValue("--" + name).trim();
  const bisect = (list, x) => {
    let low = 0, high = list.length;
    while (low < high) { const mid = (low + high) >> 1; if (list[mid] <= x) low = mid + 1; else high = mid; }
    return low;
  };

  // The whole map of charge as a picture, at one hour and at the least of eight.
  const pictures = new Map();
  const picture = (charge, every) => {
    const key = site.name + every + isDark();
    if (pictures.has(key)) return pictures.get(key);
    const { rows, hours, cells } = charge, columns = Math.ceil(hours / every);
    const own = document.createElement("canvas");
    own.width = columns; own.height = rows;
    const image = own.getContext("2d").createImageData(columns, rows);
    const out = colour("outage").match(/[0-9a-f]{2}/gi).map((two) => parseInt(two, 16));
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
      let least = 255;
      for (let k = column * every; k < Math.min((column + 1) * every, hours); k++) least = Math.min(least, cells[row * hours + k]);
      const shade = least === 255 ? out : data.cividis[least], at = 4 * (row * columns + column);
      image.data.set([...shade, 255], at);
    }
    own.getContext("2d").putImageData(image, 0, 0);
    pictures.set(key, own);
    return own;
  };

  let width = 0, chargeHeight = 0, height = 0;
  const layout = () => {
    width = box.clientWidth;
    chargeHeight = site.charge ? Math.min(150, Math.max(24, site.charge.rows * 3)) : 0;
    height = 34 + 16 + POWER + (chargeHeight ? chargeHeight + 24 : 8) + site.lanes.length * LANE + 28 + (data.trucks ? 150 : 0);
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio; canvas.height = height * ratio;
    canvas.style.height = height + "px";
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  };
  const x = (second) => LEFT + ((second - from) / (to - from)) * (width - LEFT - RIGHT);
  const secondAt = (pixel) => from + ((pixel - LEFT) / (width - LEFT - RIGHT)) * (to - from);
  const text = (words, px, py, ink = "ink", align = "left") => { pen.fillStyle = colour(ink); pen.textAlign = align; pen.fillText(words, px, py); };
  const clipped = (y, tall, paint) => { pen.save(); pen.beginPath(); pen.rect(LEFT, y, width - LEFT - RIGHT, tall); pen.clip(); paint(); pen.restore(); };

  const drawStrip = () => {
    const whole = (second) => LEFT + (second / data.horizon_s) * (width - LEFT - RIGHT);
    pen.fillStyle = colour("mute");
    pen.fillRect(LEFT, 10, width - LEFT - RIGHT, 14);
    pen.fillStyle = colour("outage");
    for (const [a, b] of site.away) pen.fillRect(whole(a), 10, Math.max(whole(b) - whole(a), 2), 14);
    pen.strokeStyle = colour("ink"); pen.lineWidth = 2;
    pen.strokeRect(whole(from), 8, Math.max(whole(to) - whole(from), 4), 18);
    text(words.whole_year, LEFT - 8, 21, "dim", "right");
  };

  const drawAway = (y, tall) => {
    for (const [a, b] of site.away) {
      if (b < from || a > to) continue;
      const left = x(a), wide = Math.max(x(b) - x(a), 1);
      pen.globalAlpha = isDark() ? 0.22 : 0.16;
      pen.fillStyle = colour("outage");
      pen.fillRect(left, y, wide, tall);
      pen.globalAlpha = 1;
      pen.fillRect(left, y, wide, 3);
    }
  };

  const niceTicks = (low, high, count) => {
    const raw = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) found.push(value);
    return found;
  };

  const drawLine = (line, y) => {
    const { time } = site, values = line.values;
    const first = Math.max(bisect(time, from) - 1, 0), last = Math.min(bisect(time, to) + 1, time.length);
    const pixels = width - LEFT - RIGHT, perPixel = (last - first) / pixels;
    pen.strokeStyle = pen.fillStyle = colour(line.key);
    if (perPixel > 2) {
      const isYear = to - from > 45 * DAY;
      pen.globalAlpha = isYear ? 0.22 : 1;
      let k = first;
      for (let column = 0; column < pixels; column++) {
        const end = secondAt(LEFT + column + 1);
        let low = values[k], high = values[k];
        while (k + 1 < last && time[k + 1] < end) { k++; low = Math.min(low, values[k]); high = Math.max(high, values[k]); }
        pen.fillRect(LEFT + column, y(high), 1, Math.max(y(low) - y(high), 1));
      }
      pen.globalAlpha = 1;
      if (!isYear) return;
      pen.lineWidth = 2; pen.beginPath();
      line.means.forEach((mean, day) => pen[day ? "lineTo" : "moveTo"](x((day + 0.5) * DAY), y(mean)));
      pen.stroke();
      return;
    }
    pen.lineWidth = 1.5; pen.beginPath();
    pen.moveTo(x(time[first]), y(values[first]));
    for (let k = first + 1; k < last; k++) { pen.lineTo(x(time[k]), y(values[k - 1])); pen.lineTo(x(time[k]), y(values[k])); }
    pen.lineTo(x(last < time.length ? time[last] : data.horizon_s), y(values[Math.max(last - 1, first)]));
    pen.stroke();
  };

  const drawPower = (top) => {
    let low = Math.min(0, ...site.lines.map((line) => line.low)), high = Math.max(0.001, ...site.lines.map((line) => line.high));
    const y = (mw) => top + POWER - 4 - ((mw - low) / (high - low)) * (POWER - 12);
    text("MW", LEFT - 8, top + 4, "dim", "right");
    for (const tick of niceTicks(low, high, 4)) {
      pen.fillStyle = colour("rule"); pen.fillRect(LEFT, y(tick), width - LEFT - RIGHT, 1);
      if (y(tick) > top + 12) text(String(+tick.toPrecision(6)).replace("-", "\u2212"), LEFT - 8, y(tick) + 4, "ink", "right");
    }
    clipped(top, POWER, () => { drawAway(top, POWER); for (const line of [...site.lines].reverse()) drawLine(line, y); });
  };

  const drawCharge = (top) => {
    const every = (to - from) / HOUR > 1500 ? 8 : 1, charge = site.charge, own = picture(charge, every);
    clipped(top, chargeHeight, () => {
      pen.imageSmoothingEnabled = false;
      const span = charge.hours * HOUR;
      pen.drawImage(own, x(0), top, x(span) - x(0), chargeHeight);
      pen.fillStyle = colour("outage");
      for (const [a, b] of site.away) pen.fillRect(x(a), top - 1, Math.max(x(b) - x(a), 1), 3);
    });
    text(`${charge.units} ${words.units}`, LEFT - 8, top + 10, "ink", "right");
    if (chargeHeight < 80) return;
    text(words.soc, LEFT - 8, top + 26, "dim", "right");
    for (let k = 0; k <= 40; k++) {
      pen.fillStyle = `rgb(${data.cividis[Math.round(k * 2.5)].join()})`;
      pen.fillRect(LEFT - 76 + k * 1.5, top + 34, 2, 8);
    }
    text("0", LEFT - 82, top + 42, "dim", "right");
    text("100 %", LEFT - 8, top + 56, "dim", "right");
    pen.fillStyle = colour("outage"); pen.fillRect(LEFT - 82, top + 64, 8, 8);
    text(words.out, LEFT - 70, top + 72, "dim");
  };

  const LOOKS = { away: "outage", dark: "outage", running: "genset", battery: "storage", here: "d0", coming: "wait",
    hardware: "mute", planned: "wait", power: "outage" };
  const drawLanes = (top) => site.lanes.forEach((lane, row) => {
    const y = top + row * LANE, name = lane.name.length > 15 ? lane.name.slice(-15) : lane.name;
    text(name, LEFT - 8, y + 12, "ink", "right");
    pen.fillStyle = colour("soft"); pen.fillRect(LEFT, y + 2, width - LEFT - RIGHT, LANE - 5);
    clipped(y, LANE, () => {
      let filled = -1;
      for (const [a, b, state] of lane.spans) {
        if (b < from) continue;
        if (a > to) break;
        const left = x(a), right = Math.max(x(b), left + 1);
        if (right <= filled + (state === "hardware" ? 1 : 0)) continue; // already ink there
        pen.fillStyle = colour(LOOKS[state]); pen.fillRect(left, y + 2, right - left, LANE - 5);
        filled = Math.max(filled, right);
        const label = words[state];
        if (label && right - left > pen.measureText(label).width + 10) text(label, Math.max(left, LEFT) + 5, y + 12, "ground");
      }
    });
  });

  const drawAxis = (y) => {
    const days = (to - from) / DAY, pixels = width - LEFT - RIGHT;
    pen.fillStyle = colour("dim"); pen.fillRect(LEFT, y, pixels, 1);
    const steps = [60, 300, 900, HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY];
    const step = steps.find((one) => ((to - from) / one) * 76 < pixels);
    if (days > 60 || !step) {
      for (let month = 0, at = new Date(begin); at.getTime() < begin + to * 1000; month++) {
        const second = (at.getTime() - begin) / 1000;
        if (second >= from) text(months[at.getUTCMonth()], x(second) + 3, y + 16, "dim");
        at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
        if (month > 2000) break;
      }
      return;
    }
    for (let second = Math.ceil(from / step) * step; second <= to; second += step) {
      const at = new Date(begin + second * 1000), iso = at.toISOString();
      const label = step >= DAY || iso.slice(11, 16) === "00:00" ? `${at.getUTCDate()} ${months[at.getUTCMonth()]}` : iso.slice(11, 16);
      pen.fillStyle = colour("dim"); pen.fillRect(x(second), y, 1, 4);
      if (x(second) < width - 40) text(label, x(second), y + 16, "dim", "center");
    }
  };

  // Where trucks are at the cursor, on a plane in which sites are as far apart as the road between them.
  const drawMap = (top) => {
    const { places, legs } = data.trucks, at = cursor ?? (from + to) / 2, size = 110;
    const px = (place) => LEFT + 40 + place[0] * size * 2.4, py = (place) => top + 14 + place[1] * size;
    text(clock(at), width - RIGHT - 4, top + 8, "dim", "right");
    places.forEach((place, k) => {
      pen.fillStyle = colour("dim"); pen.beginPath(); pen.arc(px(place), py(place), 4, 0, 7); pen.fill();
      text(sites[k].name, px(place) + 8, py(place) + 4, "dim");
    });
    Object.entries(legs).forEach(([name, own], k) => {
      const leg = own.find(([a, b]) => a <= at && at <= b);
      if (!leg) return;
      const share = leg[1] > leg[0] ? (at - leg[0]) / (leg[1] - leg[0]) : 0, a = places[leg[2]], b = places[leg[3]];
      const place = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])], cx = px(place) + 70, cy = py(place) + 2 + 14 * (k - 1);
      pen.fillStyle = colour("d2"); pen.beginPath(); pen.moveTo(cx, cy - 6); pen.lineTo(cx + 6, cy + 4); pen.lineTo(cx - 6, cy + 4); pen.fill();
      text(name, cx + 9, cy + 4, "d2");
    });
  };

  const draw = () => {
    pen.clearRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif";
    drawStrip();
    let y = 46;
    drawPower(y);
    y += POWER + 12;
    if (site.charge) { drawCharge(y); y += chargeHeight + 16; }
    drawLanes(y);
    y += site.lanes.length * LANE + 2;
    drawAxis(y);
    if (data.trucks) drawMap(y + 30);
    if (cursor !== null && cursor >= from && cursor <= to) { pen.fillStyle = colour("dim"); pen.fillRect(x(cursor), 30, 1, y - 30); }
    box.dataset.from = Math.round(from); box.dataset.to = Math.round(to);
  };
  let asked = false;
  const show = () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; draw(); }); } };
  redraw = () => { palette = {}; layout(); show(); };

  const view = (a, b) => {
    const span = Math.min(Math.max(b - a, 60), data.horizon_s);
    from = Math.min(Math.max(a, 0), data.horizon_s - span);
    to = from + span;
    show();
  };
  const zoom = (factor, at = (from + to) / 2) => view(at - (at - from) * factor, at + (to - at) * factor);
  const move = (share) => view(from + share * (to - from), to + share * (to - from));
  const around = (second, span = to - from) => view(second - span / 2, second + span / 2);
  const say = (second) => {
    const k = Math.max(bisect(site.time, second) - 1, 0);
    const parts = site.lines.map((line) => `${words[line.key]} ${line.values[k].toFixed(2)} MW`);
    readout.textContent = `${clock(second)}   ${parts.join("   ")}`;
  };
  const jump = (way) => {
    const at = (from + to) / 2, slack = Math.max((to - from) / 1000, 1);
    const next = way > 0 ? site.events.find(([second]) => second > at + slack) : [...site.events].reverse().find(([second]) => second < at - slack);
    if (!next) return;
    cursor = next[0];
    if (to - from > 30 * DAY) around(next[0], 8 * DAY); else around(next[0]);
    readout.textContent = `${clock(next[0])}   ${next[1]}`;
  };
  const openWorst = () => { const [a, b] = site.worst; cursor = a; around((a + b) / 2, Math.max(8 * DAY, 2 * (b - a))); say(a); };

  const buttons = { worst: openWorst, week: () => around((from + to) / 2, 7 * DAY), year: () => view(0, data.horizon_s), previous: () => jump(-1), next: () => jump(1) };
  for (const [name, act] of Object.entries(buttons)) document.getElementById("replay-" + name).addEventListener("click", act);
  const keys = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25),
    n: () => jump(1), N: () => jump(1), p: () => jump(-1), P: () => jump(-1), 0: buttons.year };
  canvas.addEventListener("keydown", (event) => { const act = keys[event.key]; if (act && !event.ctrlKey && !event.metaKey) { act(); event.preventDefault(); } });
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (event.offsetY < 30) around(((event.offsetX - LEFT) / (width - LEFT - RIGHT)) * data.horizon_s);
    else held = [event.offsetX, from, to];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (held) { const by = ((held[0] - event.offsetX) / (width - LEFT - RIGHT)) * (held[2] - held[1]); view(held[1] + by, held[2] + by); return; }
    if (event.offsetX < LEFT) return;
    cursor = secondAt(event.offsetX); say(cursor); show();
  });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, secondAt(event.offsetX));
  }, { passive: false });
  if (chooser) chooser.addEventListener("change", () => { site = sites[chooser.selectedIndex]; layout(); openWorst(); });
  addEventListener("resize", redraw);
  addEventListener("beforeprint", () => { root.dataset.printing = "1"; palette = {}; layout(); draw(); });
  addEventListener("afterprint", () => { delete root.dataset.printing; redraw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  if (chooser) chooser.selectedIndex = sites.indexOf(site);
  layout();
  openWorst();
  box.dataset.ready = "1";
})();
