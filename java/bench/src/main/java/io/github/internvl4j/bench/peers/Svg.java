package io.github.internvl4j.bench.peers;

import java.util.Locale;

/** A drawing that is legible on light and dark pages: it has a ground of its own and follows the reader's colour scheme. */
final class Svg {
    /** Where a text's position is. */
    enum Anchor {
        START,
        MIDDLE,
        END
    }

    private static final String STYLE = """
            <style>
            .ground { fill: #ffffff } .ink { fill: #1f2328 } .faint { fill: #59636e } .rule { stroke: #d1d9e0 }
            @media (prefers-color-scheme: dark) {
            .ground { fill: #0d1117 } .ink { fill: #f0f6fc } .faint { fill: #9198a1 } .rule { stroke: #3d444d }
            }
            </style>
            """;

    private final StringBuilder body = new StringBuilder();

    Svg rectangle(double x, double y, double width, double height, String colour) {
        return add(
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
                x, y, width, height, colour);
    }

    /** @param style ink or faint, as in the style sheet; bold may follow */
    Svg text(double x, double y, Anchor anchor, String style, String text) {
        String weight = style.endsWith(" bold") ? " font-weight=\"bold\"" : "";
        return add(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\"%s>%s</text>",
                x,
                y,
                anchor.name().toLowerCase(Locale.ROOT),
                style.split(" ")[0],
                weight,
                text.replace("&", "&amp;").replace("<", "&lt;"));
    }

    Svg rule(double x1, double y1, double x2, double y2) {
        return add("<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"rule\"/>", x1, y1, x2, y2);
    }

    /**
     * A line through x and y pairs with a dot on each.
     *
     * @param dashes lengths of strokes and gaps; empty for none
     */
    Svg curve(double[] points, String colour, String dashes) {
        StringBuilder path = new StringBuilder();
        for (int i = 0; i < points.length; i += 2) {
            path.append(String.format(Locale.ROOT, "%s%.1f %.1f", i == 0 ? "M" : "L", points[i], points[i + 1]));
        }
        add(
                "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s/>",
                path, colour, dashes.isEmpty() ? "" : " stroke-dasharray=\"" + dashes + "\"");
        for (int i = 0; i < points.length; i += 2) {
            add("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>", points[i], points[i + 1], colour);
        }
        return this;
    }

    private Svg add(String format, Object... values) {
        body.append(String.format(Locale.ROOT, format, values)).append('\n');
        return this;
    }

    String document(int width, int height) {
        return String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                                + " font-family=\"sans-serif\" font-size=\"12\">%n",
                        width,
                        height,
                        width,
                        height)
                + STYLE
                + "<rect width=\"%d\" height=\"%d\" class=\"ground\"/>%n".formatted(width, height)
                + body
                + "</svg>\n";
    }
}
