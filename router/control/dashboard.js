"use strict";
// What the router says becomes text of elements, never markup.
const element = (id) => document.getElementById(id);
const say = (id, text) => { element(id).textContent = text; };

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.length; unit++) bytes /= 1024;
  return (unit ? bytes.toFixed(1) : String(bytes)) + " " + units[unit];
}

function duration(seconds) {
  const parts = [];
  for (const [name, length] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
    const count = Math.floor(seconds / length);
    seconds -= count * length;
    if (count && parts.length < 2) parts.push(count + name);
  }
  return parts.join(" ") || "0s";
}

// Rows of cells; a number stands to the right.
function fill(id, heading, rows) {
  const row = (kind, cells) => {
    const line = document.createElement("tr");
    for (const cell of cells) {
      const made = document.createElement(kind);
      made.textContent = String(cell);
      if (typeof cell === "number") made.className = "number";
      line.append(made);
    }
    return line;
  };
  element(id).replaceChildren(row("th", heading), ...rows.map((cells) => row("td", cells)));
}

function showStatus(status) {
  document.title = status.name + " - nsrouter";
  say("name", status.name);
  say("about", `nsrouter ${status.version}, up ${duration(status.uptime_seconds)}, ${status.config}`);
  const table = status.conntrack;
  const part = table.max ? table.count / table.max : 0;
  let text = table.active ? `${table.count} of ${table.max || "any number"}, ${size(table.bytes_in_use)}` : "not tracked: no rule needs it";
  if (table.growth_per_minute) text += `, ${table.growth_per_minute > 0 ? "+" : ""}${table.growth_per_minute} a minute`;
  if (table.full_in_seconds !== undefined) text += `, full in ${duration(table.full_in_seconds)}`;
  say("connections", text);
  element("fill").value = part;
  fill("loop", ["turns", "longest", "over 1 ms"], Object.entries(status.loop).map(([kind, turns]) => [kind.replace("_cpu", ", processor time"), (turns.longest_us / 1000).toFixed(2) + " ms", turns.over_1ms]));
  fill("interfaces", ["name", "state", "addresses", "received", "", "sent", "", "dropped"], status.interfaces.map((link) => {
    const count = link.counters;
    return [link.name, link.up ? "up" : "down", link.addresses.join(" "), count.rx_packets, size(count.rx_bytes), count.tx_packets, size(count.tx_bytes), count.rx_dropped + count.tx_dropped];
  }));
  fill("drops", ["packets", "reason"], Object.entries(status.drops).sort((a, b) => b[1] - a[1]).map(([reason, count]) => [count, reason]));
}

function showTop(top) {
  say("top-note", top.missing_at_most ? `too many to tell apart: each has up to ${top.missing_at_most} more` : "");
  fill("top", ["entries", "bytes", top.by], top.top.map((row) => [row.entries, size(row.bytes), row.key]));
}

async function ask(path) {
  const answer = await fetch(path, {headers: {Accept: "application/json"}});
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

async function refresh() {
  let problem = "";
  try {
    showStatus(await ask("/status"));
  } catch (error) {
    problem = "The router does not answer: " + error.message;
  }
  try {
    showTop(await ask("/top?by=" + encodeURIComponent(element("by").value)));
  } catch (error) {
    say("top-note", error.message);
    fill("top", [], []);
  }
  say("problem", problem);
  element("problem").hidden = !problem;
}

async function run() {
  await refresh();
  setTimeout(run, 2000);
}

element("by").addEventListener("change", refresh);
run();
