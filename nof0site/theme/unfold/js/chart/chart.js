// Takes the place of the theme's Chart.js (200 kB): no page has a chart of the theme. Ours are drawn by uPlot.
