"use strict";
const data = JSON.parse(document.getElementById("charts").textContent);
const style = getComputedStyle(document.documentElement);
const colour = name => style.getPropertyValue(name).trim();
for (const chart of data) {
  const box = document.getElementById("chart-" + chart.name);
  const shown = value => chart.share ? (100 * value).toFixed(1) + " %" : value.toLocaleString("en", { maximumFractionDigits: 3 });
  box.style.height = 90 + chart.bars.length * (chart.stacked ? 26 : 14 * chart.parts.length + 12) + "px";
  const made = echarts.init(box, null, { renderer: "svg" });
  made.setOption({
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif" },
    aria: { enabled: true },
    grid: { left: 8, right: 24, top: 40, bottom: 8, containLabel: true },
    legend: { show: chart.parts.length > 1, type: "scroll", top: 0, textStyle: { color: colour("--ink") } },
    tooltip: { renderMode: "richText", valueFormatter: shown },
    xAxis: { type: "value", max: chart.share && chart.stacked ? 1 : null, axisLabel: { formatter: shown, color: colour("--soft") },
             splitLine: { lineStyle: { color: colour("--line") } } },
    yAxis: { type: "category", inverse: true, data: chart.bars, axisLabel: { color: colour("--ink") } },
    series: chart.parts.map((name, number) => ({
      name, type: "bar", stack: chart.stacked ? "all" : null, data: chart.values[number], barMaxWidth: 22 })),
  });
  addEventListener("resize", () => made.resize());
}
