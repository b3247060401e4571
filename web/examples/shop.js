// The host page's own script: it may call Pulse before the widget is there.

window.Pulse = window.Pulse || { q: [] };

const order = { customer: "c-1024", interaction: "order-77", tags: { page: "thanks" } };
Pulse.q.push(["identify", order]);

const onClick = (id, ...call) =>
  document.getElementById(id).addEventListener("click", () => Pulse.q.push(call));
onClick("show", "show");
onClick("done", "track", "order-done");
