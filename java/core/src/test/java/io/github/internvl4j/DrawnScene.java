package io.github.internvl4j;

import io.github.internvl4j.image.Image;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * A scene of the demo checkpoint's world drawn by Java2D, which had no part in its training. Lengths are fractions of the
 * picture's side.
 */
record DrawnScene(List<Thing> things, Color background, int side) {
    private static final List<String> KINDS = List.of("circle", "square", "triangle", "star", "cross");
    private static final Map<String, Color> COLOURS = Map.of(
            "red", new Color(0xE0, 0x20, 0x20),
            "orange", new Color(0xFF, 0x90, 0x10),
            "yellow", new Color(0xFA, 0xE0, 0x20),
            "green", new Color(0x18, 0x99, 0x33),
            "blue", new Color(0x20, 0x50, 0xE0),
            "purple", new Color(0x80, 0x28, 0xA8),
            "black", new Color(0x0C, 0x0C, 0x0C),
            "white", new Color(0xFE, 0xFE, 0xFE));
    private static final List<String> COLOUR_NAMES =
            COLOURS.keySet().stream().sorted().toList();
    private static final List<Color> BACKGROUNDS = List.of(
            Color.WHITE,
            Color.WHITE,
            new Color(0xF4, 0xEE, 0xDC),
            new Color(0xD8, 0xE4, 0xEC),
            new Color(0x20, 0x22, 0x30));

    record Thing(String kind, String colour, boolean filled, double x, double y, double diameter) {
        Shape outline() {
            double r = diameter / 2;
            Shape shape =
                    switch (kind) {
                        case "circle" -> new Ellipse2D.Double(-r, -r, 2 * r, 2 * r);
                        case "square" -> new Rectangle2D.Double(-0.85 * r, -0.85 * r, 1.7 * r, 1.7 * r);
                        case "triangle" -> polygon(3, r, r);
                        case "star" -> polygon(10, r, 0.42 * r);
                        case "cross" -> cross(r);
                        default -> throw new IllegalArgumentException(kind);
                    };
            return AffineTransform.getTranslateInstance(x, y).createTransformedShape(shape);
        }

        private static Shape polygon(int corners, double even, double odd) {
            Path2D path = new Path2D.Double();
            for (int i = 0; i < corners; i++) {
                double radius = i % 2 == 0 ? even : odd;
                double angle = 2 * Math.PI * i / corners - Math.PI / 2;
                double px = radius * Math.cos(angle);
                double py = radius * Math.sin(angle);
                if (i == 0) {
                    path.moveTo(px, py);
                } else {
                    path.lineTo(px, py);
                }
            }
            path.closePath();
            return path;
        }

        private static Shape cross(double r) {
            double arm = 0.32 * r;
            Area area = new Area(new Rectangle2D.Double(-r, -arm, 2 * r, 2 * arm));
            area.add(new Area(new Rectangle2D.Double(-arm, -r, 2 * arm, 2 * r)));
            return area;
        }
    }

    /** One to three things, far enough from each other, none of them alike, none nearly above another. */
    static DrawnScene draw(Random random) {
        while (true) {
            Color background = BACKGROUNDS.get(random.nextInt(BACKGROUNDS.size()));
            int count = 1 + random.nextInt(3);
            List<Thing> things = new ArrayList<>();
            for (int tries = 0; things.size() < count && tries < 200; tries++) {
                Thing thing = thing(random);
                if (standsOut(thing, background) && things.stream().noneMatch(other -> clash(thing, other))) {
                    things.add(thing);
                }
            }
            if (things.size() == count) {
                things.sort(Comparator.comparingDouble(Thing::x));
                return new DrawnScene(List.copyOf(things), background, 160 + random.nextInt(400));
            }
        }
    }

    private static Thing thing(Random random) {
        double diameter = random.nextBoolean() ? 0.22 : 0.38;
        double margin = diameter / 2 + 0.02;
        return new Thing(
                KINDS.get(random.nextInt(KINDS.size())),
                COLOUR_NAMES.get(random.nextInt(COLOUR_NAMES.size())),
                random.nextInt(10) < 7,
                margin + random.nextDouble() * (1 - 2 * margin),
                margin + random.nextDouble() * (1 - 2 * margin),
                diameter);
    }

    private static boolean standsOut(Thing thing, Color background) {
        float[] a = COLOURS.get(thing.colour()).getRGBColorComponents(null);
        float[] b = background.getRGBColorComponents(null);
        return Math.sqrt(Math.pow(a[0] - b[0], 2) + Math.pow(a[1] - b[1], 2) + Math.pow(a[2] - b[2], 2)) >= 0.5;
    }

    private static boolean clash(Thing one, Thing other) {
        return one.kind().equals(other.kind()) && one.colour().equals(other.colour())
                || Math.abs(one.x() - other.x()) < 0.08
                || Math.hypot(one.x() - other.x(), one.y() - other.y())
                        < (one.diameter() + other.diameter()) / 2 + 0.04;
    }

    /** What "Please describe the image shortly." should be answered. */
    String description() {
        List<String> parts = things.stream()
                .map(thing -> (thing.colour().equals("orange") ? "an " : "a ") + thing.colour() + " " + thing.kind())
                .collect(Collectors.toCollection(ArrayList::new));
        String last = parts.remove(parts.size() - 1);
        String all = parts.isEmpty() ? last : String.join(", ", parts) + " and " + last;
        return all.substring(0, 1).toUpperCase(Locale.ROOT) + all.substring(1) + ".";
    }

    Image image() {
        BufferedImage picture = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setColor(background);
        graphics.fillRect(0, 0, side, side);
        graphics.scale(side, side);
        for (Thing thing : things) {
            graphics.setColor(COLOURS.get(thing.colour()));
            if (thing.filled()) {
                graphics.fill(thing.outline());
            } else {
                graphics.setStroke(new BasicStroke((float) (0.09 * thing.diameter())));
                graphics.draw(thing.outline());
            }
        }
        graphics.dispose();
        return Image.of(picture);
    }
}
