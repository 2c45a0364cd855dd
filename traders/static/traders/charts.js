"use strict";

// Draws the curves of each figure with `data-chart`, whose JSON traders/charts.py describes. A part of a page that
// was replaced is drawn on the event `charts:draw`, whose detail it is.
(() => {
    const HEIGHT = 240;
    // Marks nearer than this share one place, as their lines would touch.
    const TOGETHER_PX = 9;
    // How the axis of time is labelled: from this distance of two ticks on (seconds), and what stands below where the
    // year, the day or the minute changes. Clocks have 24 hours, and dates are figures, as elsewhere: names of months
    // would be English on every page.
    const CLOCK = [
        [365 * 86400, "{YYYY}", null, null, null, null, null, null, 1],
        [28 * 86400, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
        [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
        [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
        [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    ];
    const drawn = new Map();

    document.addEventListener("DOMContentLoaded", () => draw(document));
    document.addEventListener("charts:draw", (event) => draw(event.detail || document));
    // The canvas knows no style sheet: a change between light and dark needs new colours.
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["class"] });

    const sizes = new ResizeObserver((entries) => {
        for (const { target } of entries) {
            const plot = drawn.get(target);
            if (plot && target.clientWidth && plot.width !== target.clientWidth) {
                plot.setSize({ width: target.clientWidth, height: HEIGHT });
            }
        }
    });

    function draw(root) {
        for (const [place, plot] of drawn) {
            if (!place.isConnected) forget(place, plot);
        }
        const figures = [...root.querySelectorAll("figure[data-chart]")];
        if (root.matches?.("figure[data-chart]")) figures.push(root);
        for (const figure of figures) {
            const place = figure.querySelector(".chart-canvas");
            if (place && !drawn.has(place)) drawOne(figure, place);
        }
    }

    function redraw() {
        for (const [place, plot] of [...drawn]) {
            forget(place, plot);
            drawOne(place.closest("figure"), place);
        }
    }

    function forget(place, plot) {
        sizes.unobserve(place);
        plot.destroy();
        drawn.delete(place);
    }

    function drawOne(figure, place) {
        const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
        const zone = figure.dataset.zone;
        const number = numbers(data.decimals);
        const colours = getComputedStyle(document.documentElement);
        const ink = (name) => colours.getPropertyValue(name).trim();
        const axis = { stroke: ink("--faint"), grid: { stroke: ink("--line"), width: 1 }, ticks: { stroke: ink("--line"), width: 1 } };
        const plot = new uPlot({
            width: place.clientWidth || 300,
            height: HEIGHT,
            tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
            cursor: { y: false, drag: { x: true, y: false } },
            scales: { x: { time: true, range: (_, from, to) => padded(data, from, to) } },
            axes: [{ ...axis, values: CLOCK }, { ...axis, size: 64, values: (_, ticks) => ticks.map(numbers(shortest(ticks))) }],
            series: [
                { label: figure.dataset.time, value: (_, seconds) => (seconds === null ? "–" : moment(seconds, zone)) },
                ...data.lines.map((line, at) => series(line, ink(`--chart-${(at % 6) + 1}`), number, ink)),
            ],
            plugins: [marks(data.marks, zone)],
        }, [data.times, ...data.lines.map((line) => line.values)], place);
        drawn.set(place, plot);
        sizes.observe(place);
        const table = figure.querySelector(".chart-table");
        table?.addEventListener("toggle", () => fill(table, data, zone, figure.dataset.time), { once: true });
    }

    // Bars stand on both sides of their time, and one point alone needs a range around it.
    function padded({ times, lines }, from, to) {
        if (from === null) return [from, to];
        if (times.length === 1) return [times[0] - 43200, times[0] + 43200];
        const whole = from === times[0] && to === times.at(-1);
        const half = whole && lines.some(({ style }) => style === "bars") ? (times[1] - times[0]) / 2 : 0;
        return [from - half, to + half];
    }

    function series(line, colour, number, ink) {
        const shared = { label: line.label, stroke: colour, width: 1.5, value: (_, value) => (value === null ? "–" : number(value)) };
        const styles = {
            line: {},
            area: { fill: `color-mix(in srgb, ${colour} 14%, transparent)` },
            step: { paths: uPlot.paths.stepped({ align: 1 }) },
            bars: { paths: bars(line, ink), points: { show: false } },
        };
        return { ...shared, ...styles[line.style] };
    }

    function bars(line, ink) {
        const colours = line.values.map((value) => (value < 0 ? ink("--loss") : ink("--gain")));
        const each = { unit: 3, values: () => colours };
        return uPlot.paths.bars({ size: [0.7, 48], disp: { fill: each, stroke: each } });
    }

    // Links over the curves, placed again at each change of size or range.
    function marks(all, zone) {
        let tip = null;
        return { hooks: { draw: [(plot) => {
            plot.over.querySelectorAll(".chart-mark, .chart-tip").forEach((old) => old.remove());
            for (const group of grouped(all, plot)) place(group, plot);
        }] } };

        function place(group, plot) {
            const link = document.createElement("a");
            link.className = group.marks.some((mark) => mark.risk) ? "chart-mark risk" : "chart-mark";
            link.style.left = `${group.x}px`;
            link.href = group.marks.at(-1).url;
            // The list below the chart has the same links for the keyboard.
            link.tabIndex = -1;
            link.setAttribute("aria-hidden", "true");
            link.addEventListener("mouseenter", () => show(group, plot));
            link.addEventListener("mouseleave", () => tip?.remove());
            // The chart takes a pressed button as the start of a chosen range.
            link.addEventListener("mousedown", (event) => event.stopPropagation());
            if (group.marks.length > 1) {
                link.addEventListener("click", (event) => {
                    const list = plot.root.closest("figure").querySelector(".chart-marks");
                    event.preventDefault();
                    list.open = true;
                    list.querySelectorAll("a")[all.indexOf(group.marks[0])].focus();
                });
            }
            plot.over.append(link);
        }

        function show(group, plot) {
            tip?.remove();
            tip = document.createElement("div");
            tip.className = "chart-tip";
            for (const mark of group.marks.slice(-5)) {
                const line = document.createElement("p");
                const label = document.createElement("b");
                label.textContent = mark.label;
                line.append(label, ` ${moment(mark.at, zone)} ${mark.text}`);
                tip.append(line);
            }
            if (group.marks.length > 5) tip.append(`+ ${group.marks.length - 5}`);
            plot.over.append(tip);
            const room = plot.over.clientWidth - tip.offsetWidth;
            tip.style.left = `${Math.max(0, Math.min(group.x + 10, room))}px`;
            tip.style.top = "12px";
        }
    }

    function grouped(all, plot) {
        const groups = [];
        const { min, max } = plot.scales.x;
        for (const mark of all) {
            if (mark.at < min || mark.at > max) continue;
            const x = plot.valToPos(mark.at, "x");
            const last = groups.at(-1);
            if (last && x - last.x < TOGETHER_PX) last.marks.push(mark);
            else groups.push({ x, marks: [mark] });
        }
        return groups;
    }

    function fill(table, data, zone, time) {
        const frame = document.createElement("div");
        // A region that scrolls must be reachable by the keyboard.
        frame.tabIndex = 0;
        const grid = document.createElement("table");
        const head = grid.createTHead().insertRow();
        for (const text of [`${time} (${zone})`, ...data.lines.map((line) => line.label)]) {
            const cell = document.createElement("th");
            cell.scope = "col";
            cell.textContent = text;
            head.append(cell);
        }
        const body = grid.createTBody();
        const number = numbers(data.decimals);
        data.times.forEach((seconds, at) => {
            const row = body.insertRow();
            row.insertCell().textContent = moment(seconds, zone);
            for (const { values } of data.lines) row.insertCell().textContent = values[at] === null ? "–" : number(values[at]);
        });
        frame.append(grid);
        table.append(frame);
    }

    // As many decimals as the distance of two ticks needs.
    function shortest(ticks) {
        const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 1;
        return step >= 1 || step === 0 ? 0 : Math.min(8, Math.ceil(-Math.log10(step)));
    }

    function numbers(decimals) {
        const format = new Intl.NumberFormat(document.documentElement.lang || "en", {
            minimumFractionDigits: decimals, maximumFractionDigits: decimals,
        });
        return (value) => format.format(value).replace("-", "\u2212");
    }

    // 2026-11-01 14:05, as the pages write moments.
    function moment(seconds, zone) {
        return new Date(seconds * 1000).toLocaleString("sv-SE", { timeZone: zone }).slice(0, 16);
    }
})();
