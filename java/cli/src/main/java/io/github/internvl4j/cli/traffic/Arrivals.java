package io.github.internvl4j.cli.traffic;

import io.github.internvl4j.image.Image;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Who comes when, and with what: drawn before anything is measured, so that one seed is one load, whatever answers it. */
public final class Arrivals {
    private static final List<String> WORDS = List.of(
            "a", "red", "house", "and", "two", "trees", "stand", "near", "the", "river", "while", "people", "walk",
            "over", "an", "old", "bridge", "of", "stone", "where", "nobody", "knows", "what", "time", "it", "is");
    private static final int IMAGE_SIZE = 64;

    /**
     * What is drawn from.
     *
     * @param rate requests a second, at the times of a Poisson process
     * @param seconds how long they come
     * @param promptWords of a question, about; each length from half of it to one and a half is as likely
     * @param newTokens of an answer at most, drawn likewise
     * @param imageShare of requests that bring an image
     */
    public record Rules(double rate, double seconds, int promptWords, int newTokens, double imageShare, long seed) {}

    /**
     * One request.
     *
     * @param at seconds after the beginning
     */
    public record Arrival(
            double at,
            String question,
            int newTokens,
            @Nullable Image image) {}

    private Arrivals() {}

    /** In the order of their times. */
    public static List<Arrival> of(Rules rules) {
        Random random = new Random(rules.seed());
        List<Arrival> all = new ArrayList<>();
        double at = 0;
        while (true) {
            at -= Math.log(1 - random.nextDouble()) / rules.rate();
            if (at > rules.seconds()) {
                return all;
            }
            String question = question(random, around(random, rules.promptWords()));
            Image image = random.nextDouble() < rules.imageShare() ? image(random) : null;
            all.add(new Arrival(at, question, around(random, rules.newTokens()), image));
        }
    }

    private static int around(Random random, int mean) {
        return Math.max(1, mean / 2 + random.nextInt(Math.max(1, mean)));
    }

    private static String question(Random random, int words) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS.get(random.nextInt(WORDS.size())));
        }
        return text.toString();
    }

    private static Image image(Random random) {
        byte[] rgb = new byte[IMAGE_SIZE * IMAGE_SIZE * 3];
        random.nextBytes(rgb);
        return Image.ofRgb(IMAGE_SIZE, IMAGE_SIZE, rgb);
    }
}
