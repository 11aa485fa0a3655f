"use strict";
const read = id => JSON.parse(document.getElementById(id).textContent);
const items = read("items"), pictures = read("pictures");
const colours = { imagery: "#0b63a5", signals: "#b4450c" };
const map = L.map("map", { minZoom: 1, attributionControl: false, preferCanvas: true });
L.geoJSON(read("land"), { interactive: false, style: { color: "#8a97a5", weight: 1, fillColor: "#f7f5ef", fillOpacity: 1 } }).addTo(map);
const picture = item => {
  const image = document.createElement("img");
  image.src = pictures[item.id];
  image.onload = () => {
    if (image.naturalWidth < 200) image.className = "small";
    if (map._popup) map._popup.update();
  };
  image.alt = `Preview: ${item.properties.title || item.id}`;
  return image;
};
const boxes = {}; // one for each item: a popup that is laid out anew asks for it again
const told = item => boxes[item.id] ||= tell(item);
const tell = item => {
  const { datetime, start_datetime, end_datetime, title, gsd } = item.properties;
  const time = (datetime || `${start_datetime} to ${end_datetime}`).replace(/[.]\d+Z/g, "Z");
  const lines = [title || "", time, gsd ? `ground sample distance ${gsd} m` : "", item.id].filter(Boolean);
  const box = document.createElement("div");
  for (const line of lines.slice(0, -1)) box.appendChild(document.createElement("p")).textContent = line;
  if (pictures[item.id]) box.appendChild(picture(item));
  box.appendChild(document.createElement("p")).textContent = lines[lines.length - 1];
  return box;
};
const shapes = {};
const placed = items.filter(item => item.geometry);
const layer = L.geoJSON(placed.map(item => ({ type: "Feature", geometry: item.geometry, properties: item })), {
  style: feature => ({ color: colours[feature.properties.collection], weight: 2, fillOpacity: .2 }),
  pointToLayer: (_, at) => L.circleMarker(at, { radius: 6 }),
  onEachFeature: (feature, shape) => {
    shape.bindPopup(() => told(feature.properties), { maxWidth: 420, minWidth: 260 });
    shapes[feature.properties.id] = shape;
  },
}).addTo(map);
const show = item => {
  if (shapes[item.id]) shapes[item.id].openPopup();
  else L.popup({ maxWidth: 420 }).setLatLng(map.getCenter()).setContent(told(item)).openOn(map);
};
const list = document.getElementById("list");
for (const item of items.filter(each => pictures[each.id])) {
  const button = list.appendChild(document.createElement("button"));
  button.type = "button";
  button.style.borderColor = colours[item.collection];
  button.appendChild(picture(item));
  button.onclick = () => show(item);
  list.className = "some";
}
if (placed.length) map.fitBounds(layer.getBounds(), { padding: [40, 40], maxZoom: 8 }); else map.setView([20, 10], 2);
for (const name of Object.keys(colours))
  document.getElementById(name).textContent = `${name}: ${items.filter(item => item.collection === name).length}`;
const nowhere = items.length - placed.length;
document.getElementById("nowhere").textContent = nowhere ? `without a place: ${nowhere}` : "";
const asked = items.find(item => "#" + item.id === location.hash);
if (asked) show(asked);
