// Bars in every element with `data-chart`: in pages to hand round, and on the desk.
"use strict";
(() => {
  const boxes = [...document.querySelectorAll("[data-chart]")], made = new Map();
  const draw = (box) => {
    const chart = JSON.parse(box.dataset.chart), ink = getComputedStyle(box).color;
    const shown = (value) => chart.share ? (100 * value).toFixed(1) + " %" : value.toLocaleString("en", { maximumFractionDigits: 3 });
    box.style.height = 90 + chart.bars.length * (chart.stacked ? 26 : 14 * chart.parts.length + 12) + "px";
    made.get(box)?.dispose();
    const drawn = echarts.init(box, null, { renderer: "canvas" });
    made.set(box, drawn);
    drawn.setOption({
      animation: false,
      textStyle: { fontFamily: "system-ui, sans-serif" },
      grid: { left: 8, right: 24, top: 40, bottom: 8, containLabel: true },
      legend: { show: chart.parts.length > 1, type: "scroll", top: 0, textStyle: { color: ink } },
      tooltip: { renderMode: "richText", valueFormatter: shown },
      xAxis: { type: "value", max: chart.share && chart.stacked ? 1 : null, axisLabel: { formatter: shown, color: ink },
               splitLine: { lineStyle: { color: ink, opacity: .2 } } },
      yAxis: { type: "category", inverse: true, data: chart.bars, axisLabel: { color: ink } },
      series: chart.parts.map((name, number) => ({
        name, type: "bar", stack: chart.stacked ? "all" : null, data: chart.values[number], barMaxWidth: 22 })),
    });
  };
  const all = () => boxes.forEach(draw);
  all();
  addEventListener("resize", () => made.forEach((drawn) => drawn.resize()));
  addEventListener("beforeprint", () => made.forEach((drawn) => drawn.resize()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
