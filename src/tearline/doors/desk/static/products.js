// The map of footprints. What it shows stands in the list below it too.
"use strict";
(async () => {
  const box = document.getElementById("map");
  const read = async (path) => (await fetch(path, { headers: { accept: "application/json" } })).json();
  const [atlas, found] = await Promise.all([read(box.dataset.land), read(box.dataset.places)]);

  // TopoJSON 1.0: a point is told by its difference from the one before; ~n is arc n backwards.
  const { scale, translate } = atlas.transform;
  const arcs = atlas.arcs.map((arc) => {
    let x = 0, y = 0;
    return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]]);
  });
  const ring = (numbers) => numbers.flatMap((number, at) => {
    const arc = number >= 0 ? arcs[number] : [...arcs[~number]].reverse();
    return at ? arc.slice(1) : arc;
  });
  const land = atlas.objects.land.geometries.flatMap((shape) => shape.arcs.map((polygon) => polygon.map(ring)));

  const map = L.map(box, { minZoom: 1, attributionControl: false, preferCanvas: true });
  L.geoJSON({ type: "MultiPolygon", coordinates: land }, { interactive: false, style: { color: "#8a97a5", weight: 1, fillColor: "#f7f5ef", fillOpacity: 1 } }).addTo(map);
  const colours = { imagery: "#0b63a5", intercept: "#b4450c" };
  const shapes = found.places.map((place) => {
    const { west, south, east, north } = place.box, color = colours[place.category];
    const link = document.createElement("a");
    link.href = `/products/${encodeURIComponent(place.originator)}/${encodeURIComponent(place.product)}`;
    link.textContent = place.title || place.product;
    const shape = west === east && south === north ? L.circleMarker([south, west], { radius: 6, color })
      : L.rectangle([[south, west], [north, east]], { color, weight: 2, fillOpacity: 0.2 });
    return shape.bindPopup(link).addTo(map);
  });
  if (shapes.length) map.fitBounds(L.featureGroup(shapes).getBounds(), { padding: [40, 40], maxZoom: 8 });
  else map.setView([20, 10], 2);
  box.dataset.drawn = String(shapes.length);
})();
